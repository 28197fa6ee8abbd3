"""The verb `check`, which says whether the Patients app would work with a FHIR server."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
import typer
from rich.console import Console

from gateway.cli.options import HEADER_HELP, PARAMETER_HELP, guid, pairs
from gateway.cli.output import complain
from gateway.cli.session import FAILED, WRONG, Session, run
from gateway.errors import Unknown

if TYPE_CHECKING:
    from gateway.conformance import Options, Report
    from gateway.conformance.run import Tick
    from gateway.registry import Tenant
    from gateway.versions import FhirVersion

type AuthKind = Literal[
    "none", "header", "basic", "client-secret-post", "client-secret-basic", "private-key-jwt", "entra"
]
type Release = Literal["dstu2", "stu3", "r4"]

_SERVER = "A server that is no tenant"
_RUN = "Run"
_GIVEN = "given"
_SECRET_FIELDS = ("secret", "key", "certificate")


def check(  # noqa: PLR0913  # one parameter an option
    tenant: Annotated[
        str | None, typer.Argument(metavar="[TENANT]", help="A tenant's id, a GUID; or give --fhir-url")
    ] = None,
    *,
    fhir_url: Annotated[str | None, typer.Option(help="Base URL of the server", rich_help_panel=_SERVER)] = None,
    fhir_version: Annotated[
        Literal["auto", "dstu2", "stu3", "r4"], typer.Option(help="auto asks the server", rich_help_panel=_SERVER)
    ] = "auto",
    system: Annotated[str, typer.Option(help="Profile of the FHIR server", rich_help_panel=_SERVER)] = "generic",
    mrn_system: Annotated[
        str | None, typer.Option(help="Identifier system of medical record numbers", rich_help_panel=_SERVER)
    ] = None,
    auth: Annotated[AuthKind, typer.Option(help="How to sign in there", rich_help_panel=_SERVER)] = "none",
    auth_option: Annotated[
        list[str] | None,
        typer.Option(
            "--auth-option",
            "-o",
            metavar="NAME=VALUE",
            help="A part of --auth, such as client_id=gateway; repeatable. No secrets here",
            rich_help_panel=_SERVER,
        ),
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help=HEADER_HELP, rich_help_panel=_SERVER)
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help=PARAMETER_HELP, rich_help_panel=_SERVER)
    ] = None,
    secret_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the secret or key", rich_help_panel=_SERVER)
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="File that holds the secret, key or certificate", rich_help_panel=_SERVER)
    ] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="The report as JSON; - for standard output")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="The report as one HTML file")] = None,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show some patients' values; mind where the report goes")
    ] = False,
    face: Annotated[
        Release | None, typer.Option(help="The version that the app will see", rich_help_panel=_RUN)
    ] = None,
    sample: Annotated[int, typer.Option(min=1, max=20, help="Patients to look at", rich_help_panel=_RUN)] = 5,
    concurrency: Annotated[int, typer.Option(min=1, max=50, help="Requests at a time", rich_help_panel=_RUN)] = 5,
    max_requests: Annotated[int, typer.Option(min=1, help="Requests at most", rich_help_panel=_RUN)] = 500,
    timeout: Annotated[float, typer.Option(min=1, max=600, help="Seconds a request", rich_help_panel=_RUN)] = 30,
) -> None:
    """Check whether a FHIR server gives the Patients app what it needs.

    It is only read. A tenant is checked alone and through the gateway; the second counts. Exit codes: 0, 1 when a must
    fails, 2 for wrong usage, input or settings.

    Example: `python -m gateway check --fhir-url https://ehr.example/fhir --auth client-secret-basic
    -o client_id=gateway --secret-env EHR_SECRET --html report.html`
    """
    from gateway.conformance import Depth, Options, Status
    from gateway.conformance.terminal import progress
    from gateway.conformance.unregistered import NotAServer, unregistered
    from gateway.upstream.systems import PROFILES
    from gateway.versions import FhirVersion

    if (tenant is None) == (fhir_url is None):
        raise typer.BadParameter("give either a tenant or --fhir-url")
    if system not in PROFILES:
        raise typer.BadParameter(f"--system is one of {', '.join(sorted(PROFILES))}")
    for place in (html, Path(json) if json not in (None, "-") else None):
        if place is not None and not place.parent.is_dir():
            raise typer.BadParameter(f"there is no folder {place.parent}")
    options = Options(
        face=FhirVersion(face) if face else None,
        depth=Depth(sample=sample),
        at_a_time=concurrency,
        max_requests=max_requests,
        timeout_seconds=timeout,
        show_values=show_values,
    )
    with progress(Console(stderr=True, highlight=False)) as tick:
        if fhir_url is None:
            report = _registered(str(tenant), options, tick)
        else:
            version = None if fhir_version == "auto" else FhirVersion(fhir_version)
            value = _secret(secret_env, secret_file)
            fields: dict[str, object] = {
                "system": system,
                "auth": _auth(auth, auth_option or [], value),
                "mrn_system": mrn_system,
                "extra_headers": pairs("--header", header or []),
                "extra_parameters": pairs("--parameter", parameter or []),
            }
            try:
                server = unregistered(fhir_url, version, **fields)
            except NotAServer as error:
                raise typer.BadParameter(str(error)) from None
            report = _alone(server, version, value, options, tick)
    if report is not None:
        _write(report, json, html)
        raise typer.Exit(FAILED if report.verdict is Status.FAIL else 0)


def _alone(server: "Tenant", version: "FhirVersion | None", secret: str, options: "Options", tick: "Tick") -> "Report":
    from gateway.conformance import check_server
    from gateway.conformance.unregistered import GivenSecrets, operators_settings

    secrets = GivenSecrets({_GIVEN: secret})
    return asyncio.run(check_server(server, version, operators_settings(), secrets, options, tick))


def _registered(tenant: str, options: "Options", tick: "Tick") -> "Report | None":
    from gateway.conformance import check_tenant

    reports = []

    async def work(session: Session) -> None:
        service = session.service
        found = await session.registry.find_tenant(guid(tenant, "tenant"))
        if found is None:
            raise Unknown("There is no tenant of that id.")
        reports.append(await check_tenant(found.value, service.settings, service.secrets, service.fhir, options, tick))

    try:
        run(work)
    except typer.Exit as end:
        # Exit code 1 means that a must fails: here nothing was checked.
        raise typer.Exit(WRONG) from end
    return reports[0] if reports else None


def _auth(kind: str, options: list[str], secret: str) -> dict[str, object]:
    fields: dict[str, object] = {"kind": kind}
    for option in options:
        name, sign, value = option.partition("=")
        if not sign or name in _SECRET_FIELDS:
            raise typer.BadParameter("--auth-option is NAME=VALUE; a secret comes by --secret-env or --secret-file")
        fields[name] = value
    if secret:
        certificate = kind == "entra" and "-----BEGIN" in secret
        fields["key" if kind == "private-key-jwt" else "certificate" if certificate else "secret"] = _GIVEN
    return fields


def _secret(variable: str | None, file: Path | None) -> str:
    """The secret's value; never from the command line, where other users of the machine read it."""
    if variable is not None and file is not None:
        raise typer.BadParameter("give one of --secret-env and --secret-file")
    if variable is not None:
        if not os.environ.get(variable):
            raise typer.BadParameter(f"the environment variable {variable} is not set")
        return os.environ[variable]
    if file is not None:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise typer.BadParameter("--secret-file cannot be read") from None
    return ""


def _write(report: "Report", json: str | None, html: Path | None) -> None:
    from gateway.conformance import to_document
    from gateway.conformance.page import to_html
    from gateway.conformance.terminal import print_report

    document = orjson.dumps(to_document(report), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    try:
        if html is not None:
            html.write_text(to_html(report), "utf-8")
        if json is not None and json != "-":
            Path(json).write_bytes(document)
    except OSError as error:
        complain(f"The report cannot be written: {error.strerror}.")
        raise typer.Exit(WRONG) from None
    if json == "-":
        typer.echo(document, nl=False)
    else:
        print_report(report, Console(highlight=False))
