from typing import Annotated

import typer

from gateway.cli.options import AsJson, ClientId, Yes, guid
from gateway.cli.output import confirmed, say, show_fields, show_json, show_table
from gateway.cli.session import Session, run

secret = typer.Typer(name="secret", no_args_is_help=True, help="Secrets of clients; a value is shown once.")


@secret.command("add")
def add(
    client_id: ClientId,
    *,
    description: Annotated[str, typer.Option(help="What it is for")] = "",
    expires: Annotated[str | None, typer.Option(help="12h, 180d, 6m, 1y or a date; default: 180d, at most 2y")] = None,
    revoke_others: Annotated[
        bool, typer.Option("--revoke-others", help="Revoke all others in the same moment")
    ] = False,
    json: AsJson = False,
) -> None:
    """Make one more secret, whose value is shown this once.

    Example: `python -m gateway secret add 0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11 --expires 90d --revoke-others`
    """
    fields = {"description": description, "revoke_others": revoke_others}
    fields |= {"expires": expires} if expires is not None else {}

    async def work(session: Session) -> None:
        from gateway.manage.documents import SecretNew, validated

        new = validated(SecretNew, fields)
        made = await session.operations.clients.add_secret(session.by, guid(client_id, "client"), new)
        if json:
            show_json(made)
            return
        show_fields(dict(made))
        say("Keep the secret now: it is shown this once.")

    run(work)


@secret.command("list")
def list_(client_id: ClientId, *, json: AsJson = False) -> None:
    """List a client's secrets, without their values.

    Example: `python -m gateway secret list 0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11`
    """

    async def work(session: Session) -> None:
        secrets = await session.operations.clients.secrets(guid(client_id, "client"))
        if json:
            show_json(list(secrets))
            return
        show_table(
            ("SECRET", "HINT", "STATE", "CREATED", "EXPIRES", "LAST USED", "DESCRIPTION"),
            [
                (
                    view.secret_id,
                    f"{view.hint}…",
                    view.state,
                    view.created,
                    view.expires,
                    view.last_used,
                    view.description,
                )
                for view in secrets
            ],
            "It has no secrets.",
        )

    run(work)


@secret.command("revoke")
def revoke(
    client_id: ClientId,
    secret_id: Annotated[str, typer.Argument(metavar="SECRET", help="The secret's id, a GUID")],
    *,
    yes: Yes = False,
) -> None:
    """Stop a secret, and the tokens that were drawn with it, within CACHE_TTL_SECONDS.

    Example: `python -m gateway secret revoke 0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11
    5f0c7a52-1f0e-4a3c-8f51-0d6c2b9e7f10 --yes`
    """

    async def work(session: Session) -> None:
        client, wanted = guid(client_id, "client"), guid(secret_id, "secret")
        confirmed("Revoke this secret?", yes=yes)
        await session.operations.clients.revoke_secret(session.by, client, wanted)
        say("Revoked.")

    run(work)
