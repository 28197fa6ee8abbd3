from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.lists import up_to
from gateway.cli.options import HEADER_HELP, PARAMETER_HELP, AsJson, Yes, guid, pairs
from gateway.cli.output import confirmed, say, show_fields, show_json, show_table, warn
from gateway.cli.session import Session, prepare, run, run_on_registry

if TYPE_CHECKING:
    from gateway.manage.tenants import Made
    from gateway.registry import Registry, Tenant

tenant = typer.Typer(name="tenant", no_args_is_help=True, help="Hospitals and the FHIR servers behind them.")

_TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id, a GUID")]
_Version = Annotated[str | None, typer.Option(help="auto, dstu2, stu3 or r4; auto asks the server")]
_System = Annotated[str | None, typer.Option(help="Profile of the FHIR server, such as hapi, epic or generic")]
_Auth = Annotated[
    str | None,
    typer.Option(
        help="How the gateway signs in there: none, header, basic, client-secret-post, client-secret-basic, "
        "private-key-jwt or entra"
    ),
]
_AuthOption = Annotated[
    list[str] | None,
    typer.Option(
        "--auth-option",
        "-o",
        metavar="NAME=VALUE",
        help="A part of --auth, such as secret=upstream-northfield; repeatable. Secrets are named, never given",
    ),
]
_Mrn = Annotated[str | None, typer.Option(help="Identifier system of medical record numbers; empty: none")]
_Concurrency = Annotated[int | None, typer.Option(help="Requests at one time to this server, from one instance")]
_Notes = Annotated[str | None, typer.Option(help="Anything worth knowing; up to 4000 characters")]
_Header = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help=f"{HEADER_HELP}. Replaces all of them; empty: none")
]
_Parameter = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help=f"{PARAMETER_HELP}. Replaces all of them; empty: none")
]
_Name = Annotated[str | None, typer.Option(help="What people call it")]
_Url = Annotated[str | None, typer.Option(help="Base URL of its FHIR server")]


@tenant.command("add")
def add(  # noqa: PLR0913  # one parameter an option
    id: Annotated[str, typer.Option(help="The Entra tenant id that the app names, a GUID")],  # noqa: A002  # the option's name
    name: Annotated[str, typer.Option(help="What people call it")],
    fhir_url: Annotated[str, typer.Option(help="Base URL of its FHIR server")],
    *,
    fhir_version: _Version = None,
    system: _System = None,
    auth: _Auth = None,
    auth_option: _AuthOption = None,
    mrn_system: _Mrn = None,
    max_concurrency: _Concurrency = None,
    header: _Header = None,
    parameter: _Parameter = None,
    notes: _Notes = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Not in use yet")] = False,
    json: AsJson = False,
) -> None:
    """Take on a hospital. Adding the same once more changes nothing.

    Example: `python -m gateway tenant add --id 7c9e6679-7425-40de-944b-e07fc1f90ae7 --name "Northfield"
    --fhir-url https://ehr.example/fhir --system hapi --auth client-secret-basic -o client_id=gateway
    -o secret=upstream-northfield --header Redox-Source-Id=3f9c0a52-7d1e-4c57-9b6a-2f1f6a0f4d11`
    """
    fields = _fields(name, fhir_url, fhir_version, system, auth, auth_option, mrn_system, max_concurrency, notes)
    fields |= _extras(header, parameter)
    new = {"tenant_id": id, **fields, **({"enabled": False} if disabled else {})}

    async def work(session: Session) -> None:
        from gateway.manage.documents import TenantNew, validated

        wanted = validated(TenantNew, new)
        await prepare(session.service)
        made = await session.operations.tenants.create(session.by, wanted)
        _show(made, "Added." if made.created else "It was there already, just so.", json=json)

    run(work)


@tenant.command("list")
def list_(
    limit: Annotated[int | None, typer.Option(min=1, help="How many at most; 100 in a table, all as JSON")] = None,
    *,
    json: AsJson = False,
) -> None:
    """List tenants in the order of their ids.

    Example: `python -m gateway tenant list --json | jq '.[] | select(.enabled | not) | .name'`
    """

    async def work(registry: "Registry") -> None:
        most = limit or (None if json else 100)
        found = [value async for value in up_to(most, registry.tenant_page)]
        if json:
            show_json([_plain(value) for value in found])
            return
        show_table(
            ("TENANT", "NAME", "VERSION", "SYSTEM", "AUTH", "ENABLED", "FHIR URL"),
            [
                (
                    value.tenant_id,
                    value.name,
                    value.fhir_version,
                    value.system,
                    value.auth.kind,
                    value.enabled,
                    value.fhir_url,
                )
                for value in found
            ],
            "There are no tenants.",
        )
        if len(found) == most:
            say(f"The first {most}; --limit shows more.")

    run_on_registry(work)


@tenant.command("show")
def show(tenant_id: _TenantId, *, json: AsJson = False) -> None:
    """Show everything about a tenant.

    Example: `python -m gateway tenant show 7c9e6679-7425-40de-944b-e07fc1f90ae7`
    """

    async def work(session: Session) -> None:
        from gateway.manage.tenants import Made

        _show(Made(await session.operations.tenants.find(guid(tenant_id, "tenant"))), "", json=json)

    run(work)


@tenant.command("update")
def update(  # noqa: PLR0913  # one parameter an option
    tenant_id: _TenantId,
    *,
    name: _Name = None,
    fhir_url: _Url = None,
    fhir_version: _Version = None,
    system: _System = None,
    auth: _Auth = None,
    auth_option: _AuthOption = None,
    mrn_system: _Mrn = None,
    max_concurrency: _Concurrency = None,
    header: _Header = None,
    parameter: _Parameter = None,
    notes: _Notes = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="In use or not")] = None,
    json: AsJson = False,
) -> None:
    """Change what is named, and nothing else. `--auth` replaces the whole of it, `--header` and `--parameter` all of
    theirs.

    Example: `python -m gateway tenant update 7c9e6679-7425-40de-944b-e07fc1f90ae7 --fhir-version auto --enable
    --header Redox-Source-Id=3f9c0a52-7d1e-4c57-9b6a-2f1f6a0f4d11 --parameter ""`
    """
    patch = _fields(name, fhir_url, fhir_version, system, auth, auth_option, mrn_system, max_concurrency, notes)
    patch |= _extras(header, parameter)
    if enabled is not None:
        patch["enabled"] = enabled

    async def work(session: Session) -> None:
        made = await session.operations.tenants.update(session.by, guid(tenant_id, "tenant"), patch)
        _show(made, "Updated.", json=json)

    run(work)


@tenant.command("disable")
def disable(tenant_id: _TenantId, *, json: AsJson = False) -> None:
    """Refuse every request for a tenant, until `update --enable`.

    Example: `python -m gateway tenant disable 7c9e6679-7425-40de-944b-e07fc1f90ae7`
    """

    async def work(session: Session) -> None:
        made = await session.operations.tenants.update(session.by, guid(tenant_id, "tenant"), {"enabled": False})
        _show(made, "Disabled; every instance knows within CACHE_TTL_SECONDS.", json=json)

    run(work)


@tenant.command("remove")
def remove(tenant_id: _TenantId, *, yes: Yes = False) -> None:
    """Remove a tenant. The audit trail keeps what it was.

    Example: `python -m gateway tenant remove 7c9e6679-7425-40de-944b-e07fc1f90ae7 --yes`
    """

    async def work(session: Session) -> None:
        found = await session.operations.tenants.find(guid(tenant_id, "tenant"))
        confirmed(f"Remove the tenant {found.value.name}?", yes=yes)
        await session.operations.tenants.remove(session.by, found.value.tenant_id)
        say("Removed.")

    run(work)


def _fields(*given: Any) -> dict[str, Any]:  # noqa: ANN401  # the options, in the order of the names below
    names = ("name", "fhir_url", "fhir_version", "system", "auth", "options", "mrn_system", "max_concurrency", "notes")
    fields = {name: value for name, value in zip(names, given, strict=True) if value is not None}
    options = fields.pop("options", None)
    if options and "auth" not in fields:
        raise typer.BadParameter("--auth-option is a part of --auth: give both")
    if "auth" in fields:
        fields["auth"] = {"kind": fields["auth"], **pairs("--auth-option", options or [])}
    if fields.get("mrn_system") == "":
        fields["mrn_system"] = None
    return fields


def _extras(headers: list[str] | None, parameters: list[str] | None) -> dict[str, Any]:
    given = {"extra_headers": ("--header", headers), "extra_parameters": ("--parameter", parameters)}
    return {field: pairs(option, [text for text in texts if text]) for field, (option, texts) in given.items() if texts}


def _show(made: "Made[Tenant]", text: str, *, json: bool) -> None:
    from gateway.manage.tenants import tenant_view

    view = tenant_view(made)
    warn(view.warnings)
    if json:
        show_json(view)
        return
    groups = {
        "auth": view.auth.model_dump(exclude_none=True),
        "extra_headers": view.extra_headers,
        "extra_parameters": view.extra_parameters,
    }
    fields = view.model_dump(exclude={"warnings"})
    for field, group in groups.items():
        fields[field] = " ".join(f"{name}={value}" for name, value in group.items())
    show_fields(fields)
    if text:
        say(text)


def _plain(value: "Tenant") -> dict[str, Any]:
    from gateway.manage.documents import TenantView

    return TenantView.model_validate(value.model_dump()).model_dump(
        mode="json", exclude_none=True, exclude={"warnings"}
    )
