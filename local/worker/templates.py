"""Route templates of ASP.NET routing: literals, ``{param:constraint}``, ``{param?}`` and ``{*path}``."""

import re
from dataclasses import dataclass

from local.worker.constraints import Check, constraint
from local.worker.errors import HostError

_SEGMENT = re.compile(r"(?:\{(?:[^{}]|\{\{|\}\})*\}|[^/{}])+")
_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::.*?)?)(\??)\}", re.DOTALL | re.ASCII)
_CONSTRAINT = re.compile(r":(\w+)(?:\((.*?)\)(?=:|\Z))?", re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class Literal:
    """A segment that is matched as it stands, without regard to case."""

    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A segment that takes any text that passes its constraints; a catch-all takes all that is left."""

    name: str
    constraints: tuple[tuple[str, str | None], ...]
    optional: bool
    catch_all: bool

    def checks(self) -> tuple[Check, ...]:
        """Return the checks that a value of this parameter passes."""
        return tuple(constraint(name, argument) for name, argument in self.constraints)


type Segment = Literal | Parameter


def parse(route: str) -> tuple[Segment, ...]:
    """Read a route template into its segments.

    Raises HostError for what this host does not do: segments that mix text and parameters, default values,
    optional parameters before required ones and a catch-all that is not last.
    """
    text = route.strip("/")
    pieces = _SEGMENT.findall(text)
    if "/".join(pieces) != text:
        raise HostError(f"route {route!r} cannot be read")
    segments = tuple(_segment(piece, route) for piece in pieces)
    optional_seen = False
    for index, segment in enumerate(segments):
        open_ended = isinstance(segment, Parameter) and (segment.optional or segment.catch_all)
        if optional_seen and not open_ended:
            raise HostError(f"route {route!r}: an optional parameter stands before a required segment")
        if isinstance(segment, Parameter) and segment.catch_all and index != len(segments) - 1:
            raise HostError(f"route {route!r}: a catch-all parameter must be last")
        optional_seen = optional_seen or open_ended
    return segments


def _segment(piece: str, route: str) -> Segment:
    if "{" not in piece:
        return Literal(piece)
    found = _PARAMETER.fullmatch(piece)
    if found is None:
        raise HostError(f"route {route!r}: the local host does not read the segment {piece!r}")
    stars, name, tail, question = found.groups()
    # Braces within a constraint are written twice in a template.
    tail = tail.replace("{{", "{").replace("}}", "}")
    constraints = tuple((part[1], part[2]) for part in _CONSTRAINT.finditer(tail))
    if sum(len(part[0]) for part in _CONSTRAINT.finditer(tail)) != len(tail):
        raise HostError(f"route {route!r}: the local host does not read the segment {piece!r}")
    parameter = Parameter(name, constraints, question == "?", stars != "")
    parameter.checks()
    return parameter


class Template:
    """A compiled template that is matched against whole paths such as ``/api/things/1``."""

    __slots__ = ("_checks", "_match", "_names", "first_literal")

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        parameters = [segment for segment in segments if isinstance(segment, Parameter)]
        self._match = re.compile(_pattern(segments), re.IGNORECASE | re.DOTALL | re.ASCII).fullmatch
        self._names = tuple(parameter.name for parameter in parameters)
        self._checks = tuple((parameter.name, check) for parameter in parameters for check in parameter.checks())
        first = segments[0] if segments else None
        self.first_literal = first.text.lower() if isinstance(first, Literal) else None

    def match(self, path: str) -> dict[str, str] | None:
        """Return the route parameters of a decoded path (absent ones left out), or None if it differs."""
        found = self._match(path)
        if found is None:
            return None
        if not self._names:
            return {}
        values = {name: value for name, value in zip(self._names, found.groups(), strict=True) if value}
        for name, check in self._checks:
            if name in values and not check(values[name]):
                return None
        return values


def _pattern(segments: tuple[Segment, ...]) -> str:
    parts = []
    for segment in segments:
        if isinstance(segment, Literal):
            parts.append("/" + re.escape(segment.text))
        elif segment.catch_all:
            # The first segment that it takes may not be empty; what follows is taken as it is.
            parts.append("(?:/(?!/)(.*))?")
        elif segment.optional:
            parts.append("(?:/([^/]+))?")
        else:
            parts.append("/([^/]+)")
    return "".join(parts) + "/?"
