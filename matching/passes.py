"""The deterministic passes, most certain first: which identity is certainly which person of the spine.

A pass links a key that is unique on both sides and that no veto speaks against; what is tied stays for the fuzzy
engine. A number that agrees under a name that does not goes to the conflict queue, never to a link. Numbers are
strong but not unique keys, and on children's and farm rows they are often a relative's: without the name there is
no link. Two different valid numbers are never one person.

`decide` is a pure function of identities and human decisions. Ids of persons, and time, belong in `spine`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from data_contracts import opaque, resident_id

REGISTER = "ps_resident"
"""The class that says who is registered: the backbone of the spine."""

EVENTS = "ps_hukou_event"
"""The only class that says which number replaced which, and which name replaced which."""

ROUNDS_OF_RENUMBERING = 6
"""A person whose number changed more often than this keeps the last number that was reached."""

LONGEST_COMPARED_NAME = 16
"""Characters compared position by position; longer names are compared as a whole only."""

ROLE_SEX = {"father": "1", "mother": "2"}
"""Roles that imply a sex, for numbers that come without a name."""

DIGITS_A_SLIP_CAN_SPOIL = 2
"""A number that fails its check character may be this far from the person's own; further is somebody else's."""

VISIBLE_DIGITS = 8
"""A masked number with fewer digits to be seen (GB 11643: 6 division, 8 birth date) says too little."""

YEARS_OF_AGE = 2
"""A stated age may be this far from the age by birth date: nominal ages (虚岁) are up to two years higher."""


@dataclass(frozen=True)
class Pass:
    """One rule for a link: `id`, `grade` (A certain, B strong, C to be reviewed) and why, in Chinese."""

    id: str
    grade: str
    reason_zh: str


_LEVELS_ZH = {
    "exact": "姓名一致",
    "folded": "姓名写法不同但为同一姓名（繁简、异体、间隔号或空格）",
    "alias": "姓名与登记的曾用名或别名一致",
    "sound": "姓名读音相同，出生日期和性别无矛盾",
    "parts": "姓名各部分相同但次序不同",
    "order": "姓名用字相同但次序不同",
    "added_birth": "姓名多一字或少一字，出生日期一致",
    "added": "姓名多一字或少一字，须人工确认",
    "cut": "姓名较长，一方只记了前一部分",
    "wild": "姓名有一字缺失或不可识别，其余各字一致",
    "wild_birth": "姓名仅姓可辨，出生日期一致",
    "wild_surname": "姓名仅姓可辨，须人工确认",
    "one_birth": "姓名有一字不同，出生日期一致",
    "one": "姓名有一字不同，须人工确认",
}
_ROUTES = {
    # route: pass of an identical name, of other names, what agrees, grade by level
    "own": ("P1", "P2", "公民身份号码一致", {"exact": "A", "folded": "A", "alias": "A"}),
    "15": ("P3", "P3", "15位号码与18位号码对应", {"exact": "A"}),
    "old": ("PE", "PE", "原号码经户籍变动登记对应现号码", {"exact": "A", "folded": "A", "alias": "A"}),
    "foreign": ("PF", "PF", "证件号码一致（非居民身份证）", {}),
}
BY_EVIDENCE = ("PR", "P4", "P5", "P6", "P7")
"""Passes for records without a usable number: what they link does not prove anything about others."""

_REVIEW_LEVELS = ("wild_surname", "one", "added")
_SAME_NAME = ("exact", "folded", "alias")
"""Levels at which the name of the holder is meant; all others could be a relative's name."""

_DOUBTS_ZH = {
    # What keeps a number under the same name from being certain. The first that holds is said.
    "shared": "但户籍登记中另有一人使用该号码",
    "contra": "但出生日期或性别与号码不符",
    "rival": "但附近另有同名的登记人员",
}


def _passes() -> dict[str, Pass]:
    found = [Pass("H", "A", "经工作人员确认为同一人。")]
    for exact, other, agrees, grades in _ROUTES.values():
        for level, said in _LEVELS_ZH.items():
            identifier = exact if level == "exact" else f"{other}-{level}"
            grade = grades.get(level, "C" if level in _REVIEW_LEVELS else "B")
            found.append(Pass(identifier, grade, f"{agrees}，{said}。"))
            if level in _SAME_NAME:
                found += [
                    Pass(f"{identifier}-{doubt}", "B", f"{agrees}，{said}，{but}。")
                    for doubt, but in _DOUBTS_ZH.items()
                ]
    found += [
        Pass("P0", "A", "公安登记的亲属号码一致，该栏不记姓名。"),
        Pass("P0-other", "B", "公民身份号码一致，该栏不记姓名。"),
        Pass("P0-newborn", "B", "公民身份号码和出生日期一致，登记时尚未取名。"),
        Pass("PS", "A", "本人户籍登记，临时编号（号码缺失、校验不符、与登记内容不符或与他人重号）。"),
        Pass("PX", "B", "登记号码（校验不符或有重号）相同，姓名一致。"),
        Pass("PR", "B", "号码不完整或校验不符，与该人号码仅差一处或可见数字全部一致，姓名一致。"),
        Pass("P4", "B", "姓名、出生日期、联系电话一致，性别无矛盾，且仅此一人。"),
        Pass("P5", "B", "姓名、出生日期和村（居）或户号一致，该姓名在本乡镇仅此一人。"),
        Pass("P6", "B", "姓名和联系电话一致，性别、出生日期、年龄无矛盾，且仅此一人。"),
        Pass("P7", "C", "姓名和村（居）一致，该姓名在本乡镇仅此一人，须人工确认。"),
        Pass("MB", "B", "多项信息综合比对，指向同一人，明显强于其他人员。"),
        Pass("MC", "C", "多项信息综合比对，可能为同一人，须人工确认。"),
        Pass(
            "T1",
            "B",
            "无可用号码的暂定人员：不同来源的姓名、出生日期一致，并有电话或同行亲属一致，无矛盾。",
        ),
        Pass(
            "T1-near",
            "D",
            "无可用号码的暂定人员：不同来源的姓名、出生日期一致，并有电话或同行亲属一致；"
            "但户籍登记中有性别、乡镇无矛盾的同日出生人员，可能即为该人（如曾用名），尚待确认。",
        ),
        Pass("T2", "D", "无可用号码的暂定人员：不同来源的姓名一致，并有其他信息一致，无矛盾；尚待确认。"),
        Pass("T0", "D", "无可用号码的暂定人员：仅此一条记录，所述不足以对应到现有人员，尚待确认。"),
    ]
    return {p.id: p for p in found}


PASSES: dict[str, Pass] = _passes()
"""Every pass by id. A newcomer adds a pass here and in `decide`; `explain` reads its sentence from here."""

CONFLICTS_ZH = {
    "name_and_birth_or_sex": "公民身份号码相同，但姓名不同，且出生日期或性别矛盾：可能是他人的号码。",
    "name": "公民身份号码相同，但姓名不同：可能是亲属的号码或未登记的改名。",
    "newborn": "公民身份号码相同，但为未取名新生儿，出生日期与号码不符：可能是父母的号码。",
    "role_sex": "号码登记为父亲或母亲，但号码中的性别相反。",
    "birth_and_sex": "公民身份号码相同，但出生日期和性别均与号码不符：可能是他人的号码。",
    "unknown_holder": "出生日期或性别与号码不符，且号码持有人未见登记：可能是他人的号码。",
    "registered_namesake": "公民身份号码相同，姓名仅相近，另有同名的登记人员与其同户、同村或同日出生：可能是亲属的号码。",
    "shared_number": "户籍登记中两人使用同一公民身份号码。",
    "shared_unclear": "户籍登记中两人使用该公民身份号码，不能确定是哪一人。",
}


@dataclass(frozen=True)
class Decided:
    """What the passes made of a set of identities.

    `links`: identity_key, node, pass_id, grade. `conflicts`: identity_key, node, kind. `nodes`: node, name_key,
    person_name, birth, sex, is_registered. `counts`: what (pass, tie or veto), identities. A node is the text that
    names a person of the spine before it has an id: its valid number, "F:" and a foreign document, "R:" and a hash.
    """

    links: pl.DataFrame
    conflicts: pl.DataFrame
    nodes: pl.DataFrame
    counts: pl.DataFrame


LINK_SCHEMA = pl.Schema(
    {"identity_key": pl.String(), "node": pl.String(), "pass_id": pl.String(), "grade": pl.String()}
)
CONFLICT_SCHEMA = pl.Schema({"identity_key": pl.String(), "node": pl.String(), "kind": pl.String()})


def _link(frame: pl.DataFrame, pass_id: str) -> pl.DataFrame:
    return frame.select(
        "identity_key",
        "node",
        pl.lit(pass_id).alias("pass_id"),
        pl.lit(PASSES[pass_id].grade).alias("grade"),
    )


def renumbered(forms: pl.DataFrame) -> pl.DataFrame:
    """Official replacements of numbers: `old`, `new`, `name_key` under which the replacement holds.

    The name counts because numbers were changed to end a sharing: the old number may still be somebody's.
    """
    events = forms.filter(
        (pl.col("source_class") == EVENTS)
        & pl.col("id_key").is_not_null()
        & pl.col("former_id_key").is_not_null()
        & (pl.col("id_key") != pl.col("former_id_key"))
    ).select(
        pl.col("former_id_key").alias("old"), pl.col("id_key").alias("new"), "name_key", "former_name_key"
    )
    stated = pl.concat(
        [
            events.select("old", "new", "name_key"),
            events.select("old", "new", pl.col("former_name_key").alias("name_key")),
        ]
    )
    holders = forms.filter(
        (pl.col("source_class") == REGISTER) & pl.col("id_key").is_in(events["new"].implode())
    )
    known = pl.concat(
        [
            holders.select("id_key", "name_key"),
            holders.select("id_key", pl.col("former_name_key").alias("name_key")),
        ]
    )
    registered = events.select("old", "new").join(known, left_on="new", right_on="id_key")
    return pl.concat([stated, registered]).drop_nulls().unique().sort("old", "new", "name_key")


def effective_ids(forms: pl.DataFrame) -> pl.DataFrame:
    """Identities with a usable number: `identity_key`, `node` (the number that is current today), `route`.

    A number is replaced by its successor only under a name for which the police registered the replacement and only
    if there is exactly one successor. Chains are followed; a chain that comes back to itself is not followed at all.
    """
    numbered = forms.filter(pl.col("id_key").is_not_null())
    events = renumbered(forms)
    route = (
        pl.when(pl.col("node") != pl.col("id_key"))
        .then(pl.lit("old"))
        .when(pl.col("id_kind") == "valid15")
        .then(pl.lit("15"))
        .when(pl.col("id_kind") == "foreign")
        .then(pl.lit("foreign"))
        .otherwise(pl.lit("own"))
    )
    start = numbered.select(
        "identity_key", "id_key", "id_kind", "name_key", "source_class", pl.col("id_key").alias("node")
    )
    if events.is_empty():
        return start.with_columns(route.alias("route")).select("identity_key", "node", "route")
    concerned = start["id_key"].is_in(events["old"].implode())
    rest, moving = start.filter(~concerned), start.filter(concerned)

    by_name = events.group_by("old", "name_key").agg(
        pl.col("new").first().alias("_next"), pl.col("new").n_unique().alias("_ways")
    )
    by_name = by_name.filter(pl.col("_ways") == 1).drop("_ways")
    # A number without a name moves on only when nobody named is left behind under it in the register.
    left_behind = (
        moving.filter((pl.col("source_class") == REGISTER) & pl.col("name_key").is_not_null())
        .join(by_name, left_on=["node", "name_key"], right_on=["old", "name_key"], how="anti")
        .get_column("node")
    )
    nameless = (
        events.group_by("old")
        .agg(pl.col("new").first().alias("_next_nameless"), pl.col("new").n_unique().alias("_ways"))
        .filter((pl.col("_ways") == 1) & ~pl.col("old").is_in(left_behind.implode()))
        .drop("_ways")
    )
    visited = moving.select("identity_key", "node")
    for _ in range(ROUNDS_OF_RENUMBERING):
        moving = (
            moving.join(by_name, left_on=["node", "name_key"], right_on=["old", "name_key"], how="left")
            .join(nameless, left_on="node", right_on="old", how="left")
            .with_columns(
                pl.when(pl.col("name_key").is_null())
                .then(pl.coalesce("_next_nameless", "node"))
                .otherwise(pl.coalesce("_next", "node"))
                .alias("_to")
            )
        )
        steps = moving.filter(pl.col("_to") != pl.col("node")).select(
            "identity_key", pl.col("_to").alias("node")
        )
        if steps.is_empty():
            break
        circles = steps.join(visited, on=["identity_key", "node"], how="semi").get_column("identity_key")
        visited = pl.concat([visited, steps])
        in_circle = pl.col("identity_key").is_in(circles.implode())
        moving = moving.with_columns(
            pl.when(in_circle).then("id_key").otherwise("_to").alias("node"),
            # Nothing is known under this name any more: the identity stays where it is.
            pl.when(in_circle).then(pl.lit("\x00")).otherwise("name_key").alias("name_key"),
        ).drop("_next", "_next_nameless", "_to")
    return (
        pl.concat([rest, moving.select(start.columns)])
        .with_columns(route.alias("route"))
        .select("identity_key", "node", "route")
    )


def _contradictions() -> tuple[pl.Expr, pl.Expr]:
    """Whether the stated birth date, and the stated sex, are others than those in the number (`node`).

    Numbers were replaced because they were wrong: who states what the number said that stood in the row agrees.
    """
    own_birth = pl.when(pl.col("birth_basis") == "resident_id").then("birth")
    birth, sex = resident_id.birth_date_of(pl.col("node")), resident_id.sex_of(pl.col("node"))
    stated = pl.col("birth_stated")
    return (
        ((stated != birth) & stated.ne_missing(own_birth)).fill_null(False),
        ((pl.col("sex") != sex) & pl.col("sex").ne_missing(pl.col("id_sex"))).fill_null(False),
    )


def _near_namesakes(pairs: pl.DataFrame, registered: pl.DataFrame) -> pl.Series:
    """Identities (`identity_key`) whose name is exactly that of somebody else on the register nearby.

    Nearby: the register book, village or birth date of the row or of the number's holder (suffix `_n`). `registered`
    are the rows of the register with `_holder`, the node of their number if they have one. Sound-alike brothers and
    sisters, twins, a daughter whose name sounds like her father's: her own record says that she is meant.
    """
    found = []
    for theirs, ours in (
        ("household_key", "household_key"),
        ("household_key", "household_key_n"),
        ("village_code", "village_code"),
        ("village_code", "village_code_n"),
        ("birth", "birth_stated"),
        ("birth", "birth_n"),
    ):
        found.append(
            pairs.select("identity_key", "node", "name_key", pl.col(ours).alias("_near"))
            .drop_nulls()
            .join(
                registered.select("name_key", pl.col(theirs).alias("_near"), "_holder"),
                on=["name_key", "_near"],
            )
            .filter(pl.col("_holder").ne_missing(pl.col("node")))
            .get_column("identity_key")
        )
    return pl.concat(found).unique()


def _anchors(numbered: pl.DataFrame) -> pl.DataFrame:
    """The identity that says what the holder of each number is called.

    The register outranks all; within it the row seen last. For people who are not on the register: the best source
    tier, then the name that most classes give, then the one seen first. Whoever contradicts the number's own birth date
    or sex does not speak for its holder (children's and farm rows carry a relative's number); the register may be wrong
    in one of the two.
    """
    named = numbered.filter(pl.col("name_key").is_not_null() & ~pl.col("is_moved"))
    born, sex = _contradictions()
    registered = (
        named.filter((pl.col("source_class") == REGISTER) & ~(born & sex))
        .sort("node", "last_batch", "first_batch", "identity_key", descending=[False, True, True, False])
        .unique("node", keep="first", maintain_order=True)
    )
    others = named.filter(~born & ~sex).join(registered, on="node", how="anti")
    support = others.group_by("node", "name_key").agg(pl.col("source_class").n_unique().alias("_classes"))
    others = (
        others.join(support, on=["node", "name_key"])
        .sort(
            "node",
            "tier",
            "_classes",
            "first_batch",
            "name_key",
            "identity_key",
            descending=[False, False, True, False, False, False],
        )
        .unique("node", keep="first", maintain_order=True)
    )
    columns = [
        "node",
        "identity_key",
        "source_class",
        "person_name",
        "name_key",
        "name_parts",
        "name_sounds",
        "name_has_wildcard",
        "former_name_key",
        "name_aliases",
        "birth_stated",
        "village_code",
        "household_key",
    ]
    return pl.concat([registered.select(columns), others.select(columns)])


def _further_names(numbered: pl.DataFrame, anchors: pl.DataFrame) -> pl.DataFrame:
    """Former names and aliases of each node: `node`, `key`. Only what is said beside the name of the anchor counts."""
    main = anchors.select("node", pl.col("name_key").alias("_main"))
    beside = numbered.filter(
        pl.col("former_name_key").is_not_null() | (pl.col("name_aliases").list.len() > 0)
    ).join(main, on="node")
    same = beside.filter(
        (pl.col("name_key") == pl.col("_main")) | (pl.col("former_name_key") == pl.col("_main"))
    )
    return (
        pl.concat(
            [
                same.select("node", pl.col("former_name_key").alias("key")),
                same.filter(pl.col("source_class") == EVENTS).select("node", pl.col("name_key").alias("key")),
                same.select("node", pl.col("name_aliases").alias("key")).explode("key"),
            ]
        )
        .drop_nulls()
        .unique()
    )


def _name_levels(pairs: pl.DataFrame, further: pl.DataFrame) -> pl.DataFrame:
    """Adds `level`: how the name of an identity agrees with the name of the holder of its number; null if it does not.

    `pairs` has the name columns of the identity and those of the anchor with the suffix `_n`.
    """
    said = pl.concat(
        [
            pairs.select("identity_key", "node", pl.col("name_key").alias("key")),
            pairs.select("identity_key", "node", pl.col("former_name_key").alias("key")),
            pairs.select("identity_key", "node", pl.col("name_aliases").alias("key")).explode("key"),
        ]
    ).drop_nulls()
    known = pl.concat([further, pairs.select("node", pl.col("name_key_n").alias("key")).unique()])
    aliases = said.join(known, on=["node", "key"], how="semi").select("identity_key").unique()

    left, right = pl.col("name_key"), pl.col("name_key_n")
    same, hidden = pl.lit(0), pl.lit(0)
    for position in range(LONGEST_COMPARED_NAME):
        a, b = left.str.slice(position, 1), right.str.slice(position, 1)
        inside = a != ""
        lost = (a == "?") | (b == "?")
        same += (inside & (a == b) & ~lost).cast(pl.Int32)
        hidden += (inside & lost).cast(pl.Int32)
    length, other = left.str.len_chars(), right.str.len_chars()
    even = (length == other) & (length <= LONGEST_COMPARED_NAME)
    shorter, longer = pl.min_horizontal(length, other), pl.max_horizontal(length, other)
    born = pl.col("birth_agrees").fill_null(False)
    letters = {"_letters": left, "_letters_n": right}
    fronts = [left.str.slice(0, n) == right.str.slice(0, n) for n in range(1, LONGEST_COMPARED_NAME)]
    backs = [left.str.tail(n) == right.str.tail(n) for n in range(1, LONGEST_COMPARED_NAME)]
    pairs = pairs.with_columns(
        same.alias("_same"),
        hidden.alias("_hidden"),
        *(name.str.split("").list.sort().list.join("").alias(alias) for alias, name in letters.items()),
        # Characters that agree from the front and from the back, as far as the shorter name goes.
        pl.sum_horizontal((e & (shorter >= n)).cast(pl.Int32) for n, e in enumerate(fronts, 1)).alias(
            "_front"
        ),
        pl.sum_horizontal((e & (shorter >= n)).cast(pl.Int32) for n, e in enumerate(backs, 1)).alias("_back"),
    )
    one_more = (
        (longer == shorter + 1)
        & (shorter >= 2)
        & (pl.col("_hidden") == 0)
        & (pl.col("_front") + pl.col("_back") >= shorter)
    )
    whole = even & (pl.col("_same") + pl.col("_hidden") == length)
    return pairs.with_columns(
        pl.when(left == right)
        .then(pl.lit("folded"))
        .when(pl.col("identity_key").is_in(aliases["identity_key"].implode()))
        .then(pl.lit("alias"))
        .when(
            (pl.col("_hidden") == 0)
            & (pl.col("name_sounds").list.set_intersection("name_sounds_n").list.len() > 0)
        )
        .then(pl.lit("sound"))
        .when(pl.col("name_parts") == pl.col("name_parts_n"))
        .then(pl.lit("parts"))
        .when(even & (pl.col("_letters") == pl.col("_letters_n")))
        .then(pl.lit("order"))
        .when(whole & (pl.col("_hidden") > 0) & (pl.col("_same") >= 2))
        .then(pl.lit("wild"))
        .when(whole & (pl.col("_hidden") > 0) & (pl.col("_same") >= 1) & born)
        .then(pl.lit("wild_birth"))
        .when(whole & (pl.col("_hidden") > 0) & (pl.col("_same") >= 1))
        .then(pl.lit("wild_surname"))
        .when((shorter >= 3) & (longer >= 5) & (left.str.starts_with(right) | right.str.starts_with(left)))
        .then(pl.lit("cut"))
        .when(even & (length >= 3) & (pl.col("_hidden") == 0) & (pl.col("_same") == length - 1) & born)
        .then(pl.lit("one_birth"))
        .when(even & (length >= 3) & (pl.col("_hidden") == 0) & (pl.col("_same") == length - 1))
        .then(pl.lit("one"))
        .when(one_more & born)
        .then(pl.lit("added_birth"))
        .when(one_more)
        .then(pl.lit("added"))
        .alias("level")
    ).drop("_same", "_hidden", "_letters", "_letters_n", "_front", "_back")


def _pass_of(route: pl.Expr, level: pl.Expr) -> pl.Expr:
    exact = route.replace_strict({r: v[0] for r, v in _ROUTES.items()}, return_dtype=pl.String)
    other = route.replace_strict({r: v[1] for r, v in _ROUTES.items()}, return_dtype=pl.String)
    return pl.when(level == "exact").then(exact).otherwise(other + "-" + level)


def _grade_of(pass_id: pl.Expr) -> pl.Expr:
    return pass_id.replace_strict({p.id: p.grade for p in PASSES.values()}, return_dtype=pl.String)


def _by_number(
    forms: pl.DataFrame, numbered: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Links, conflicts and nodes from numbers: P0 to P3."""
    anchors = _anchors(numbered)
    further = _further_names(numbered, anchors)
    nodes = (
        numbered.select("node")
        .unique()
        .join(anchors, on="node", how="left")
        .with_columns(
            pl.coalesce(resident_id.birth_date_of(pl.col("node")), "birth_stated").alias("birth"),
            resident_id.sex_of(pl.col("node")).alias("sex"),
            (pl.col("source_class") == REGISTER).fill_null(False).alias("is_registered"),
        )
    )
    birth_differs, sex_differs = _contradictions()
    compared = numbered.join(
        nodes.select(
            "node",
            pl.col("person_name").alias("person_name_n"),
            pl.col("birth").alias("birth_n"),
            pl.col("sex").alias("sex_n"),
        ),
        on="node",
    ).with_columns(
        (pl.col("birth_stated") == pl.col("birth_n")).alias("birth_agrees"),
        # Where the number says nothing (foreign documents) the birth date that the holder states is compared.
        pl.when(resident_id.birth_date_of(pl.col("node")).is_null())
        .then((pl.col("birth_stated") != pl.col("birth_n")).fill_null(False))
        .otherwise(birth_differs)
        .alias("birth_differs"),
        sex_differs.alias("sex_differs"),
    )
    forced = compared.filter("is_forced")
    compared = compared.filter(~pl.col("is_forced"))
    nameless = compared.filter(pl.col("name_key").is_null())
    named = compared.filter(pl.col("name_key").is_not_null())
    # Everybody named under the number contradicts it: its holder is somebody else, who is not here.
    holderless = named.join(anchors, on="node", how="anti")
    named = named.join(anchors.select("node"), on="node", how="semi")
    same_text = (pl.col("person_name") == pl.col("person_name_n")).fill_null(False)
    exact = named.filter(same_text).with_columns(pl.lit("exact").alias("level"))
    rest = _name_levels(
        named.filter(~same_text).join(
            anchors.select(
                "node",
                *(
                    pl.col(c).alias(f"{c}_n")
                    for c in ("name_key", "name_parts", "name_sounds", "village_code", "household_key")
                ),
            ),
            on="node",
        ),
        further,
    )
    contradicted = pl.col("birth_differs") | pl.col("sex_differs")
    both_differ = pl.col("birth_differs") & pl.col("sex_differs")
    by_register = (pl.col("source_class") == REGISTER) & (pl.col("route") != "old")
    # A name that is the same but for its spelling outweighs a wrong birth date (0.6 % of rows of imported lists), or a
    # wrong sex, though not both; anything weaker outweighs neither.
    same_name = pl.col("level").is_in(_SAME_NAME)
    refused_by_holder = (
        pl.when(same_name & both_differ)
        .then(pl.lit("birth_and_sex"))
        .when((pl.col("level").is_null() | (~same_name & contradicted)) & by_register)
        .then(pl.lit("shared_number"))
        .when(~same_name & contradicted)
        .then(pl.lit("name_and_birth_or_sex"))
        .when(pl.col("level").is_null() & contradicted)
        .then(pl.lit("name_and_birth_or_sex"))
        .when(pl.col("level").is_null())
        .then(pl.lit("name"))
        .alias("kind")
    )
    exact, rest = exact.with_columns(refused_by_holder), rest.with_columns(refused_by_holder)
    shared = rest.filter(pl.col("kind") == "shared_number")["node"].unique()
    is_shared = pl.col("node").is_in(shared.implode())
    near = _near_namesakes(
        rest.filter(pl.col("kind").is_null() & (pl.col("level") != "folded") & ~by_register),
        forms.filter((pl.col("source_class") == REGISTER) & pl.col("name_key").is_not_null())
        .join(numbered.select("identity_key", pl.col("node").alias("_holder")), on="identity_key", how="left")
        .select("name_key", "household_key", "village_code", "birth", "_holder"),
    )
    is_near = pl.col("identity_key").is_in(near.implode())
    rest = rest.with_columns(
        pl.when(pl.col("kind").is_null() & ~same_name & is_shared)
        .then(pl.lit("shared_unclear"))
        .when(pl.col("kind").is_null() & ~same_name & is_near)
        .then(pl.lit("registered_namesake"))
        .otherwise("kind")
        .alias("kind")
    )
    doubt = (
        pl.when(is_shared)
        .then(pl.lit("-shared"))
        .when(contradicted)
        .then(pl.lit("-contra"))
        .when(is_near)
        .then(pl.lit("-rival"))
        .otherwise(pl.lit(""))
    )
    settled = pl.concat(
        [
            f.select("identity_key", "node", "route", "level", "kind", "birth_differs", "sex_differs")
            for f in (exact, rest)
        ]
    )
    agreed = settled.filter(pl.col("kind").is_null()).select(
        "identity_key",
        "node",
        (
            _pass_of(pl.col("route"), pl.col("level")) + pl.when(same_name).then(doubt).otherwise(pl.lit(""))
        ).alias("pass_id"),
    )
    refused = pl.concat(
        [
            settled.filter(pl.col("kind").is_not_null()).select("identity_key", "node", "kind"),
            holderless.select(
                "identity_key",
                "node",
                pl.when(both_differ)
                .then(pl.lit("birth_and_sex"))
                .otherwise(pl.lit("unknown_holder"))
                .alias("kind"),
            ),
        ]
    )
    implied = pl.col("role").replace_strict(ROLE_SEX, default=None, return_dtype=pl.String)
    nameless = nameless.with_columns(
        pl.when((implied != pl.col("sex_n")).fill_null(False))
        .then(pl.lit("role_sex"))
        .when(pl.col("name_is_newborn").fill_null(False) & ~pl.col("birth_agrees").fill_null(False))
        .then(pl.lit("newborn"))
        .when(contradicted)
        .then(pl.lit("name_and_birth_or_sex"))
        .when(is_shared)
        .then(pl.lit("shared_unclear"))
        .alias("kind")
    )
    without_name = nameless.filter(pl.col("kind").is_null()).select(
        "identity_key",
        "node",
        pl.when(pl.col("name_is_newborn").fill_null(False))
        .then(pl.lit("P0-newborn"))
        # The police's columns of relatives have no names; one's own row without a name is a damaged row.
        .when((pl.col("tier") == 1) & (pl.col("role") != "self"))
        .then(pl.lit("P0"))
        .otherwise(pl.lit("P0-other"))
        .alias("pass_id"),
    )
    links = pl.concat(
        [agreed, without_name, forced.select("identity_key", "node", pl.lit("H").alias("pass_id"))]
    ).with_columns(_grade_of(pl.col("pass_id")).alias("grade"))
    # A node that nobody is linked to (all its numbers are contradicted relatives' numbers) is no person.
    nodes = nodes.join(links, on="node", how="semi")
    conflicts = pl.concat(
        [refused, nameless.filter(pl.col("kind").is_not_null()).select("identity_key", "node", "kind")]
    )
    return (
        links,
        conflicts,
        nodes.select("node", "name_key", "person_name", "birth", "sex", "is_registered"),
    )


def own_nodes(rows: pl.DataFrame, key: opaque.Key) -> pl.DataFrame:
    """Nodes for register rows without a number of their own: `identity_key`, `node`.

    A node is the opaque id, under the key of the deployment, of what does not change when the person moves house
    within the register: number as delivered, name, birth.
    """
    text = pl.concat_str(
        *(pl.col(c).cast(pl.String).fill_null("") for c in ("resident_id", "name_key", "birth")),
        pl.when(pl.col("resident_id").is_null())
        .then(pl.col("household_key").fill_null(""))
        .otherwise(pl.lit("")),
        separator="|",
    )
    keyed = rows.select("identity_key", text.alias("_text"))
    distinct = keyed.select(pl.col("_text").unique().sort())
    hashed = distinct.with_columns(
        pl.Series("node", [f"R:{key.opaque(text)}" for text in distinct["_text"]], dtype=pl.String)
    )
    return keyed.join(hashed, on="_text").select("identity_key", "node")


def _positions_apart(other: str) -> tuple[pl.Expr, pl.Expr]:
    """Visible positions in which an 18-character number differs from `other`, and how many are visible."""
    distance, visible = pl.lit(0), pl.lit(0)
    for position in range(18):
        digit = pl.col("resident_id").str.slice(position, 1)
        shown = ~digit.is_in(["*", "?"])
        visible += shown.cast(pl.Int32)
        distance += (shown & (digit != pl.col(other).str.slice(position, 1))).cast(pl.Int32)
    return distance, visible


def _speaks_against(candidates: pl.DataFrame, today: pl.Expr) -> pl.Expr:
    """Veto: sex, birth date, age or a spoiled number contradict the candidate. Silence is no contradiction."""
    distance, _ = _positions_apart("node")
    comparable = (pl.col("resident_id").str.len_chars() == 18) & pl.col("node").str.contains(r"^[0-9]")
    allowed = pl.when(pl.col("id_kind") == "masked").then(0).otherwise(DIGITS_A_SLIP_CAN_SPOIL)
    age = (today - pl.col("birth_n")).dt.total_days() / 365.25
    return (
        (pl.col("sex") != pl.col("sex_n")).fill_null(False)
        | (pl.col("birth_stated") != pl.col("birth_n")).fill_null(False)
        | ((pl.col("age") - age).abs() > YEARS_OF_AGE).fill_null(False)
        | (comparable & (distance > allowed)).fill_null(False)
    )


def _one_slip_apart(residue: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """Candidates whose number is one slip from a spoiled one, or fits a masked one, under the same name.

    The check character finds every single slip, so a spoiled number is a question, not a contradiction. One wrong
    digit, a swap, a lost or an added digit leaves one half of the number as it was: an equality join on the name and
    either half finds them all but swaps across the middle; masked numbers are joined on the name and the division.
    """
    spoiled = residue.filter(pl.col("resident_id").str.len_chars().is_between(17, 19))
    numbered = targets.filter(pl.col("node").str.contains(r"^[0-9]"))
    masked = spoiled.filter((pl.col("id_kind") == "masked") & (pl.col("resident_id").str.len_chars() == 18))
    whole = spoiled.filter(pl.col("id_kind") == "invalid")
    halves = []
    for frame, cut in ((whole, "left"), (whole, "right"), (masked, "division")):

        def half(column: str, cut: str = cut) -> pl.Expr:
            text = pl.col(column)
            if cut == "right":
                return text.str.tail(8)
            return text.str.head(8 if cut == "left" else 6)

        halves.append(
            frame.with_columns(half("resident_id").alias("_half"))
            .join(numbered.with_columns(half("node").alias("_half")), on=["name_key", "_half"])
            .drop("_half")
        )
    candidates = pl.concat(halves).unique(["identity_key", "node"], maintain_order=True)
    distance, visible = _positions_apart("node")
    length = pl.col("resident_id").str.len_chars()
    given, known = pl.col("resident_id"), pl.col("node")
    ends = candidates.with_columns(
        *((given.str.slice(n, 1) == known.str.slice(n, 1)).alias(f"_f{n}") for n in range(18)),
        *((given.str.slice(-1 - n, 1) == known.str.slice(-1 - n, 1)).alias(f"_b{n}") for n in range(18)),
    ).select(
        # How many characters agree from the front, and from the back.
        pl.sum_horizontal(pl.all_horizontal(f"_f{i}" for i in range(n + 1)) for n in range(18)).alias(
            "_front"
        ),
        pl.sum_horizontal(pl.all_horizontal(f"_b{i}" for i in range(n + 1)) for n in range(18)).alias(
            "_back"
        ),
    )
    candidates = candidates.hstack(ends.cast(pl.Int32))
    swapped = pl.any_horizontal(
        (pl.col("_front") == n)
        & (pl.col("_back") == 16 - n)
        & (given.str.slice(n, 1) == known.str.slice(n + 1, 1))
        & (given.str.slice(n + 1, 1) == known.str.slice(n, 1))
        for n in range(17)
    )
    is_masked = pl.col("id_kind") == "masked"
    fits = (
        pl.when(is_masked)
        .then((distance == 0) & (visible >= VISIBLE_DIGITS))
        .when(length == 18)
        .then((distance == 1) | swapped)
        .otherwise(pl.col("_front") + pl.col("_back") >= pl.min_horizontal(length, 18))
    )
    return candidates.filter(fits).drop("_front", "_back")


def _unique_both_sides(candidates: pl.DataFrame, pass_id: str, counts: list[tuple[str, int]]) -> pl.DataFrame:
    """Drops identities with two candidates, and rows of one source that contradict each other over one person."""
    one = candidates.unique(["identity_key", "node"], maintain_order=True)
    tied = one.filter(pl.len().over("identity_key") > 1)
    one = one.filter(pl.len().over("identity_key") == 1)
    place = ["node", "source_class", "role"]
    quarrel = (pl.col("resident_id").drop_nulls().n_unique().over(place) > 1) | (
        pl.col("sex").drop_nulls().n_unique().over(place) > 1
    )
    kept = one.filter(~quarrel)
    counts.append((f"{pass_id} tied", tied["identity_key"].n_unique()))
    counts.append((f"{pass_id} contradicting rows of one source", len(one) - len(kept)))
    return kept


def decide(
    forms: pl.DataFrame,
    generic_phones: pl.Series,
    rarity: pl.DataFrame,
    forced: pl.DataFrame | None = None,
    forbidden: pl.DataFrame | None = None,
    key: opaque.Key = opaque.PUBLIC,
) -> Decided:
    """Link identities to nodes of the spine.

    `forms` comes from `normalise.normalise`; `generic_phones` are telephone keys that prove nothing; `rarity` counts
    registered people by `township` and `name_key` (column `people`). `forced` and `forbidden` are human decisions:
    `identity_key`, `node`. They are parameters, not looked up here, so that a part of the identities can be decided
    with the counts of all. `key` hides what names register rows without a number; deployments give their own.
    """
    empty = pl.DataFrame(schema={"identity_key": pl.String, "node": pl.String})
    forced = empty if forced is None else forced.select("identity_key", "node").unique("identity_key")
    forbidden = empty if forbidden is None else forbidden.select("identity_key", "node").unique()
    counts: list[tuple[str, int]] = []

    owned = effective_ids(forms)
    barred = owned.join(forbidden, on=["identity_key", "node"], how="semi").get_column("identity_key")
    owned = owned.filter(~pl.col("identity_key").is_in(barred.implode()))
    by_hand = forced.join(forms.select("identity_key"), on="identity_key", how="semi")
    owned = pl.concat(
        [
            owned.join(by_hand, on="identity_key", how="anti"),
            by_hand.filter(~pl.col("node").str.starts_with("R:")).with_columns(pl.lit("own").alias("route")),
        ]
    )
    native = by_hand.join(forms, on="identity_key").filter(pl.col("node") == pl.col("id_key"))
    numbered = forms.join(owned, on="identity_key", how="inner", maintain_order="left").with_columns(
        pl.col("identity_key").is_in(by_hand["identity_key"].implode()).alias("is_forced"),
        # Whoever was moved here by hand does not say what the holder of the number is called.
        pl.col("identity_key")
        .is_in(by_hand.join(native, on="identity_key", how="anti")["identity_key"].implode())
        .alias("is_moved"),
    )
    links, conflicts, nodes = _by_number(forms, numbered)

    # Register rows that have no usable number, or whose number is somebody else's, are persons of their own.
    open_rows = forms.join(links, on="identity_key", how="anti").join(
        by_hand.filter(pl.col("node").str.starts_with("R:")), on="identity_key", how="anti"
    )
    own = open_rows.filter((pl.col("source_class") == REGISTER) & pl.col("name_key").is_not_null())
    numberless = own_nodes(own, key)
    by_hand_own = by_hand.filter(pl.col("node").str.starts_with("R:"))
    links = pl.concat([links, _link(numberless, "PS"), _link(by_hand_own, "H")])
    described = own.join(numberless, on="identity_key").sort(
        "node", "last_batch", "identity_key", descending=[False, True, False]
    )
    described = described.unique("node", keep="first", maintain_order=True)
    nodes = pl.concat(
        [
            nodes,
            described.select(
                "node",
                "name_key",
                "person_name",
                pl.col("birth_stated").alias("birth"),
                pl.col("sex"),
                pl.lit(True).alias("is_registered"),
            ),
        ]
    )
    open_rows = open_rows.join(numberless, on="identity_key", how="anti")

    # PX: the same number, spoiled or shared, under the same name.
    shared = described.filter(pl.col("resident_id").is_not_null()).select("node", "resident_id", "name_key")
    doubtful = open_rows.join(shared, on=["resident_id", "name_key"]).join(
        forbidden, on=["identity_key", "node"], how="anti"
    )
    found = _unique_both_sides(doubtful, "PX", counts)
    links = pl.concat([links, _link(found, "PX")])
    conflicts = conflicts.join(found, on="identity_key", how="anti")
    open_rows = open_rows.join(found, on="identity_key", how="anti")

    # From here on only identities without a usable number: two valid numbers are never one person.
    residue = open_rows.filter(
        pl.col("id_key").is_null() & pl.col("name_key").is_not_null() & ~pl.col("name_has_wildcard")
    )
    targets = nodes.filter(pl.col("name_key").is_not_null()).select(
        "node", "name_key", pl.col("birth").alias("birth_n"), pl.col("sex").alias("sex_n")
    )
    evidence = links.filter(pl.col("grade") != "C").join(
        forms.select("identity_key", "phone_key", "village_code", "household_key"), on="identity_key"
    )
    proving = ~pl.col("phone_key").is_in(generic_phones.implode())
    phones = evidence.select("node", "phone_key").drop_nulls().unique().filter(proving)
    places = evidence.select("node", "village_code").drop_nulls().unique()
    houses = evidence.select("node", "household_key").drop_nulls().unique()
    born = targets.filter(pl.col("birth_n").is_not_null()).with_columns(
        pl.col("birth_n").alias("birth_stated"), pl.len().over("name_key", "birth_n").alias("_born_then")
    )
    rare = rarity.filter(pl.col("people") == 1).select("township", "name_key")
    of_phone = targets.join(phones, on="node")
    of_place = targets.join(places, on="node")

    def settle(pass_id: str, candidates: pl.DataFrame) -> None:
        nonlocal links, residue
        allowed = candidates.join(forbidden, on=["identity_key", "node"], how="anti")
        against = allowed.select(_speaks_against(allowed, pl.col("as_of"))).to_series()
        counts.append((f"{pass_id} vetoed", int(against.sum())))
        found = _unique_both_sides(allowed.filter(~against), pass_id, counts)
        links = pl.concat([links, _link(found, pass_id)])
        residue = residue.join(found, on="identity_key", how="anti")

    settle("PR", _one_slip_apart(residue, targets))
    by_birth = residue.join(born, on=["name_key", "birth_stated"])
    settle("P4", by_birth.join(phones, on=["node", "phone_key"], how="semi"))
    by_birth = residue.join(born.filter(pl.col("_born_then") == 1), on=["name_key", "birth_stated"])
    by_birth = by_birth.join(rare, on=["township", "name_key"], how="semi")
    settle(
        "P5",
        pl.concat(
            [
                by_birth.join(places, on=["node", "village_code"], how="semi"),
                by_birth.join(houses, on=["node", "household_key"], how="semi"),
            ]
        ),
    )
    settle("P6", residue.filter(proving).join(of_phone, on=["name_key", "phone_key"]))
    settle(
        "P7",
        residue.join(rare, on=["township", "name_key"], how="semi").join(
            of_place, on=["name_key", "village_code"]
        ),
    )

    per_pass = links.group_by("pass_id").len().sort("pass_id")
    counts = [(f"{p} linked", n) for p, n in per_pass.iter_rows()] + counts
    counts += [(f"conflict {k}", n) for k, n in conflicts.group_by("kind").len().sort("kind").iter_rows()]
    counts.append(("unlinked", len(forms) - len(links)))
    return Decided(
        links=links.sort("identity_key"),
        conflicts=conflicts.cast(CONFLICT_SCHEMA).sort("identity_key", "node"),
        nodes=nodes.join(links, on="node", how="semi").sort("node"),
        counts=pl.DataFrame(counts, schema={"what": pl.String, "identities": pl.Int64}, orient="row"),
    )


def name_rarity(forms: pl.DataFrame) -> pl.DataFrame:
    """Registered people by township and name: `township`, `name_key`, `people`."""
    return (
        forms.lazy()
        .filter(
            (pl.col("source_class") == REGISTER)
            & pl.col("name_key").is_not_null()
            & pl.col("township").is_not_null()
        )
        .group_by("township", "name_key")
        .agg(pl.struct("resident_id", "birth").n_unique().cast(pl.Int64).alias("people"))
        .sort("township", "name_key")
        .collect()
    )
