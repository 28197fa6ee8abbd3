import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE = 240
"""Columns where there is no terminal, so that a pipe gets whole lines."""


def say(text: str) -> None:
    """A message for people, on standard error."""
    typer.echo(text, err=True)


def warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        typer.secho(f"Warning: {warning}", fg="yellow", err=True)


def complain(text: str, detail: str = "") -> None:
    """Why a command failed, on standard error."""
    typer.secho(f"Error: {text}" + (f" ({detail})" if detail else ""), fg="red", err=True)


def show_json(value: object) -> None:
    """The result for machines, on standard output."""
    plain = value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value
    sys.stdout.write(orjson.dumps(plain, default=_plain, option=orjson.OPT_INDENT_2).decode() + "\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # As plain text: a name may look like markup.
        table.add_row(*(Text(_cell(cell)) for cell in row))
    if table.row_count:
        _console().print(table)
    else:
        say(empty)


def show_fields(fields: dict[str, object]) -> None:
    """One thing, a field a line."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields.items():
        if value not in (None, "", ()):
            table.add_row(Text(name), Text(_cell(value)))
    _console().print(table)


def confirmed(question: str, *, yes: bool) -> None:
    """Return when the operator agrees; end the command otherwise."""
    if yes:
        return
    if not sys.stdin.isatty():
        complain("This cannot be undone: add --yes.")
        raise typer.Exit(2)
    typer.confirm(question, abort=True, err=True)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    raise TypeError(type(value).__name__)
