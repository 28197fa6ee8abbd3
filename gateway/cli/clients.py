import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.lists import up_to
from gateway.cli.options import AsJson, ClientId, Yes, guid
from gateway.cli.output import confirmed, say, show_fields, show_json, show_table, warn
from gateway.cli.session import Session, prepare, run, run_on_registry

if TYPE_CHECKING:
    from gateway.manage.documents import ClientView
    from gateway.registry import Registry

client = typer.Typer(name="client", no_args_is_help=True, help="Programs that may draw tokens.")

_Tenant = Annotated[list[str] | None, typer.Option("--tenant", help="A tenant it may use, a GUID; repeatable")]
_All = Annotated[bool, typer.Option("--all-tenants", help="It may use every tenant, later ones too")]
_Method = Annotated[
    list[str] | None,
    typer.Option(help="client_secret_post, client_secret_basic or private_key_jwt; repeatable; default: all"),
]
_Jwks = Annotated[Path | None, typer.Option(help="File with its public keys (RFC 7517)", exists=True, dir_okay=False)]
_JwksUri = Annotated[str | None, typer.Option(help="Where its public keys are")]


@client.command("add")
def add(  # noqa: PLR0913  # one parameter an option
    name: Annotated[str, typer.Option(help="What people call it")],
    *,
    tenant: _Tenant = None,
    all_tenants: _All = False,
    id: Annotated[str | None, typer.Option(help="Its client_id, a GUID; default: a new one")] = None,  # noqa: A002  # the option's name
    auth_method: _Method = None,
    jwks: _Jwks = None,
    jwks_uri: _JwksUri = None,
    no_secret: Annotated[bool, typer.Option("--no-secret", help="Make no first secret")] = False,
    description: Annotated[str, typer.Option(help="Of the first secret")] = "",
    expires: Annotated[str | None, typer.Option(help="Of the first secret, such as 90d; default: 180d")] = None,
    json: AsJson = False,
) -> None:
    """Make a client, with a first secret that is shown this once.

    Example: `python -m gateway client add --name "Patients app" --all-tenants --json`
    """
    if all_tenants == bool(tenant):
        raise typer.BadParameter("give either --tenant or --all-tenants")
    fields = {"name": name, "secret": not no_secret, "description": description}
    optional = {"client_id": id, "expires": expires, **_keys(auth_method, jwks, jwks_uri)}
    fields |= {field: value for field, value in optional.items() if value is not None}
    fields["tenants"] = "*" if all_tenants else tenant

    async def work(session: Session) -> None:
        from gateway.manage.documents import ClientNew, validated

        new = validated(ClientNew, fields)
        await prepare(session.service)
        made, view = await session.operations.clients.create(session.by, new)
        warn(view.warnings)
        if json:
            show_json(view)
            return
        _show(view)
        if view.client_secret:
            show_fields({"client_secret": view.client_secret})
            say("Keep the secret now: it is shown this once.")
        say("Added." if made.created else "It was there already, just so; its secret cannot be shown again.")

    run(work)


@client.command("list")
def list_(
    limit: Annotated[int | None, typer.Option(min=1, help="How many at most; 100 in a table, all as JSON")] = None,
    *,
    json: AsJson = False,
) -> None:
    """List clients in the order of their ids.

    Example: `python -m gateway client list`
    """

    async def work(registry: "Registry") -> None:
        from gateway.manage.documents import ClientView

        most = limit or (None if json else 100)
        found = [ClientView.of(value) async for value in up_to(most, registry.client_page)]
        if json:
            show_json([view.model_dump(mode="json", exclude_none=True, exclude={"warnings"}) for view in found])
            return
        show_table(
            ("CLIENT", "NAME", "TENANTS", "ENABLED", "ACTIVE SECRETS", "NEXT EXPIRY"),
            [_row(view) for view in found],
            "There are no clients.",
        )
        if len(found) == most:
            say(f"The first {most}; --limit shows more.")

    run_on_registry(work)


@client.command("show")
def show(client_id: ClientId, *, json: AsJson = False) -> None:
    """Show a client and its secrets, with when they were last used.

    Example: `python -m gateway client show 0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11`
    """

    async def work(session: Session) -> None:
        stored = await session.operations.clients.find(guid(client_id, "client"))
        view = await session.operations.clients.view(stored)
        show_json(view) if json else _show(view)

    run(work)


@client.command("update")
def update(  # noqa: PLR0913  # one parameter an option
    client_id: ClientId,
    *,
    name: Annotated[str | None, typer.Option(help="What people call it")] = None,
    tenant: _Tenant = None,
    all_tenants: _All = False,
    auth_method: _Method = None,
    jwks: _Jwks = None,
    jwks_uri: _JwksUri = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="In use or not")] = None,
    json: AsJson = False,
) -> None:
    """Change what is named, and nothing else; `--tenant` replaces the whole list.

    Example: `python -m gateway client update 0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11 --all-tenants`
    """
    if all_tenants and tenant:
        raise typer.BadParameter("give either --tenant or --all-tenants")
    optional = {"name": name, "enabled": enabled, **_keys(auth_method, jwks, jwks_uri)}
    patch: dict[str, Any] = {field: value for field, value in optional.items() if value is not None}
    if all_tenants or tenant:
        patch["tenants"] = "*" if all_tenants else tenant
    _patch(client_id, patch, "Updated.", json=json)


@client.command("disable")
def disable(client_id: ClientId, *, json: AsJson = False) -> None:
    """Refuse a client and the tokens it holds, until `update --enable`.

    Example: `python -m gateway client disable 0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11`
    """
    _patch(client_id, {"enabled": False}, "Disabled; every instance knows within CACHE_TTL_SECONDS.", json=json)


@client.command("remove")
def remove(client_id: ClientId, *, yes: Yes = False) -> None:
    """Remove a client and its secrets; the tokens it holds stop working.

    Example: `python -m gateway client remove 0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11 --yes`
    """

    async def work(session: Session) -> None:
        found = await session.operations.clients.find(guid(client_id, "client"))
        confirmed(f"Remove the client {found.value.name}?", yes=yes)
        await session.operations.clients.remove(session.by, found.value.client_id)
        say("Removed.")

    run(work)


def _patch(client_id: str, patch: dict[str, Any], text: str, *, json: bool) -> None:
    async def work(session: Session) -> None:
        from gateway.manage.documents import ClientView

        made = await session.operations.clients.update(session.by, guid(client_id, "client"), patch)
        warn(made.warnings)
        view = ClientView.of(made.stored.value)
        if json:
            show_json(view)
            return
        _show(view)
        say(text)

    run(work)


def _keys(methods: list[str] | None, jwks: Path | None, jwks_uri: str | None) -> dict[str, object]:
    try:
        keys = json_format.loads(jwks.read_text(encoding="utf-8")) if jwks else None
    except ValueError:
        raise typer.BadParameter("--jwks names no JSON file") from None
    return {"auth_methods": methods or None, "jwks": keys, "jwks_uri": jwks_uri}


def _row(view: "ClientView") -> tuple[object, ...]:
    active = [secret.expires for secret in view.secrets if secret.state == "active"]
    tenants = "all" if view.tenants == "*" else f"{len(view.tenants)}"
    return view.client_id, view.name, tenants, view.enabled, len(active), min(active, default=None)


def _show(view: "ClientView") -> None:
    from gateway.registry.models import now

    fields = view.model_dump(exclude={"secrets", "warnings", "secret_id", "client_secret", "expires", "jwks"})
    show_fields(fields | {"keys": len((view.jwks or {}).get("keys", ())) or None})
    at = now()
    show_table(
        ("SECRET", "HINT", "STATE", "EXPIRES", "DAYS", "LAST USED", "DESCRIPTION"),
        [
            (
                secret.secret_id,
                f"{secret.hint}…",
                secret.state,
                secret.expires,
                (secret.expires - at).days,
                secret.last_used,
                secret.description,
            )
            for secret in view.secrets
        ],
        "It has no secrets.",
    )
