"""Numbers that offices give out: identity numbers, credit codes, plates, accounts. All invented, all well-formed."""

from __future__ import annotations

from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Texts = np.ndarray[Any, np.dtype[np.object_]]
Days = np.ndarray[Any, np.dtype[np.datetime64]]

_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
LOCAL_SLOTS = 400
"""Of the 500 sequence numbers a day, sex and division, those for people born there; the rest are for others."""


def texts(codes: Any) -> Texts:
    """A matrix of ASCII bytes (one row a value) as an array of Python strings."""
    matrix = np.ascontiguousarray(codes, dtype=np.uint8)
    return matrix.view(f"S{matrix.shape[1]}").ravel().astype(f"U{matrix.shape[1]}").astype(object)


def digits(numbers: Any, width: int) -> Any:
    """Decimal digits of each number as ASCII bytes, padded with zeros on the left."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return ((np.asarray(numbers, dtype=np.int64)[:, None] // powers) % 10 + 48).astype(np.uint8)


def padded(numbers: Any, width: int) -> Texts:
    """Each number as text of exactly `width` digits."""
    return texts(digits(numbers, width))


def day_numbers(days: Days) -> Ints:
    """Dates as numbers such as 19800131."""
    day = days.astype("datetime64[D]")
    year = day.astype("datetime64[Y]").astype(np.int64) + 1970
    month = day.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return year * 10_000 + month * 100 + (day - day.astype("datetime64[M]")).astype(np.int64) + 1


def sequence_numbers(
    area: Ints,
    born: Days,
    is_female: Flags,
    is_local: Flags,
    share: Ints,
    sharers: Ints,
    twin: Ints | None = None,
) -> Ints:
    """A sequence number per person, unique within division, birth date and sex over all shards.

    `share` and `sharers` say which residue of the slots this shard may use. Raises ValueError if a day has
    more births than slots, which no plausible county reaches.
    """
    day = born.astype("datetime64[D]").astype(np.int64) + 40_000
    key = ((area * 100_000 + day) * 2 + is_female) * 2 + is_local
    order = np.lexsort((np.arange(len(key)), key))
    sorted_key = key[order]
    first = np.r_[True, sorted_key[1:] != sorted_key[:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(key)), 0))
    rank = np.empty(len(key), dtype=np.int64)
    rank[order] = np.arange(len(key)) - start
    # Offices gave numbers out in blocks, so the first of a day is not always 1.
    capacity = np.where(is_local, LOCAL_SLOTS, 500 - LOCAL_SLOTS) // sharers
    if (rank >= capacity).any():
        raise ValueError("more births on one day than sequence numbers")
    offset = (day * 7919 + area * 104_729) % capacity
    slot = ((rank + offset) % capacity) * sharers + share
    slot += np.where(is_local, 0, LOCAL_SLOTS)
    return np.asarray(slot * 2 + np.where(is_female, 0, 1), dtype=np.int64) % 1000


def resident_ids(area: Ints, born: Days, sequence: Ints) -> Texts:
    """Eighteen characters with the right check character."""
    body = np.hstack([digits(area, 6), digits(day_numbers(born), 8), digits(sequence, 3)])
    total = ((body.astype(np.int64) - 48) * _WEIGHTS).sum(axis=1) % 11
    return texts(np.hstack([body, _CHECK[total][:, None]]))


def old_ids(area: Ints, born: Days, sequence: Ints) -> Texts:
    """The fifteen digits that the same people carried before 1999."""
    return texts(np.hstack([digits(area, 6), digits(day_numbers(born) % 1_000_000, 6), digits(sequence, 3)]))


def credit_codes(area: Any, kind: Any, serial: Any) -> Texts:
    """Unified social credit codes (GB 32100): authority and kind, division, organisation, check character.

    `kind` is '91' for firms, '92' for individual business, '93' for co-operatives, '12' for public institutions, '11' for offices.
    """
    alphabet = np.frombuffer(_CREDIT.encode(), dtype=np.uint8)
    head = np.array([[_CREDIT.index(k[0]), _CREDIT.index(k[1])] for k in kind], dtype=np.int64).reshape(-1, 2)
    place = digits(area, 6).astype(np.int64) - 48
    serial = np.asarray(serial, dtype=np.int64)
    body = np.stack([(serial // 31**p) % 31 for p in range(7, -1, -1)], axis=1)
    organisation_check = (body * np.array([3, 7, 9, 10, 5, 8, 4, 2])).sum(axis=1) % 31
    values = np.hstack([head, place, body, organisation_check[:, None]])
    check = (31 - (values * _CREDIT_WEIGHTS).sum(axis=1) % 31) % 31
    return texts(alphabet[np.hstack([values, check[:, None]])])


def plates(serial: Any) -> Texts:
    """Number plates of the prefecture (蒙J) with five characters, unique per serial."""
    letters = np.frombuffer(b"ABCDEFGHJKLMNPQRSTUVWXYZ", dtype=np.uint8)
    serial = np.asarray(serial, dtype=np.int64)
    tail = np.hstack([letters[(serial // 10_000) % 24][:, None], digits(serial % 10_000, 4)])
    # Beyond 240,000 plates a letter stands in the second place as well.
    extra = (serial // 240_000) % 24
    many = serial >= 240_000
    tail[many, 1] = letters[extra[many]]
    return np.array(["蒙J" + t for t in texts(tail)], dtype=object)


def vins(serial: Any) -> Texts:
    """Seventeen-character vehicle identification numbers, unique per serial."""
    head = np.tile(np.frombuffer(b"LSVAA4187", dtype=np.uint8), (len(serial), 1))
    return texts(np.hstack([head, digits(serial, 8)]))
