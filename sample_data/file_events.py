"""What befalls a delivery as a whole: another encoding, torn lines, moved columns, a spreadsheet that ate the numbers.

Only what happens to which file is settled here; `writing.py` does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from data_contracts.contract import Contract
from sample_data.damage import Damage
from sample_data.odds import chance


@dataclass(frozen=True)
class FileEvents:
    """What happens to one delivery as a whole."""

    encoding: str
    bom: bool = False
    declared_encoding: str | None = None
    mixed_encoding: bool = False
    mojibake: float = 0.0
    control: float = 0.0
    breaks: float = 0.0
    ragged: float = 0.0
    mixed_newlines: bool = False
    repeated_header: bool = False
    total_row: bool = False
    titles: bool = False
    renamed: int | None = None
    """Field (by position) whose header is a listed alias."""
    moved: int | None = None
    """Field (by position) that stands last."""
    spreadsheet: bool = False
    padded: bool = False
    zeros_lost: bool = False
    end_mark: bool = False
    zipped: bool = False
    units_in_header: bool = False
    sent_twice: bool = False


SHOWN = (
    "other_encoding",
    "utf16",
    "mixed_encoding",
    "mojibake",
    "control_characters",
    "breaks_in_quotes",
    "ragged",
    "mixed_newlines",
    "repeated_header",
    "total_row",
    "renamed_column",
    "moved_column",
    "spreadsheet",
    "zipped",
    "units_in_header",
    "sent_twice",
)
"""Events that a sample should show at least once, on its first night."""


def night_events(
    damage: Damage, contracts: list[Contract], batch: date, *, show_all: bool
) -> list[FileEvents]:
    """What befalls the deliveries of a night, one a contract. With `show_all` an event that chance left out hits one."""
    found = [file_events(damage, contract, batch) for contract in contracts]
    if damage.off or not show_all:
        return found
    forced: dict[int, frozenset[str]] = {}
    for event in SHOWN:
        if any(
            file_events(damage, contract, batch, forced.get(i, frozenset()), without=event) != found[i]
            for i, contract in enumerate(contracts)
        ):
            continue
        for i in sorted(
            range(len(contracts)), key=lambda i: chance(damage.seed, contracts[i].id, batch, event)
        ):
            changed = file_events(damage, contracts[i], batch, frozenset({event}))
            if i not in forced and changed != found[i]:
                forced[i], found[i] = frozenset({event}), changed
                break
    return found


def file_events(
    damage: Damage,
    contract: Contract,
    batch: date,
    forced: frozenset[str] = frozenset(),
    without: str | None = None,
) -> FileEvents:
    """What befalls the delivery of a class on a day; the same for the same seed.

    `forced` events happen where the format allows them, `without` does not happen.
    """
    delivery = contract.delivery
    encoding: str = delivery.encoding
    titles = delivery.format == "workbook"
    if damage.off:
        return FileEvents(encoding=encoding, titles=titles, bom=encoding == "utf-8-sig", total_row=titles)
    table = damage.rates["files"]

    def happens(name: str, share: float | None = None) -> bool:
        if name == without:
            return False
        likely = (table[name] if share is None else share) * damage.strength
        return name in forced or chance(damage.seed, contract.id, batch, "file", name) < likely

    text = delivery.format in ("delimited", "fixed_width")
    utf8 = encoding in ("utf-8", "utf-8-sig")
    other = text and happens("other_encoding")
    if other:
        encoding = "gb18030" if utf8 else "utf-8"
    utf8 = encoding in ("utf-8", "utf-8-sig")
    wide = delivery.format == "delimited" and utf8 and happens("utf16")
    if wide:
        encoding, other = "utf-16-le", True
    delimited = delivery.format == "delimited"
    aliased = [i for i, spec in enumerate(contract.fields) if spec.source_aliases]
    renamed = None
    if aliased and delivery.format != "fixed_width" and happens("renamed_column"):
        renamed = aliased[int(chance(damage.seed, contract.id, batch, "which alias") * len(aliased))]
    moved = None
    if delivery.format in ("delimited", "workbook") and happens("moved_column"):
        moved = int(chance(damage.seed, contract.id, batch, "which column") * len(contract.fields))
    return FileEvents(
        encoding=encoding,
        bom=wide or (text and utf8 and (contract.delivery.encoding == "utf-8-sig" or happens("bom"))),
        declared_encoding=delivery.encoding if other else None,
        mixed_encoding=delimited and not wide and happens("mixed_encoding"),
        mojibake=table["mojibake_rows"] / 100 if happens("mojibake") else 0.0,
        control=table["control_rows"] / 100 if text and happens("control_characters") else 0.0,
        breaks=table["break_rows"] / 100
        if delimited and delivery.quoted and happens("breaks_in_quotes")
        else 0.0,
        ragged=table["ragged_rows"] / 100 if delimited and happens("ragged") else 0.0,
        mixed_newlines=delimited and happens("mixed_newlines"),
        repeated_header=delimited and happens("repeated_header"),
        total_row=(delimited and happens("total_row")) or (titles and happens("total_row", 0.6)),
        titles=titles and happens("titles", 0.85),
        renamed=renamed,
        moved=moved,
        spreadsheet=titles
        and contract.id not in damage.rates["spreadsheet_never"]
        and happens("spreadsheet"),
        padded=delimited
        and contract.tier > 1
        and chance(damage.seed, contract.id, "padded") < table["trailing_blanks"] * damage.strength,
        zeros_lost=contract.tier >= 3
        and chance(damage.seed, contract.id, batch, "zeros") < damage.rates["household_zeros"][2] / 100,
        end_mark=text and happens("control_characters"),
        zipped=delimited and happens("zipped"),
        sent_twice=happens("sent_twice"),
        units_in_header=delivery.format in ("delimited", "workbook") and happens("units_in_header"),
    )
