"""Inline route constraints of ASP.NET routing, as in ``{id:int}`` (all but the date and decimal ones)."""

import re
from collections.abc import Callable

from local.worker.errors import HostError

type Check = Callable[[str], bool]

_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_ALPHA = re.compile(r"[a-z]*", re.IGNORECASE | re.ASCII)
_INT_LIMIT = 2**31
_LONG_LIMIT = 2**63


def constraint(name: str, argument: str | None) -> Check:
    """Return the check of a constraint such as ``length(1,64)``; names are case-insensitive.

    Raises HostError for a constraint that this host does not know and for an argument it cannot read.
    """
    try:
        if argument is None:
            return _PLAIN[name.lower()]
        return _WITH_ARGUMENT[name.lower()](argument)
    except (KeyError, ValueError, re.error):
        shown = name if argument is None else f"{name}({argument})"
        raise HostError(f"route constraint {shown} is not known to the local host") from None


def _integer_below(limit: int) -> Check:
    return lambda text: bool(_INTEGER.fullmatch(text)) and -limit <= int(text) < limit


def _regex(pattern: str) -> Check:
    # ASP.NET searches and ignores case; it anchors nothing by itself.
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: compiled.search(text) is not None


def _length(argument: str) -> Check:
    bounds = [int(part) for part in argument.split(",")]
    low, high = bounds[0], bounds[-1]
    return lambda text: low <= len(text) <= high


def _minimum_length(argument: str) -> Check:
    low = int(argument)
    return lambda text: len(text) >= low


def _maximum_length(argument: str) -> Check:
    high = int(argument)
    return lambda text: len(text) <= high


def _between(low: int, high: int) -> Check:
    is_long = _PLAIN["long"]
    return lambda text: is_long(text) and low <= int(text) <= high


def _range(argument: str) -> Check:
    low, high = argument.split(",")
    return _between(int(low), int(high))


_PLAIN: dict[str, Check] = {
    "int": _integer_below(_INT_LIMIT),
    "long": _integer_below(_LONG_LIMIT),
    "guid": lambda text: _GUID.fullmatch(text) is not None,
    "alpha": lambda text: _ALPHA.fullmatch(text) is not None,
    "bool": lambda text: text.strip().lower() in {"true", "false"},
    "required": lambda text: text != "",
}
_WITH_ARGUMENT: dict[str, Callable[[str], Check]] = {
    "regex": _regex,
    "length": _length,
    "minlength": _minimum_length,
    "maxlength": _maximum_length,
    "min": lambda argument: _between(int(argument), _LONG_LIMIT),
    "max": lambda argument: _between(-_LONG_LIMIT, int(argument)),
    "range": _range,
}
