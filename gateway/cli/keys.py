from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import AsJson, Yes
from gateway.cli.output import confirmed, say, show_json, show_table
from gateway.cli.session import Session, prepare, run

if TYPE_CHECKING:
    from gateway.manage.keys import KeyView

key = typer.Typer(name="key", no_args_is_help=True, help="Keys that access tokens are signed with.")


@key.command("list")
def list_(*, json: AsJson = False) -> None:
    """List the signing keys, without their private parts.

    Example: `python -m gateway key list`
    """

    async def work(session: Session) -> None:
        _show(await session.operations.keys.list(), json=json)

    run(work)


@key.command("rotate")
def rotate(*, json: AsJson = False) -> None:
    """Make a new key (the first one, where there is none). It signs a few minutes later, once everyone can know it; no
    token in use is refused.

    Example: `python -m gateway key rotate`
    """

    async def work(session: Session) -> None:
        await prepare(session.service)
        _show(await session.operations.keys.rotate(session.by), json=json)

    run(work)


@key.command("retire")
def retire(
    kid: Annotated[str, typer.Argument(metavar="KID", help="The key's id, as `key list` shows it")],
    *,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Refuse everything a key has signed, within a minute: for a key that leaked.

    Example: `python -m gateway key retire 20261124-5f0c7a52 --yes`
    """

    async def work(session: Session) -> None:
        confirmed("Refuse every token that this key has signed?", yes=yes)
        _show(await session.operations.keys.retire(session.by, kid), json=json)
        say("Retired.")

    run(work)


def _show(views: "tuple[KeyView, ...]", *, json: bool) -> None:
    if json:
        show_json(list(views))
        return
    rows = [(view.kid, view.state, view.activates, view.retires) for view in views]
    show_table(
        ("KEY", "STATE", "SIGNS FROM", "VERIFIES UNTIL"), rows, "There are no signing keys: key rotate makes one."
    )
