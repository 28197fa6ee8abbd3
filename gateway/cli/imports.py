"""The verb `tenant import`: many hospitals from a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.options import AsJson
from gateway.cli.output import complain, say, show_json
from gateway.cli.session import FAILED, Session, prepare, run

if TYPE_CHECKING:
    from gateway.manage.imports import BadRow, Plan, Result


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON, UTF-8")],
    *,
    partial: Annotated[bool, typer.Option("--partial", help="Import the good rows in spite of bad ones")] = False,
    update: Annotated[bool, typer.Option("--update", help="Overwrite tenants that have other values")] = False,
    json: AsJson = False,
) -> None:
    """Take on many hospitals at once. Every row is checked before the first is made; rows that are there already are
    skipped, so running it again resumes it. Only `fhir_version` `auto` contacts the hospitals' servers.

    CSV columns: `tenant_id,name,fhir_url,fhir_version` and any other field, nested ones dotted (`auth.kind`,
    `extra_headers.Redox-Source-Id`).

    Example: `python -m gateway tenant import hospitals.csv --partial`
    """

    async def work(session: Session) -> None:
        from gateway.manage.imports import Result, plan, read_rows

        rows = read_rows(file)
        await prepare(session.service)
        with _progress() as progress:
            checking = progress.add_task("Checking", total=len(rows))
            planned = await plan(
                session.registry,
                session.operations.tenants,
                rows,
                update=update,
                done=lambda: progress.advance(checking),
            )
            progress.update(checking, completed=len(rows))
            result = Result(unchanged=planned.unchanged, bad=planned.bad)
            if partial or not planned.bad:
                result = await _carried_out(session, planned, progress)
        _report(result, imported=partial or not planned.bad, json=json)
        if result.bad:
            raise typer.Exit(FAILED)

    run(work)


async def _carried_out(session: Session, planned: "Plan", progress: Progress) -> "Result":
    from gateway.manage.imports import carry_out

    making = progress.add_task("Importing", total=len(planned.add) + len(planned.replace))
    return await carry_out(session.operations.tenants, session.by, planned, done=lambda: progress.advance(making))


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


def _report(result: "Result", *, imported: bool, json: bool) -> None:
    for bad in result.bad:
        complain(f"line {bad.line}: {_reason(bad)}")
    if not imported:
        say("Nothing was imported: correct the rows above, or import the others with --partial.")
    say(
        f"{result.added} added, {result.updated} updated, {result.unchanged} there already, {len(result.bad)} problems."
    )
    if json:
        show_json(
            {
                "added": result.added,
                "updated": result.updated,
                "unchanged": result.unchanged,
                "bad": [{"line": bad.line, "field": bad.field, "reason": _reason(bad)} for bad in result.bad],
            }
        )


def _reason(bad: "BadRow") -> str:
    return bad.reason if bad.reason.startswith(bad.field) else f"{bad.field} {bad.reason}"
