"""The command line: a thin face on the same assets that the schedule and the UI use.

Exit status: 0 fine, 1 ran but something must be looked at, 2 could not run.
"""

import json
import tempfile
import time
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from pipelines.cli_match import match
from pipelines.cli_rates import rates
from pipelines.cli_review import review
from pipelines.commands import FINE, LOOK, VARIABLE, CannotRun, command, home_directory

if TYPE_CHECKING:
    from pipelines.nights import Night
    from pipelines.nights import Progress as Told

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

DAY = click.DateTime(["%Y-%m-%d"])


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


def _print_json(body: Any) -> None:
    from pipelines import nights

    click.echo(json.dumps(body, ensure_ascii=False, indent=2, default=nights.as_dict))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Root of inbox, lake and outbox [{VARIABLE}, else ./data].",
)
@click.version_option(package_name="hardship-watch")
@click.pass_context
def main(context: click.Context, home: Path | None) -> None:
    """Hardship Watch: finds families in trouble before they ask, and explains every line of the list.

    Example: hardship-watch --home data run --date 2025-11-17
    """
    context.obj = home_directory(home)


@main.command()
@click.option(
    "--persons", default=20_000, show_default=True, type=click.IntRange(min=50), help="People to invent."
)
@click.option(
    "--nights", "count", default=3, show_default=True, type=click.IntRange(min=1), help="Consecutive nights."
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
@click.option("--start", type=DAY, default="2025-11-17", show_default=True, help="First business date.")
@click.option(
    "--months", default=24, show_default=True, type=click.IntRange(min=1), help="History before it."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Where to write inbox/ and truth/ [home]."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_obj
@command
def sample(
    home: Path,
    persons: int,
    count: int,
    seed: int,
    start: datetime,
    months: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Invent a county and write what its twelve departments deliver.

    Example: hardship-watch --home data sample --persons 20000 --nights 3 --seed 1
    """
    import sample_data
    from pipelines import show

    target = (out or home).absolute()
    began = time.monotonic()
    with _progress(quiet=as_json) as bar:
        task = bar.add_task("inventing", total=None)

        def tell(done: int, steps: int, what: str) -> None:
            bar.update(task, description=what, completed=done, total=steps)

        result = sample_data.build(
            persons=persons,
            nights=count,
            seed=seed,
            out=target,
            start=start.date(),
            months=months,
            progress=tell,
        )
    if as_json:
        _print_json(result)
        return FINE
    files = sorted((target / "inbox").rglob("*"))
    size = sum(p.stat().st_size for p in files if p.is_file()) / 1e6
    console.print(
        f"[green]✓[/green] {persons:,} people, {count} nights, seed {seed}: {sum(p.is_file() for p in files):,} files, "
        f"{size:,.1f} MB in {show.shown(target / 'inbox')} ({time.monotonic() - began:.0f} s); what is true: {show.shown(target / 'truth')}",
        soft_wrap=True,
    )
    return FINE


@main.command()
@click.option("--date", "day", type=DAY, required=True, help="Business date to run.")
@click.option("--to", "last", type=DAY, help="Run every night up to this one.")
@click.option("--department", help="Only read this department again.")
@click.option("--rule", help="Only run this rule again.")
@click.option("--verbose", is_flag=True, help="Print what Dagster logs, traces of errors among it.")
@click.option("--json", "as_json", is_flag=True, help="Print the nights as JSON.")
@click.pass_obj
@command
def run(
    home: Path,
    day: datetime,
    last: datetime | None,
    department: str | None,
    rule: str | None,
    verbose: bool,
    as_json: bool,
) -> int:
    """Run nights through Dagster, in this process, and print what they brought.

    Example: hardship-watch run --date 2025-11-17 --to 2025-11-19
    """
    from pipelines import nights, show

    first, final = day.date(), _day(last) or day.date()
    if final < first:
        raise CannotRun(f"--to {final} is before --date {first}")
    if not (home / "inbox").is_dir():
        raise CannotRun(f"no inbox in {home}; write a sample with: hardship-watch --home {home} sample")
    job, only = _selection(department, rule)
    found: list[Night] = []
    ok = True
    for one in nights.days(first, final):
        began = time.monotonic()
        with _progress(quiet=as_json) as bar:
            task = bar.add_task(f"{one} starting", total=None)
            why: dict[str, str] = {}
            success, failed = nights.run(home, one, job, only, _telling(bar, task, one), why, verbose)
        night = nights.summary(home, one)
        night.finished, night.failed_steps = success, failed
        night.look_at = nights.failures(failed, why) + night.look_at
        found.append(night)
        ok = ok and success
        if not as_json:
            mark = "[green]✓[/green]" if success else "[red]✗[/red]"
            console.print(f"{mark} {one} in {time.monotonic() - began:.0f} s")
        if not success:
            # The next night would be compared with an older one than it should be.
            break
    if as_json:
        _print_json([asdict(night) for night in found])
    else:
        show.nights_table(console, found)
        show.not_yet(console, found[-1])
        show.look_at(console, found)
        if job == "night":
            show.outputs(console, found[-1])
        else:
            console.print(
                "Lists and reports were not made anew; run the night without --department or --rule for that."
            )
    return FINE if ok and not any(night.look_at for night in found) else LOOK


def _selection(department: str | None, rule: str | None) -> tuple[str, list[Any] | None]:
    """The job for a part of a night, and its asset keys; CannotRun for a name that does not exist."""
    from assets import extracts, risk
    from data_contracts.contract import departments

    if department and rule:
        raise CannotRun("--department and --rule are two different runs")
    if department:
        if department not in departments():
            raise CannotRun(f"no department {department}; there are: {', '.join(departments())}")
        return "one_department", [extracts.key(c.id) for c in extracts.classes_of(department)]
    if rule:
        if rule not in risk.rule_ids():
            raise CannotRun(f"no rule {rule}; there are: {', '.join(risk.rule_ids())}")
        return "one_rule", [risk.rule_key(rule)]
    return "night", None


@main.command()
@click.option("--date", "day", type=DAY, help="One night [all].")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
@command
def status(home: Path, day: datetime | None, as_json: bool) -> int:
    """What the nights so far brought, and what should be looked at.

    Example: hardship-watch status --date 2025-11-19
    """
    from pipelines import nights, show

    one = _day(day)
    chosen = [one] if one else nights.known_days(home)
    if not chosen or (one and one not in nights.known_days(home)):
        raise CannotRun(f"nothing was run yet{f' for {one}' if one else ''} in {home}")
    found = [nights.summary(home, each) for each in chosen]
    if as_json:
        _print_json([asdict(night) for night in found])
    else:
        show.nights_table(console, found)
        show.arrivals(console, found[-1])
        show.not_yet(console, found[-1])
        show.linking(console, found[-1])
        show.look_at(console, found)
    return LOOK if any(night.look_at for night in found) else FINE


@main.command()
@click.argument("household", metavar="HOUSEHOLD|PERSON")
@click.option("--date", "day", type=DAY, help="Business date [the newest night].")
@click.option("--quick", is_flag=True, help="Do not ask which rules came close.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
@command
def explain(home: Path, household: str, day: datetime | None, quick: bool, as_json: bool) -> int:
    """Who is in a household, its measures, and every rule: spoke, off, left out, or close and why not.

    Of a person: of which records it is made. Names are masked.

    Example: hardship-watch explain H000000123, or hardship-watch explain P000000456
    """
    from pipelines import show, show_person, show_why

    if household.upper().startswith("P"):
        told = show_person.person(home, show.number(household, "P"), _day(day))
        if as_json:
            _print_json(told)
        else:
            show_person.print_person(console, told)
        return FINE
    number = show.number(household, "H")
    found = show.household(home, number, _day(day))
    reasons = show_why.why(home, number, _day(day), near=not quick)
    if as_json:
        _print_json(found | reasons)
    else:
        show.print_household(console, found)
        show_why.print_why(console, reasons)
    return FINE


@main.command()
@click.argument("warning_id")
@click.option("--date", "day", type=DAY, help="Business date [the newest night].")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
@command
def trace(home: Path, warning_id: str, day: datetime | None, as_json: bool) -> int:
    """From a warning to its evidence, and from there to the delivered rows it rests on.

    Example: hardship-watch trace W3f1c9a52d07be64
    """
    from pipelines import show_trace

    found = show_trace.warning(home, warning_id, _day(day))
    if as_json:
        _print_json(found)
    else:
        show_trace.print_warning(console, found)
    return FINE


@main.command()
@click.option("--date", "day", type=DAY, required=True, help="Business date to prove.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.pass_obj
@command
def verify(home: Path, day: datetime, as_json: bool) -> int:
    """Run a night again from its inputs, apart from everything, and compare every byte that left the house.

    Example: hardship-watch verify --date 2025-11-19
    """
    from pipelines import show

    one = day.date()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="hardship-watch-verify-") as scratch,
        _progress(quiet=as_json) as bar,
    ):
        task = bar.add_task(f"{one} again", total=None)
        differences, compared = show.run_again(home, Path(scratch), one, _telling(bar, task, one))
    if as_json:
        _print_json({"batch_date": one, "files_compared": compared, "differences": differences})
    elif differences:
        console.print(f"[red]✗[/red] {one}: {len(differences)} of {compared} files differ")
        for line in differences[:20]:
            console.print(f"  {line}")
    else:
        console.print(
            f"[green]✓[/green] {one}: run again, all {compared} files identical byte for byte, the manifest among them "
            f"({time.monotonic() - began:.0f} s)"
        )
    return LOOK if differences else FINE


@main.command()
@click.option("--date", "day", type=DAY, required=True, help="Business date from which days are counted.")
@click.option(
    "--keep-days",
    default=None,
    type=click.IntRange(min=0),
    help="Days for which raw deliveries and quarantined rows are kept [90].",
)
@click.option("--really", is_flag=True, help="Remove; without it, only report.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
@command
def purge(home: Path, day: datetime, keep_days: int | None, really: bool, as_json: bool) -> int:
    """Remove raw deliveries and quarantined rows past their time, and what a killed night left behind.

    Reports only, unless --really is given. Not to be used while a night runs.

    Example: hardship-watch purge --date 2026-03-01 --keep-days 90
    """
    from assets import retention

    found = retention.purge(
        home, day.date(), retention.KEEP_DAYS if keep_days is None else keep_days, dry_run=not really
    )
    if as_json:
        _print_json([vars(item) for item in found])
        return FINE
    rows = Table("what", "path", "files", "bytes")
    for item in found:
        rows.add_row(item.what, item.path, f"{item.files:,}", f"{item.bytes:,}")
    if found:
        console.print(rows)
    console.print(f"{len(found)} {'removed' if really else 'would be removed (dry run; --really removes)'}")
    return FINE


@main.command()
@click.argument(
    "workbooks", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--date", "day", type=DAY, required=True, help="Business date on which the answers arrive.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
@command
def returns(home: Path, workbooks: tuple[Path, ...], day: datetime, as_json: bool) -> int:
    """Turn filled copies of list workbooks into a delivery of ca_outcome_return in the inbox.

    Example: hardship-watch returns --date 2025-11-20 filled/可能需要帮助_三岔口乡_2025-11-19.xlsx
    """
    from pipelines import show

    result = show.take_returns(home, list(workbooks), day.date())
    if as_json:
        _print_json(result)
    else:
        if result["file"]:
            console.print(f"{result['rows']} answers -> {show.shown(result['file'])}", soft_wrap=True)
        else:
            console.print(f"no answers found in {len(workbooks)} workbook(s); nothing was written")
        for line in result["problems"]:
            console.print(f"[yellow]look at[/yellow] {line}", soft_wrap=True)
    return LOOK if result["problems"] or not result["file"] else FINE


def _telling(bar: Progress, task: TaskID, day: date) -> "Told":
    """Shows the step that runs, and how many of them are done."""

    def tell(step: str, done: int, steps: int) -> None:
        bar.update(task, description=f"{day} {step}", completed=done, total=steps)

    return tell


def _progress(quiet: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=quiet,
    )


main.add_command(match)
main.add_command(rates)
main.add_command(review)

if __name__ == "__main__":
    main()
