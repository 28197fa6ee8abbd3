"""Options and arguments that several commands share."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.errors import InvalidFields

AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output, nothing else there")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")]
ClientId = Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id, a GUID")]


def guid(text: str, what: str) -> str:
    """The GUID in lower case. Raises InvalidFields."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise InvalidFields([(f"{what}_id", "must be a GUID")]) from None
