"""The review tool: shows grey pairs one by one and writes every answer at once; and the same by file.

Which pairs, and what of them is shown, is said in `matching.review`. What is shown goes to the terminal alone.
"""

import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.collecting import write_parquet
from data_contracts.contract import catalogue
from data_contracts.places import village_table
from matching import decisions, evaluation, journal, review
from pipelines.commands import CannotRun

REVIEWER = re.compile(r"^[\w-]{1,20}$")
KEYS = {"s": "same", "n": "not_same", "u": "unsure"}
ANSWERS_ZH = {"same": "同一人", "not_same": "不是同一人", "unsure": "不确定"}
MENU = "[s]同一人 [n]不是同一人 [u]不确定 [z]撤销上一条 [空格]以后再说 [q]结束"
PLAIN_MENU = "s 同一人，n 不是同一人，u 不确定，z 撤销上一条，回车 以后再说，q 结束："


@dataclass
class Work:
    """What there is to review: the queue, what is shown of it, where answers go."""

    night: date
    day: date
    who: str
    folder: Path
    queue: pl.DataFrame
    persons: pl.DataFrame
    identities: pl.DataFrame
    links: pl.DataFrame
    problems: list[str] = field(default_factory=list)
    """What of earlier decisions could not be read: Chinese lines without values."""

    def card(self, pair: dict[str, Any]) -> review.Card:
        """What is shown of a row of the queue."""
        person = self.persons.row(by_predicate=pl.col("person_id") == pair["person_id"], named=True)
        record = self.identities.row(by_predicate=pl.col("identity_key") == pair["identity_key"], named=True)
        contract = catalogue().get(str(record["source_class"]))
        source = contract.title.zh if contract else str(record["source_class"])
        return review.card(pair, person, record, source_zh=source, villages=_villages())


_VILLAGES: dict[str, str] = {}


def _villages() -> dict[str, str]:
    if not _VILLAGES:
        table = village_table()
        _VILLAGES.update(table.select("village_code", "village_zh").iter_rows())
    return _VILLAGES


def newest_night(home: Path) -> date:
    """The newest night whose persons are complete. CannotRun when there is none."""
    folders = [p for p in (home / "lake" / "persons").glob("batch_date=*") if (p / "_complete").is_file()]
    if not folders:
        raise CannotRun(f"no night was run yet in {home}; there is nothing to review")
    return date.fromisoformat(max(folder.name for folder in folders).removeprefix("batch_date="))


def prepare(home: Path, who: str, day: date | None, limit: int | None = None) -> Work:
    """The work of a reviewer on a day (default: the day after the newest night).

    A decision counts from the night of its day on. A night that was run already stays as it was, so the day must be later.
    CannotRun for a reviewer or day that cannot be.
    """
    if not REVIEWER.match(who) or re.search(r"\d{15}", who):
        raise CannotRun("--reviewer is a short name or staff number: letters, digits, - and _")
    night = newest_night(home)
    day = day or night + timedelta(days=1)
    if day <= night:
        raise CannotRun(
            f"the night of {night} was run already and stays as it is; decisions made now count from --date {night + timedelta(days=1)} on"
        )
    lake = home / "lake"
    frames = {path.stem: path for path in (lake / "persons" / f"batch_date={night}").glob("*.parquet")}
    persons, links, conflicts = (pl.read_parquet(frames[name]) for name in ("persons", "links", "conflicts"))
    weighed = None
    if "weighed" in frames:
        active = persons.filter(pl.col("status") == "active").select(
            "person_id", pl.col("spine_key").alias("node")
        )
        weighed = pl.read_parquet(frames["weighed"]).join(active, on="node")
    folder = lake / journal.FOLDER
    known = journal.read(folder, day)
    # What an answer may mean stays a question as long as the record stands with that person.
    asked = journal.for_review(folder, night).join(links, on=["identity_key", "person_id"], how="semi")
    queue = review.queue(
        links,
        conflicts,
        decided=known.rows,
        as_of=day,
        weighed=weighed,
        answered=asked,
        warned=_on_a_list(lake, night),
        reviewer=who,
    ).head(limit if limit is not None else 1 << 40)
    wanted = queue["identity_key"].implode()
    identities = (
        pl.scan_parquet(lake / "identities" / f"batch_date={night}.parquet")
        .filter(pl.col("identity_key").is_in(wanted))
        .collect()
    )
    queue = queue.join(identities, on="identity_key", how="semi", maintain_order="left")
    people = persons.filter(pl.col("person_id").is_in(queue["person_id"].implode()))
    return Work(night, day, who, folder, queue, people, identities, links, known.problems)


def _on_a_list(lake: Path, night: date) -> pl.Series | None:
    """Members of households with a warning of that night; null where the rules were not run."""
    members = lake / "households" / f"batch_date={night}" / "household_member.parquet"
    warnings = lake / "risk" / f"batch_date={night}" / "warnings.parquet"
    if not members.is_file() or not warnings.is_file():
        return None
    found = pl.scan_parquet(members).join(
        pl.scan_parquet(warnings).select("household_id").unique(), on="household_id", how="semi"
    )
    return found.select("person_id").collect()["person_id"]


def identity_keys(home: Path, night: date) -> pl.Series:
    """Keys of all identities of a night."""
    path = home / "lake" / "identities" / f"batch_date={night}.parquet"
    return pl.read_parquet(path, columns=["identity_key"])["identity_key"]


# --- one pair after the other


@dataclass
class Session:
    """Where a reviewer stands. Every answer is on the disk before the next pair is shown; undoing writes a further row."""

    work: Work
    at: int = 0
    written: int = 0
    answers: dict[int, str] = field(default_factory=dict)
    history: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pairs = self.work.queue.to_dicts()

    @property
    def pair(self) -> dict[str, Any] | None:
        """The pair to be shown; null when all were seen."""
        return self.pairs[self.at] if self.at < len(self.pairs) else None

    def answer(self, answer: str) -> None:
        """Write an answer about the pair shown, and go on."""
        self._write(self.pairs[self.at], answer, None)
        self.answers[self.at] = answer
        self.history.append(self.at)
        self.skip()

    def skip(self) -> None:
        """Go on without an answer, past pairs that the answers so far make idle: a record is one person's only."""
        self.at += 1
        taken = {self.pairs[n]["identity_key"] for n, a in self.answers.items() if a == "same"}
        while self.pair is not None and self.pair["identity_key"] in taken:
            self.at += 1

    def undo(self) -> bool:
        """Take the last answer back and show its pair again; false when there is none."""
        if not self.history:
            return False
        self.at = self.history.pop()
        del self.answers[self.at]
        self._write(self.pairs[self.at], "unsure", decisions.UNDONE)
        return True

    def _write(self, pair: dict[str, Any], answer: str, note: str | None) -> None:
        row = review.as_decision(pair, answer, self.work.who, self.work.day, note)
        journal.append(self.work.folder, row, self.work.day)
        self.written += 1


def go(session: Session, ask: Callable[[], str], say: Callable[[str], None], draw: "Draw") -> None:
    """Ask until all pairs were seen, the reviewer ends, or nothing more can be read (`ask` gives "q")."""
    note = ""
    while (pair := session.pair) is not None:
        say(draw(session, session.work.card(pair), note))
        note = ""
        key = ask()
        if key == "q":
            return
        if key in KEYS:
            session.answer(KEYS[key])
            note = f"已记下：{ANSWERS_ZH[KEYS[key]]}。"
        elif key == "z":
            note = "已撤销上一条。" if session.undo() else "没有可以撤销的答复。"
        elif key == "":
            session.skip()
        else:
            note = "不认识的按键。"


Draw = Callable[[Session, review.Card, str], str]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def _padded(side: tuple[review.Span, ...], width: int, mark: tuple[str, str]) -> str:
    room = max(width - _width("".join(text for text, _ in side)), 0)
    return review.shown(side, *mark) + " " * room


def _chance(probability: float, about: str = "") -> str:
    """A question is never about a hundred per cent."""
    return "99%以上" if probability >= 0.995 else f"{about}{probability:.0%}"


def _heading(session: Session, card: review.Card) -> str:
    chance = "" if card.probability is None else f" · 是同一人的把握{_chance(card.probability, '约')}"
    listed = " · 该户在清单上" if card.has_warnings else ""
    unsure = f" · 已有{card.said_unsure}人表示不确定" if card.said_unsure else ""
    return f"第{session.at + 1}对，共{len(session.pairs)}对 · {card.kind_zh}{chance}{listed}{unsure}"


def in_colour(session: Session, card: review.Card, note: str) -> str:
    """A screen: the two sides beside each other, what differs in reverse."""
    mark = ("\x1b[7m", "\x1b[0m")
    if os.environ.get("NO_COLOR"):
        mark = ("[", "]")
    widest = max((_width("".join(t for t, _ in f.person)) for f in card.fields), default=0)
    column = min(max(widest, 18), 44) + 2
    lines = [
        _heading(session, card),
        "",
        f"{'':10}{_padded((('人员', False),), column, mark)}记录（{card.source_zh}）",
    ]
    for f in card.fields:
        label = f.label + " " * (10 - _width(f.label))
        record = review.shown(f.record, *mark) or "—"
        person = f.person or (("—", False),)
        lines.append(
            f"{label}{_padded(person, column, mark)}{record}  {review.VERDICTS_ZH[f.verdict]}".rstrip()
        )
    lines += ["", "理由："] + [f"  {reason}" for reason in card.reasons]
    return "\x1b[2J\x1b[H" + "\n".join([*lines, "", note, MENU]) + "\n"


def in_lines(session: Session, card: review.Card, note: str) -> str:
    """The same for screen readers and scripts: a line a field, what differs in square brackets."""
    lines = [note] if note else []
    lines.append(f"{_heading(session, card)}。记录来源：{card.source_zh}。")
    for f in card.fields:
        person, record = (review.shown(side) or "无" for side in (f.person, f.record))
        verdict = review.VERDICTS_ZH[f.verdict]
        lines.append(f"{f.label}：人员 {person}；记录 {record}{'；' + verdict if verdict else ''}。")
    if card.reasons:
        lines.append("理由：" + "".join(card.reasons))
    return "\n".join([*lines, PLAIN_MENU]) + "\n"


def plain(session: Session, read: Callable[[], str], say: Callable[[str], None]) -> None:
    """By lines: `read` gives a line, or nothing at the end of the input."""

    def ask() -> str:
        line = read()
        if not line:
            return "q"
        word = line.strip().lower()
        known = {answer: key for key, answer in KEYS.items()}
        return known.get(decisions.WORDS.get(word, ""), word)

    go(session, ask, say, in_lines)


def on_terminal(session: Session) -> None:
    """By single keys, on a screen of its own that leaves nothing behind. CannotRun without a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CannotRun("there is no terminal; use --plain, or --export and --import")

    def say(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    with _single_keys():
        say("\x1b[?1049h")
        try:
            go(session, _key, say, in_colour)
        finally:
            say("\x1b[2J\x1b[?1049l")


@contextmanager
def _single_keys() -> Iterator[None]:
    """Keys are given as they are pressed, without being shown; the terminal is put back whatever happens."""
    import termios
    import tty

    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle)
        yield
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


def _key() -> str:
    """One key, small; "" for space and Enter, "q" for Ctrl-C, Ctrl-D and a closed terminal. Arrows and the like are one key."""
    try:
        pressed = os.read(sys.stdin.fileno(), 32)
    except KeyboardInterrupt:
        return "q"
    if not pressed or pressed[:1] == b"\x04":
        return "q"
    if pressed[:1] == b"\x1b":
        return "\x1b"
    key = pressed[:1].decode("ascii", "replace").lower()
    return "" if key in " \r\n" else key


# --- by file

HIDDEN = ("记录标识", "人员标识")
_LABELS = ("姓名", "曾用名", "性别", "出生日期", "年龄", "证件号码", "联系电话", "村（居）", "住址", "户号")


def sheet(work: Work) -> pl.DataFrame:
    """The queue as rows of text: what the tool shows, and by what an answer finds its pair again."""
    rows = []
    for number, pair in enumerate(work.queue.iter_rows(named=True), start=1):
        card = work.card(pair)
        sides = {f.label: f for f in card.fields}
        row = {"序号": str(number), "类型": card.kind_zh, "记录来源": card.source_zh}
        row["把握"] = "" if card.probability is None else _chance(card.probability)
        for label in _LABELS:
            known = sides.get(label)
            row[f"{label}（人员）"] = review.shown(known.person, "【", "】") if known else ""
            row[f"{label}（记录）"] = review.shown(known.record, "【", "】") if known else ""
        row["理由"] = "".join(card.reasons)
        row["该户在清单上"] = "是" if card.has_warnings else ""
        row["人员编号"] = f"P{pair['person_id']:09d}"
        row["记录标识"] = pair["identity_key"]
        row["人员标识"] = pair["person_key"] or ""
        rows.append(row)
    columns = [
        "序号",
        "类型",
        "记录来源",
        "把握",
        *(f"{n}（{s}）" for n in _LABELS for s in ("人员", "记录")),
    ]
    columns += ["理由", "该户在清单上", "人员编号", *HIDDEN]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))


def take_file(work: Work, table: pl.DataFrame, identities: pl.Series) -> tuple[int, int, list[str]]:
    """Answers of a review file into the journal: rows written, rows that were there already, problems.

    `identities`: keys of the night; an answer about a record or a person that is not known is left out and counted.
    """
    taken = decisions.from_table(table, work.day, work.who)
    rows, problems = taken.rows, list(taken.problems)
    is_known = pl.col("identity_key").is_in(identities.implode()) & (
        pl.col("person_id").is_in(work.links["person_id"].unique().implode()).fill_null(False)
        | pl.col("person_key").is_in(identities.implode()).fill_null(False)
    )
    unknown = rows.filter(~is_known).height
    if unknown:
        problems.append(f"{unknown}行的记录或人员不在当前数据中，未采用。")
    rows = rows.filter(is_known)
    new = _not_there(rows, journal.stored(work.folder, work.day))
    if new.height:
        journal.append(work.folder, new, work.day)
    return new.height, rows.height - new.height, problems


def _not_there(rows: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Rows of a file that change the last word of a reviewer about a pair on a day, and those of that file before them.

    Who said same, then not same, then same again has said three things, so a row that was said before counts as there only
    while it is the last.
    """
    pair = ["identity_key", "_person", "who", "decided_on"]
    person = pl.coalesce(pl.col("person_id").cast(pl.String), "person_key").alias("_person")
    had, given = (frame.with_columns(person) for frame in (before, rows))
    last = had.unique(pair, keep="last", maintain_order=True).select(*pair, pl.col("decision").alias("_last"))
    judged = given.join(last, on=pair, how="left", maintain_order="left").with_columns(
        (pl.int_range(pl.len()) == pl.len() - 1).over(pair).alias("_ends"),
        pl.col("decision").last().over(pair).alias("_word"),
    )
    changed = judged.filter(pl.col("_word").ne_missing(pl.col("_last")))
    said = had.select(*pair, "decision").unique().with_columns(pl.lit(True).alias("_said"))
    found = changed.join(said, on=[*pair, "decision"], how="left", maintain_order="left")
    return found.filter(pl.col("_ends") | pl.col("_said").is_null()).select(rows.columns)


# --- blind samples

SAMPLE, CASE = "样本", "样本编号"
_SAMPLE_NAME = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}_n[0-9]+_seed[0-9]+$")


def draw_sample(home: Path, work: Work, n: int, seed: int) -> pl.DataFrame:
    """About `n` links of the night for a blind review: what the sheet shows. What it must not show stays in lake/clerical."""
    folder = home / "lake" / "persons" / f"batch_date={work.night}"
    links, persons = work.links, pl.read_parquet(folder / "persons.parquet")
    if (folder / "weighed.parquet").is_file():
        scores = pl.read_parquet(folder / "weighed.parquet").select("identity_key", "pass_id", "probability")
        links = links.join(scores, on=["identity_key", "pass_id"], how="left")
    identities = pl.read_parquet(home / "lake" / "identities" / f"batch_date={work.night}.parquet")
    sample = evaluation.clerical_sample(links, identities, n, seed, persons, _villages())
    name = f"{work.night}_n{n}_seed{seed}"
    write_parquet(sample.select(evaluation.CLERICAL_KEYS), home / "lake" / "clerical" / f"{name}.parquet")
    shown = sample.select(evaluation.clerical_columns(sample)).cast(pl.String)
    return shown.select(pl.lit(name).alias(SAMPLE), pl.col("case").alias(CASE), pl.exclude("case"))


def judge_sample(home: Path, table: pl.DataFrame) -> pl.DataFrame:
    """Precision by stratum from a filled sample (`evaluation.from_clerical`). CannotRun when it was not drawn here."""
    names = table[SAMPLE].drop_nulls().unique().to_list()
    path = home / "lake" / "clerical" / f"{names[0] if len(names) == 1 else ''}.parquet"
    if len(names) != 1 or not _SAMPLE_NAME.match(names[0]) or not path.is_file():
        raise CannotRun("the sample was not drawn here, or the file holds several")
    words = pl.col("判断").cast(pl.String).str.strip_chars().str.to_lowercase()
    answers = table.select(
        pl.col(CASE).cast(pl.Int64, strict=False).alias("case"),
        words.replace_strict(decisions.WORDS, default=None, return_dtype=pl.String).alias("answer"),
    ).unique("case", keep="last")
    return evaluation.from_clerical(pl.read_parquet(path).join(answers, on="case", how="left"))
