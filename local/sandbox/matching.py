"""Whether a resource has a value that a search parameter asks for (http://hl7.org/fhir/R4/search.html)."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.sandbox.dates import date_test
from local.sandbox.search_parameters import SearchParameter

type Test = Callable[[Any], bool]

_BAR = re.compile(r"(?<!\\)\|")
_COMMA = re.compile(r"(?<!\\),")

MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "string": ("contains", "exact", "missing"),
    "token": ("not", "missing"),
    "date": ("missing",),
    "reference": ("missing", "Patient"),
}


def element_values(node: Any, path: str) -> Iterator[Any]:  # noqa: ANN401 - any JSON value
    """Yield the values at a dotted path, every item of the lists on the way and at its end."""
    if isinstance(node, list):
        for item in node:
            yield from element_values(item, path)
    elif not path:
        yield node
    elif isinstance(node, Mapping):
        step, _, rest = path.partition(".")
        if step in node:
            yield from element_values(node[step], rest)


def parameter_values(content: Mapping[str, Any], parameter: SearchParameter) -> Iterator[Any]:
    """Yield the values of a resource that a search parameter looks at."""
    for path in parameter.paths:
        yield from element_values(content, path)


def folded(text: str) -> str:
    """Return text without case and accents, as string search compares it."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def resource_test(parameter: SearchParameter, modifier: str, value: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return the test of one parameter as it stands in a query; commas in `value` mean or.

    The modifier is one of MODIFIERS for the parameter's type, or empty.
    ValueError when the value is malformed.
    """
    if modifier == "missing":
        if value not in {"true", "false"}:
            raise ValueError(":missing takes true or false")
        wanted = value == "true"
        return lambda content: wanted == (next(parameter_values(content, parameter), None) is None)
    tests = [_value_test(parameter, modifier, choice) for choice in _COMMA.split(value)]
    negated = modifier == "not"

    def matches(content: Mapping[str, Any]) -> bool:
        found = any(test(held) for held in parameter_values(content, parameter) for test in tests)
        return found != negated

    return matches


def _value_test(parameter: SearchParameter, modifier: str, value: str) -> Test:
    match parameter.type:
        case "string":
            return _string_test(_unescaped(value), modifier)
        case "token":
            return _token_test(value)
        case "date":
            return date_test(value)
        case "reference":
            return _reference_test(value, modifier)


def _unescaped(value: str) -> str:
    return re.sub(r"\\([,|$\\])", r"\1", value)


def _string_test(asked: str, modifier: str) -> Test:
    if modifier == "exact":
        return lambda held: held == asked
    wanted = folded(asked)
    if modifier == "contains":
        return lambda held: wanted in folded(held)
    return lambda held: folded(held).startswith(wanted)


def _token_test(value: str) -> Test:
    parts = [_unescaped(part) for part in _BAR.split(value, maxsplit=1)]
    system, wanted = parts if len(parts) == 2 else (None, parts[0])  # noqa: PLR2004 - system|code

    def matches(held: Any) -> bool:  # noqa: ANN401 - code, boolean, Coding, CodeableConcept or Identifier
        if isinstance(held, bool):
            return wanted == str(held).lower()
        if isinstance(held, str):
            # A code element's system is implied by its binding and stands nowhere in the resource.
            return wanted == held
        for coding in held.get("coding", [held]):
            code = coding.get("code", coding.get("value", ""))
            if (not wanted or code == wanted) and (system is None or coding.get("system", "") == system):
                return True
        return False

    return matches


def _reference_test(value: str, modifier: str) -> Test:
    asked = "/".join(value.split("/")[-2:])
    if modifier and "/" not in asked:
        asked = f"{modifier}/{asked}"

    def matches(held: Any) -> bool:  # noqa: ANN401 - a Reference
        reference = held.get("reference", "")
        return bool(reference == asked if "/" in asked else reference.rpartition("/")[2] == asked)

    return matches
