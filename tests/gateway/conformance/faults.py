"""Faults to plant, and the one check that owns each."""

from collections.abc import Callable
from typing import Any

from tests.gateway.conformance.fake_server import Asked, Fault, Given, Resource, Resources

FHIR = "application/fhir+json"
OUTCOME: Resource = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}
HTML = Given(200, "text/html", None, b"<!DOCTYPE html><html><body>Sign in</body></html>")
XML = Given(200, "application/fhir+xml", None, b'<Bundle xmlns="http://hl7.org/fhir"/>')
TRUNCATED = Given(200, FHIR, None, b'{"resourceType":"Bundle","entry":[{"resou')


def status(code: int) -> Given:
    return Given(code, FHIR, OUTCOME)


def answered(given: Given, when: Callable[[Asked], bool]) -> Fault:
    """The server answers some requests with this."""
    return Fault(before=lambda asked: given if when(asked) else None)


def changed(change: Callable[[Any], None], when: Callable[[Asked], bool]) -> Fault:
    """The server's answer to some requests is changed."""

    def after(asked: Asked, given: Given) -> None:
        if when(asked) and given.json:
            change(given.json)

    return Fault(after=after)


def ignored(name: str, resource_type: str) -> Fault:
    """A lenient server leaves a parameter out that it does not know."""

    def before(asked: Asked) -> None:
        if asked.search(resource_type):
            asked.without(name)

    return Fault(before=before)


def each(resource_type: str, change: Callable[[Resource], None]) -> Fault:
    """All resources of a type are changed in the hospital's records."""

    def data(resources: Resources) -> None:
        for resource in resources[resource_type]:
            change(resource)

    return Fault(data=data)


def lacking(resource_type: str, *paths: str) -> Fault:
    """An element is absent from all resources of a type."""

    def change(resource: Resource) -> None:
        for path in paths:
            drop(resource, path.split("."))

    return each(resource_type, change)


def drop(node: Any, path: list[str]) -> None:  # noqa: ANN401  # JSON
    for one in node if isinstance(node, list) else [node]:
        if not isinstance(one, dict):
            continue
        if len(path) == 1:
            one.pop(path[0], None)
        elif path[0] in one:
            drop(one[path[0]], path[1:])
            if one[path[0]] in ({}, [{}]):
                del one[path[0]]


def search(resource_type: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.search(resource_type)


def metadata(asked: Asked) -> bool:
    return asked.below == "metadata"


def reads(resource_type: str) -> Callable[[Asked], bool]:
    """Reads of ids that the hospital has."""
    unknown = "conformance-check-unknown"
    return lambda asked: (
        asked.method == "GET"
        and asked.kind == resource_type
        and ("/" in asked.below and not asked.below.endswith(unknown))
    )


def reverse(bundle: Resource) -> None:
    bundle.get("entry", []).reverse()


def first_to_end(bundle: Resource) -> None:
    entries = bundle.get("entry", [])
    entries.append(entries.pop(0))


def no_type(bundle_type: str) -> Callable[[Resource], None]:
    """Take a resource type out of a capability statement."""

    def change(statement: Resource) -> None:
        rest = statement["rest"][0]
        rest["resource"] = [one for one in rest["resource"] if one["type"] != bundle_type]

    return change


def stranger(bundle: Resource) -> None:
    """One result is about another patient."""
    for entry in bundle.get("entry", [])[:1]:
        for owner in {"subject", "patient", "beneficiary", "subscriber"} & entry["resource"].keys():
            entry["resource"][owner] = {"reference": "Patient/somebody-else"}


def next_to(address: str) -> Callable[[Resource], None]:
    def change(bundle: Resource) -> None:
        for link in bundle.get("link", []):
            if link["relation"] == "next":
                link["url"] = address

    return change


def is_page(asked: Asked) -> bool:
    return asked.below == "" and asked.query.startswith("page=")


def repeated(resource: Resource) -> Callable[[Resource], None]:
    def change(bundle: Resource) -> None:
        bundle["entry"] = [{"resource": resource, "search": {"mode": "match"}}, *bundle["entry"]]

    return change


def family_as_list(patient: Resource) -> None:
    for name in patient["name"]:
        if isinstance(name.get("family"), str):
            name["family"] = [name["family"]]


def family_as_text(patient: Resource) -> None:
    for name in patient["name"]:
        if isinstance(name.get("family"), list):
            name["family"] = name["family"][0]


def some_laboratory(resources: Resources) -> None:
    for observation in resources["Observation"][::5]:
        observation["category"] = [{"coding": [{"code": "laboratory"}]}]


def status_as_concept(allergy: Resource) -> None:
    if "clinicalStatus" in allergy:
        allergy["clinicalStatus"] = {"coding": [{"code": allergy["clinicalStatus"]}]}


def untyped_identifiers(patient: Resource) -> None:
    for identifier in patient["identifier"]:
        identifier.pop("type", None)


def prescriber_as_text(order: Resource) -> None:
    order["prescriber"] = "a doctor"


def as_list(name: str) -> Callable[[Resource], None]:
    """An element that is one thing is written as a list of it."""

    def change(resource: Resource) -> None:
        if name in resource:
            resource[name] = [resource[name]]

    return change


def unknown_element(resource: Resource) -> None:
    resource["somethingOfOurOwn"] = "x"


def wrong_date(condition: Resource) -> None:
    condition["assertedDate"] = "09/17/2018 1:00:00 PM"


def once(given: Given, when: Callable[[Asked], bool]) -> Fault:
    """The server answers the first of some requests with this."""
    left = [given]
    return Fault(before=lambda asked: left.pop() if left and when(asked) else None)
