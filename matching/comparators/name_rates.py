"""The ways a name goes wrong, and how often each does, by the kind of source: where estimation begins.

`RATES`, prior of the estimation, from the error rates D3 (with D1, A2, A5) of the reference data's documentation. Rates of
character errors are taken as they stand; what D3 gives for holders only (long names, dotted names, rare characters) is
multiplied by their share among all people, which is assumed. Figures below are percent of records with a name, for the
four tiers of sources.
"""

from __future__ import annotations

TIERS = {1: "live-checked register", 2: "checked at the counter", 3: "imported list", 4: "keyed from paper"}

MINORITY_NAMES = 0.03
"""Share of people whose name is written by sound (Mongolian, Uyghur, Kazakh, Tibetan ...); assumed."""
DOTTED_NAMES = 0.01
"""Share of people with a father's name behind a dot (about 10 million of 1.4 billion, D: A2)."""
MAYBE_SURNAMED = 0.02
"""Share of people who carry a Han surname in one register and none in another (Mongolian, Tibetan, Yi); assumed."""
RARE_CHARACTERS = 0.003
"""Share of people with a character that old systems cannot store (D: A5)."""
LONG_NAMES = 0.01
"""Share of people whose name is longer than a field; assumed."""

_ERRORS: dict[str, tuple[float, float, float, float]] = {
    # D3: homophone, near sound, look-alike.
    "sound": (0.05, 0.35, 1.0, 1.8),
    "near_sound": (0.01, 0.10, 0.3, 0.6),
    "shape": (0.03, 0.20, 0.6, 1.5),
    # D1: 15 of 100 errors are neither, of which D3 counts swaps, drops and inserts apart.
    "other": (0.005, 0.04, 0.1, 0.3),
    # D3: swap, drop, insert a character, a third each.
    "swap": (0.0034, 0.033, 0.083, 0.166),
    "drop": (0.0033, 0.034, 0.084, 0.167),
    "insert": (0.0033, 0.033, 0.083, 0.167),
    # Two errors at once: some four times what independence gives, since errors come together (D1, correlated errors).
    "two": (0.001, 0.006, 0.1, 0.4),
    # D3: rare character lost, by holders; pinyin 20 of 100; ?, box, private use or description 60 of 100.
    "pinyin": tuple(r * RARE_CHARACTERS * 0.2 for r in (2, 15, 40, 70)),  # type: ignore[dict-item]
    "wildcard": tuple(r * RARE_CHARACTERS * 0.6 for r in (2, 15, 40, 70)),  # type: ignore[dict-item]
    # D3: spelling variants, by holders.
    "spelling": tuple(r * MINORITY_NAMES for r in (1, 5, 12, 25)),  # type: ignore[dict-item]
    # D3: order reversed, father's part dropped, by holders, half each.
    "order": tuple(r * DOTTED_NAMES / 2 for r in (0.2, 1, 3, 6)),  # type: ignore[dict-item]
    "part": tuple(r * DOTTED_NAMES / 2 for r in (0.2, 1, 3, 6)),  # type: ignore[dict-item]
    # D3: cut at 4, 5, 8 characters or 20 bytes, of names that are longer.
    "cut": tuple(r * LONG_NAMES for r in (0, 0.5, 3, 3)),  # type: ignore[dict-item]
    # D3: Han surname added or missing, by holders.
    "surname_added": tuple(r * MAYBE_SURNAMED for r in (0.2, 1, 3, 5)),  # type: ignore[dict-item]
    # Written in Latin letters; assumed. A source that is all Latin shows in the estimate.
    "latin": (0.0, 0.002, 0.01, 0.01),
    # D3: former name not updated, note or newborn where a name should stand.
    "none": (0.01, 0.3, 0.6, 1.0),
}

KINDS = ("exact", *_ERRORS)
KIND = {kind: number for number, kind in enumerate(KINDS)}
NONE = KIND["none"]

RATES: dict[int, dict[str, float]] = {
    tier: {"exact": 1 - sum(r[tier - 1] for r in _ERRORS.values()) / 100}
    | {kind: r[tier - 1] / 100 for kind, r in _ERRORS.items()}
    for tier in TIERS
}
"""Share of records by tier and kind; each tier sums to 1."""

TYPICAL = RATES[3]
"""Rates by which the best kind of a pair is chosen. Rates of a model differ by so little that the choice stays."""
