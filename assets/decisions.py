"""Decisions that arrive with a night: review files in the inbox, and answers of officers. What was decided stays in the lake."""

from datetime import date
from pathlib import Path

import polars as pl

from assets.io import Home, read_frames, write_parquet
from data_contracts import feeding
from matching import decisions, journal
from reports.reviews import ReviewFileError, read_review

INBOX = "_decisions"
"""Folder beside those of the departments: inbox/<batch_date>/_decisions/<any name>.csv, .xlsx or .yaml."""

ANSWERS = "ca_outcome_return"


def tonight(home: Home, day: date) -> tuple[pl.DataFrame, list[str]]:
    """All decisions that are known on a day (`decisions.SCHEMA`), and what could not be taken over, in Chinese.

    Writes what arrived with this night to lake/decisions/<door>_batch_date=<day>.parquet, the same again when the night is run again.
    Records that an answer may mean, but need not, go to lake/decisions/for_review/batch_date=<day>.parquet.
    """
    folder = home.lake / journal.FOLDER
    by_file, problems = _from_files(home.inbox / str(day) / INBOX, day)
    by_answer, unclear = _from_answers(home, day)
    written = {
        f"file_batch_date={day}": by_file,
        f"outcome_batch_date={day}": by_answer,
        f"{journal.FOR_REVIEW}/batch_date={day}": unclear,
    }
    for name, frame in written.items():
        path = folder / f"{name}.parquet"
        if frame.height:
            write_parquet(frame, path)
        else:
            path.unlink(missing_ok=True)
    known = journal.read(folder, day)
    return known.rows, problems + known.problems


def _from_files(folder: Path, day: date) -> tuple[pl.DataFrame, list[str]]:
    frames: list[pl.DataFrame] = []
    problems: list[str] = []
    files = sorted(p for p in folder.glob("*") if p.is_file() and p.name[0] not in "._")
    for number, path in enumerate(files, start=1):
        # The name of a file may name a person; its place among the others does not.
        where = f"第{number}个审核文件"
        try:
            taken = decisions.from_table(read_review(path), day, first_entry=sum(f.height for f in frames))
        except (ReviewFileError, OSError, pl.exceptions.PolarsError):
            problems.append(f"{where}无法读取。")
            continue
        frames.append(taken.rows)
        problems += [f"{where}{said}" for said in taken.problems]
    return decisions.merged(frames), problems


def _from_answers(home: Home, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the answers that arrived tonight say about links of the last night, and what only a person can say."""
    nothing = decisions.SCHEMA.to_frame(), pl.DataFrame()
    before = home.before("persons", day)
    answers = _answers(home, day)
    if before is None or answers.is_empty():
        return nothing
    night = before.name
    register = home.lake / "risk" / night / "register.parquet"
    members = home.lake / "households" / night / "household_member.parquet"
    if not register.is_file() or not members.is_file():
        return nothing
    links = read_frames(before)["links"]
    evidence = _evidence(pl.read_parquet(register), pl.read_parquet(members), answers)
    return decisions.from_outcomes(answers, evidence, links, decisions.known_by(links))


def _answers(home: Home, day: date) -> pl.DataFrame:
    """Answers 601 that arrived on the day."""
    files = [f for f in feeding.accepted_files(home.lake, ANSWERS, day) if f.batch_date == day]
    if not files:
        return pl.DataFrame(schema={"warning_id": pl.String})
    rows = pl.concat([pl.read_parquet(f.path) for f in files], how="diagonal_relaxed")
    return rows.filter(pl.col("result_code").cast(pl.String) == decisions.WRONG_PERSON)


def _evidence(register: pl.DataFrame, members: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """On whose data, and of which classes, the answered warnings rest: `warning_id`, `person_id`, `source_class`.

    A warning about a household may mean any of its members.
    """
    asked = register.join(answers.select("warning_id").unique(), on="warning_id", how="semi")
    sources = asked.select(
        "warning_id",
        "household_id",
        "person_id",
        pl.col("sources_json")
        .str.extract_all(r'"([a-z0-9_]+)":')
        .list.eval(pl.element().str.strip_chars('":')),
    ).explode("sources_json")
    of_person = sources.filter(pl.col("person_id").is_not_null())
    of_house = sources.filter(pl.col("person_id").is_null()).drop("person_id")
    of_house = of_house.join(members.select("household_id", "person_id"), on="household_id")
    columns = ["warning_id", "person_id", "source_class"]
    named = [f.rename({"sources_json": "source_class"}).select(columns) for f in (of_person, of_house)]
    return pl.concat(named).unique().sort(columns)
