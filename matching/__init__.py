"""Who is who: from identities in 48 classes to persons, and from persons to households; and any two tables.

`normalise` makes comparing forms, `passes` links what is certain (most certain first), `residue` hands what they leave to
the engine, `spine` keeps persons whose ids never change meaning, `households` puts persons together, `explain` says why,
`evaluation` counts against truth.

The engine (`engine.link`) links two sides of `records`, made by `tables` from delivered tables or by `residue` from the
night: `coded` turns them into numbers, `blocking` finds candidates by strict equality keys in stages, `comparison` and
`comparators/` say what agrees and how rare it is, `model` holds the rates, `scoring` weighs a candidate against all
other explanations of a record, `clustering` takes the best link and grades it, `waterfall` puts the reasons into
words. `linking` is the same for any two tables, `duplicates` for one. ADR 3 fixes the seam, ADR 7 the engine. Nothing here
reads a department's columns or knows a fact rule.
"""
