from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import AsJson, guid
from gateway.cli.output import complain, say, show_json, show_table
from gateway.cli.session import FAILED, Session, run
from gateway.errors import InvalidFields

if TYPE_CHECKING:
    from gateway.audit import Entry

audit = typer.Typer(name="audit", no_args_is_help=True, help="Who changed what, and whether that record is whole.")


@audit.command("list")
def list_(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only what concerns this tenant")] = None,
    client: Annotated[str | None, typer.Option(help="Only what concerns this client")] = None,
    since: Annotated[str | None, typer.Option(help="Only what is younger: 12h, 7d or a time")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most")] = 100,
    json: AsJson = False,
) -> None:
    """List changes of the registry, the newest first.

    Example: `python -m gateway audit list --since 7d --tenant 7c9e6679-7425-40de-944b-e07fc1f90ae7`
    """

    async def work(session: Session) -> None:
        from gateway.manage.durations import parse_since
        from gateway.registry.models import now

        tenant_id = guid(tenant, "tenant") if tenant else ""
        client_id = guid(client, "client") if client else ""
        moment = parse_since(since, now()) if since else None
        found: list[Entry] = []
        continuation = ""
        while len(found) < limit:
            page = await session.operations.trail.page(
                min(1000, limit - len(found)), continuation, tenant_id=tenant_id, client_id=client_id, since=moment
            )
            found += page.items
            continuation = page.continuation
            if not continuation:
                break
        if json:
            show_json([entry.view() for entry in found])
            return
        show_table(("NO", "TIME", "ACTOR", "ACTION", "CONCERNS", "CHANGED"), map(_row, found), "There are no entries.")
        if continuation:
            say(f"The newest {len(found)}; --limit shows more.")

    run(work)


@audit.command("verify")
def verify(
    *,
    anchor: Annotated[
        str | None, typer.Option(metavar="NO:HASH", help="An entry noted earlier, which must still be there")
    ] = None,
    json: AsJson = False,
) -> None:
    """Find audit rows that were altered or removed, and tenants or clients that are not what the trail left them as.

    Exit code 1 when anything is found. Note the last entry that it prints, somewhere else: with `--anchor` a later run
    also finds a trail that was put back as a whole.

    Example: `python -m gateway audit verify`
    """

    async def work(session: Session) -> None:
        report = await session.operations.verify_audit(_anchor(anchor) if anchor else None)
        for finding in report.findings:
            complain(finding.text if finding.sequence is None else f"entry {finding.sequence}: {finding.text}")
        last = f"{report.head.sequence}:{report.head.hash}"
        if json:
            findings = [{"sequence": finding.sequence, "text": finding.text} for finding in report.findings]
            show_json({"entries": report.entries, "anchor": last, "findings": findings})
        say(f"{report.entries} entries, {len(report.findings)} findings; the last entry is {last}")
        if report.findings:
            raise typer.Exit(FAILED)

    run(work)


@audit.command("patient-hash")
def patient_hash_(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id, a GUID")],
    patient_id: Annotated[
        str, typer.Argument(metavar="PATIENT_ID", help="The id that the FHIR server gave the patient")
    ],
) -> None:
    """Print what access logs say instead of a patient's id, so that who looked at that patient can be searched for.

    Example: `python -m gateway audit patient-hash 7c9e6679-7425-40de-944b-e07fc1f90ae7 12345`
    """

    async def work(session: Session) -> None:
        from gateway.telemetry.patients import patient_hash

        pepper = await session.service.keys.pepper()
        for version in pepper.versions:
            typer.echo(patient_hash(pepper, guid(tenant, "tenant"), patient_id, version))

    run(work)


def _anchor(text: str) -> tuple[int, str]:
    number, colon, digest = text.partition(":")
    if not colon or not number.isdecimal() or not digest:
        raise InvalidFields([("anchor", "must be NO:HASH, as audit verify prints it")])
    return int(number), digest


def _row(entry: "Entry") -> tuple[object, ...]:
    concerns = entry.change.tenant_id or entry.change.client_id
    if entry.outcome != "intended":
        return (
            entry.sequence,
            entry.at,
            entry.by.actor,
            entry.change.action,
            concerns,
            f"{entry.outcome}: entry {entry.of}",
        )
    changed = ", ".join({**(entry.change.before or {}), **(entry.change.after or {})})
    return entry.sequence, entry.at, entry.by.actor, entry.change.action, concerns, changed
