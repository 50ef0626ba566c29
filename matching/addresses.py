"""Places and addresses as comparing forms: the longest known division code, and what is left of the address.

What belongs here is the gazetteer: names of today, old names, codes of the past, and how a text is read by them.
"""

from __future__ import annotations

import polars as pl

FORMS = pl.Schema({"place": pl.String(), "address_key": pl.String()})


def place_forms(divisions: list[pl.Series], addresses: list[pl.Series], height: int) -> pl.DataFrame:
    """`place` and `address_key` for each row, from columns with divisions (codes or names) and with addresses."""
    place = pl.repeat(None, height, dtype=pl.String, eager=True)
    key = pl.repeat(None, height, dtype=pl.String, eager=True)
    for cells in divisions:
        code = cells.str.extract(r"^([1-9][0-9]{11}|[1-9][0-9]{8}|[1-9][0-9]{5}|[1-9][0-9]{3}|[1-9][0-9])$")
        place = place.fill_null(code)
    for cells in addresses:
        key = key.fill_null(cells.str.replace_all(r"\s", ""))
    return pl.DataFrame({"place": place, "address_key": key}, schema=FORMS)
