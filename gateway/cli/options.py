"""Options and arguments that several commands share."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.errors import InvalidFields

AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output, nothing else there")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")]
ClientId = Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id, a GUID")]
HEADER_HELP = "Fixed header of every request to the FHIR server, such as Redox-Source-Id=…; repeatable. No secrets here"
PARAMETER_HELP = (
    "Fixed query parameter of every request to the FHIR server, such as ah-practice=…; repeatable. No secrets here"
)


def pairs(option: str, given: list[str]) -> dict[str, str]:
    """What a repeatable option `NAME=VALUE` holds. Raises BadParameter."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{option} must be NAME=VALUE")
        if name.strip() in found:
            raise typer.BadParameter(f"{option} names {name.strip()} twice")
        found[name.strip()] = value
    return found


def guid(text: str, what: str) -> str:
    """The GUID in lower case. Raises InvalidFields."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise InvalidFields([(f"{what}_id", "must be a GUID")]) from None
