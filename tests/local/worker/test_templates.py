import pytest

from local.worker.errors import HostError
from local.worker.templates import Template, parse

GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("route", "path", "expected"),
    [
        # literals: case-insensitive, one trailing slash forgiven
        ("things", "/things", {}),
        ("things", "/THINGS", {}),
        ("things", "/things/", {}),
        ("things", "/things//", None),
        ("things", "//things", None),
        ("things", "/thing", None),
        ("things", "/things/1", None),
        ("$export", "/$export", {}),
        (".well-known/jwks.json", "/.well-known/jwksxjson", None),
        # parameters: exactly one segment, never an empty one, value as sent
        ("things/{id}", "/things/Ab", {"id": "Ab"}),
        ("things/{id}", "/things/Ab/", {"id": "Ab"}),
        ("things/{id}", "/things/", None),
        ("things/{id}", "/things", None),
        ("things/{id}", "/things/a/b", None),
        ("{a}/{b}", "/x//y", None),
        ("things/{id?}", "/things", {}),
        ("things/{id?}", "/things/1", {"id": "1"}),
        ("things/{id?}", "/things/", {}),
        # constraints
        ("t/{n:int}", "/t/12", {"n": "12"}),
        ("t/{n:int}", "/t/-12", {"n": "-12"}),
        ("t/{n:int}", "/t/1x", None),
        ("t/{n:int}", "/t/2147483648", None),
        ("t/{n:long}", "/t/2147483648", {"n": "2147483648"}),
        ("t/{n:int?}", "/t", {}),
        ("t/{n:guid}", f"/t/{GUID}", {"n": GUID}),
        ("t/{n:guid}", "/t/0f8fad5b", None),
        ("t/{n:alpha}", "/t/abC", {"n": "abC"}),
        ("t/{n:alpha}", "/t/ab1", None),
        ("t/{n:regex(^[A-Z]{{2}}$)}", "/t/ab", {"n": "ab"}),
        ("t/{n:regex(^[A-Z]{{2}}$)}", "/t/abc", None),
        ("t/{n:regex(b)}", "/t/abc", {"n": "abc"}),
        ("t/{n:regex(^(a|b:c)$)}", "/t/b:c", {"n": "b:c"}),
        ("t/{n:alpha:length(2,3)}", "/t/ab", {"n": "ab"}),
        ("t/{n:alpha:length(2,3)}", "/t/abcd", None),
        ("t/{n:range(1,5)}", "/t/6", None),
        ("t/{n:min(3)}", "/t/3", {"n": "3"}),
        # catch-alls
        ("{*path}", "/", {}),
        ("{*path}", "/a/b", {"path": "a/b"}),
        ("fhir/{*path}", "/fhir", {}),
        ("fhir/{*path}", "/fhir/", {}),
        ("fhir/{*path}", "/fhir/a/", {"path": "a/"}),
        ("fhir/{*path}", "/fhir//a", None),
        ("fhir/{*path}", "//fhir/a", None),
        ("fhir/{*path}", "/FHIR/A", {"path": "A"}),
        ("fhir/{*path}", "/fhirs", None),
    ],
)
def test_a_template_matches_as_aspnet_routing_does(route: str, path: str, expected: dict[str, str] | None) -> None:
    assert Template(parse(route)).match(path) == expected


@pytest.mark.parametrize(
    "route",
    [
        "a-{id}",
        "{a}{b}",
        "{a=1}",
        "{a?}/b",
        "{*a}/b",
        "a//b",
        "{a",
        "{a:nosuch}",
        "{a:int(1)}",
        "{a:length(x)}",
    ],
)
def test_what_cannot_be_matched_faithfully_is_refused(route: str) -> None:
    with pytest.raises(HostError):
        parse(route)
