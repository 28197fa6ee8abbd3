import sys

import typer

from gateway.cli.audit import audit
from gateway.cli.check import check
from gateway.cli.clients import client
from gateway.cli.imports import import_
from gateway.cli.keys import key
from gateway.cli.secrets import secret
from gateway.cli.tenants import tenant

app = typer.Typer(
    name="gateway",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Operate the Patients Gateway: tenants, clients, their secrets, signing keys and the audit trail.

    Settings come from the environment, or from `.local/` of a stack that runs on this machine. Exit codes: 0 done,
    1 failed, 2 wrong usage, input or settings.
    """,
)
tenant.command("import")(import_)
for noun in (tenant, client, secret, key, audit):
    app.add_typer(noun)
app.command("check")(check)


def main() -> None:
    """Run the command line of this process."""
    app(_arguments(sys.argv[1:]), prog_name="python -m gateway")


def _arguments(given: list[str]) -> list[str]:
    """`--json -` means what `--json` does: standard output. The report of `check` may go to a file instead."""
    if given[:1] == ["check"]:
        return given
    return [argument for at, argument in enumerate(given) if not (argument == "-" and at and given[at - 1] == "--json")]
