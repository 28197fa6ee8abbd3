import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.app import app

ROOT = Path(__file__).parents[3]


def commands() -> list[str]:
    return [
        f"{noun.typer_instance.info.name} {verb.name}"
        for noun in app.registered_groups
        if isinstance(noun.typer_instance, typer.Typer)
        for verb in noun.typer_instance.registered_commands
    ]


def test_the_documentation_lists_every_command() -> None:
    documented = re.findall(r"^\| `(\w+ [\w-]+)` \|", (ROOT / "docs/cli.md").read_text(), re.MULTILINE)
    assert documented
    assert set(documented) == set(commands())


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout
