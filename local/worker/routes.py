"""Which function answers a request: the host's rules, which are not those of a web framework."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from local.worker.errors import HostError
from local.worker.templates import Template, parse

ALL_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
_RESERVED = ("admin", "runtime")
_NAME = re.compile(r"(?!host\Z)[a-z][a-z0-9_-]{0,127}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class HttpFunction:
    """An HTTP-triggered function; ``route`` is its template without host.json's prefix."""

    name: str
    route: str
    methods: frozenset[str] = ALL_METHODS
    function_id: str = ""
    parameter: str = "req"


def in_host_order(functions: Iterable[HttpFunction]) -> list[HttpFunction]:
    """Return the functions in the order in which the host tries them: by name, without regard to case."""
    return sorted(functions, key=lambda function: function.name.lower())


def check(functions: Iterable[HttpFunction]) -> None:
    """Raise HostError for the first function that the host would refuse at start.

    Refused are: a name that is no function name or is taken, a route in the host's own space, and a route
    that another function has for the same method.
    """
    names: set[str] = set()
    taken: dict[tuple[str, str], str] = {}
    for function in in_host_order(functions):
        if not _NAME.fullmatch(function.name):
            raise HostError(f"function {function.name!r}: not a valid function name")
        if function.name.lower() in names:
            raise HostError(f"function {function.name!r}: two functions have this name")
        names.add(function.name.lower())
        route = function.route.strip("/").lower()
        if route.startswith(_RESERVED):
            raise HostError(
                f"function {function.name!r}: the route {function.route!r} is refused, because routes that "
                "start with 'admin' or 'runtime' belong to the host"
            )
        for method in sorted(function.methods):
            other = taken.setdefault((method, route), function.name)
            if other != function.name:
                raise HostError(
                    f"function {function.name!r}: {method} {function.route!r} is the route of function {other!r} too"
                )


class Router:
    """Finds the function of a request: the first by name whose method and template match.

    A function that lacks the method is passed over like one whose route differs, so an undeclared method
    (HEAD on a GET route, too) finds nothing.
    """

    def __init__(self, functions: Iterable[HttpFunction], prefix: str) -> None:
        routes = [
            (Template((*parse(prefix), *parse(function.route))), function) for function in in_host_order(functions)
        ]
        literals = {template.first_literal for template, _ in routes} | {None}
        # A path's first segment leaves few templates to try; the order among those stays.
        self._routes = {
            (method, first): tuple(
                (template.match, function)
                for template, function in routes
                if method in function.methods and template.first_literal in {None, first}
            )
            for method in ALL_METHODS
            for first in literals
        }

    def match(self, method: str, path: str) -> tuple[HttpFunction, dict[str, str]] | None:
        """Return the function and the route parameters for a decoded path, or None (the host's 404)."""
        first = path[1:].partition("/")[0].lower()
        candidates = self._routes.get((method, first))
        if candidates is None:
            candidates = self._routes.get((method, None), ())
        for match, function in candidates:
            parameters = match(path)
            if parameters is not None:
                return function, parameters
        return None
