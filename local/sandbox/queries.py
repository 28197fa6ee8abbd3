"""A search's query string, read against the search parameters of a resource type."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from local.sandbox.dates import element_interval
from local.sandbox.hospitals import Hospital
from local.sandbox.matching import MODIFIERS, folded, parameter_values, resource_test
from local.sandbox.outcomes import FhirError
from local.sandbox.search_parameters import SEARCH_PARAMETERS, SearchParameter
from local.sandbox.store import Stored

MAX_PAGE_SIZE = 100

# They change how an answer looks, not what it holds; the server always answers with an accurate total.
_PRESENTATION = {"_format", "_pretty", "_total"}

type ResourceTest = Callable[[Mapping[str, Any]], bool]


class SortKey(NamedTuple):
    """One criterion of a sort order."""

    parameter: SearchParameter
    descending: bool


@dataclass
class Query:
    """What a search asks for; `honoured` are the parameters that counted, for the self link."""

    page_size: int
    total_only: bool = False
    tests: list[ResourceTest] = field(default_factory=list)
    order: list[SortKey] = field(default_factory=list)
    honoured: list[tuple[str, str]] = field(default_factory=list)

    def select(self, resources: Iterable[Stored]) -> list[Stored]:
        """Return the matches: sorted when the query says so, in the given order otherwise."""
        matches = [resource for resource in resources if all(test(resource.content) for test in self.tests)]
        for key in reversed(self.order):
            _sort(matches, key)
        return matches


def parse_query(hospital: Hospital, resource_type: str, pairs: Iterable[tuple[str, str]], *, strict: bool) -> Query:
    """Read the parameters of a search; repeated ones must all hold.

    Unknown parameters are left out, or end in FhirError 400 when `strict` (Prefer: handling=strict). Known
    ones with a modifier the server has not, or with a malformed value, always end in FhirError 400.
    """
    query = Query(page_size=hospital.page_size)
    parameters = SEARCH_PARAMETERS[hospital.version][resource_type]
    for name, value in pairs:
        code, _, modifier = name.partition(":")
        if code == "_count":
            _read_count(query, value)
        elif name == "_summary" and value == "count":
            query.total_only = True
        elif code == "_sort" and _read_sort(query, hospital, parameters, modifier, value):
            pass
        elif code in parameters and value:
            query.tests.append(_test(code, parameters[code], modifier, value))
        elif not value or code in _PRESENTATION:
            continue
        elif strict:
            raise FhirError(400, "not-supported", f"Search parameter '{name}' is not supported for {resource_type}")
        else:
            continue
        query.honoured.append((name, value))
    return query


def _read_count(query: Query, value: str) -> None:
    if not (value.isascii() and value.isdigit()):
        raise FhirError(400, "value", "_count takes a whole number that is not negative")
    query.page_size = min(int(value), MAX_PAGE_SIZE)
    query.total_only = query.total_only or query.page_size == 0


def _read_sort(
    query: Query, hospital: Hospital, parameters: Mapping[str, SearchParameter], modifier: str, value: str
) -> bool:
    """Add a sort order in the syntax of the hospital's version; False when it is not one the server knows."""
    if not hospital.sort:
        return False
    if hospital.version == "dstu2":
        if modifier not in {"", "asc", "desc"} or value not in parameters:
            return False
        query.order.append(SortKey(parameters[value], modifier == "desc"))
        return True
    names = value.split(",")
    if modifier or any(name.removeprefix("-") not in parameters for name in names):
        return False
    query.order += [SortKey(parameters[name.removeprefix("-")], name.startswith("-")) for name in names]
    return True


def _test(code: str, parameter: SearchParameter, modifier: str, value: str) -> ResourceTest:
    if modifier and modifier not in MODIFIERS[parameter.type]:
        raise FhirError(400, "not-supported", f"Search parameter '{code}' has no modifier ':{modifier}'")
    try:
        return resource_test(parameter, modifier, value)
    except ValueError as error:
        raise FhirError(400, "value", f"The value of search parameter '{code}' is malformed") from error


def _sort(matches: list[Stored], key: SortKey) -> None:
    """Sort in place and stably; resources without a value come last in either direction."""
    keyed = [(_sort_values(resource, key.parameter), resource) for resource in matches]
    pick = max if key.descending else min
    present = [(pick(values), resource) for values, resource in keyed if values]
    present.sort(key=lambda pair: pair[0], reverse=key.descending)
    matches[:] = [resource for _, resource in present] + [resource for values, resource in keyed if not values]


def _sort_values(resource: Stored, parameter: SearchParameter) -> list[str]:
    values = list(parameter_values(resource.content, parameter))
    if parameter.type == "date":
        return [_instant(element_interval(value).start) for value in values]
    if parameter.type == "string":
        return [folded(value) for value in values]
    return [_code(value) for value in values]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _code(value: Any) -> str:  # noqa: ANN401 - any element that a token or reference parameter looks at
    if not isinstance(value, Mapping):
        return str(value)
    coding: Mapping[str, Any] = next(iter(value.get("coding", [value])), {})
    return str(coding.get("code") or coding.get("value") or coding.get("reference") or "")
