"""Who is who: from identities in 48 classes to persons, and from persons to households.

`normalise` makes comparing forms, `passes` links what is certain (most certain first), `spine` keeps persons whose
ids never change meaning, `households` puts persons together, `explain` says why, `evaluation` counts against truth.

The fuzzy engine enters between the passes and the spine: the residue of `passes.decide` (identities that no pass
linked) goes through `blocking` (strict equality keys), `comparison` and `comparators/`, `model`, `scoring` and
`clustering`, and comes back as rows of the same `links` frame. ADR 0003 fixes that seam. Nothing here reads a
department's columns, knows a fact rule, or writes a file.
"""
