"""Whatever a server sends: adapting never fails, never invents and always says the same."""

import copy
from functools import cache

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.versions import Adaptation, FhirVersion, UnmappedResourceType, adapt_bundle, adapt_outcome, adapt_resource
from gateway.versions.codes import CodeTable
from gateway.versions.codesystems import CODES, NOT_IN_DSTU2
from gateway.versions.fill import fill_displays, missing_displays
from gateway.versions.registry import tables
from gateway.versions.resources.allergy_intolerance import STATUS_UP
from gateway.versions.resources.encounter import CLASS_DOWN, CLASS_UP
from gateway.versions.statements import medication_statements_from_requests
from gateway.versions.table import Json
from gateway.versions.type_names import adapt_url
from tests.gateway.versions.shared_data import DATA, PATHS, read_data

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data is not beside the repository")
type Path = list[str | int]

# docs/versions.md, "Values of our own".
DEFAULTS = {
    "Unknown", "unknown", "unconfirmed", "order", "unk", "y", "n", "finished", "in-progress", "has-member",
    "derived-from",
    "AD", "DD", "http://hl7.org/fhir/diagnosis-role", "http://hl7.org/fhir/v3/ActCode", "MR", "MedicationOrder",
    "MedicationRequest", "refuted", True, False,
}  # fmt: skip
FROM_TABLES = {
    target
    for one in tables().values()
    for rule in one.rules.values()
    if isinstance(rule, CodeTable)
    for mapping in rule.maps.values()
    for target in mapping.values()
}
FROM_TABLES |= set(CLASS_DOWN.values()) | {word for pair in CLASS_UP.values() for word in pair}
FROM_TABLES |= {word for pair in STATUS_UP.values() for word in pair if word}
FROM_TABLES |= {below[1] for codes in CODES.values() for below in codes.values() if below}
assert NOT_IN_DSTU2

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["coding", "system", "code", "text", "reference", "display", "extension", "url", "value", "x"]
            )
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@cache
def examples(version: FhirVersion) -> list[Json]:
    by_type: dict[str, list[Json]] = {}
    for resource in read_data(version):
        by_type.setdefault(resource["resourceType"], []).append(resource)
    return [one for resources in by_type.values() for one in resources[:: max(1, len(resources) // 8)]]


def places(value: Json, path: Path) -> list[Path]:
    found = [path] if path else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        found += places(inner, [*path, step])
    return found


@st.composite
def mutated(draw: st.DrawFn, version: FhirVersion) -> Json:
    """A real resource, a few places of which hold something else, or nothing, or have a new neighbour."""
    resource = copy.deepcopy(draw(st.sampled_from(examples(version))))
    kind = resource["resourceType"]
    for _ in range(draw(st.integers(0, 4))):
        every = [place for place in places(resource, []) if place != ["resourceType"]]
        if not every:
            break
        place = draw(st.sampled_from(every))
        holder = resource
        for step in place[:-1]:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "remove", "wrap", "neighbour"])):
            case "replace":
                holder[place[-1]] = draw(anything)
            case "remove":
                del holder[place[-1]]
            case "wrap":
                holder[place[-1]] = [holder[place[-1]]]
            case _ if isinstance(holder, dict):
                names = ["modifierExtension", "_status", "extension", "note", "status", "value", "contained"]
                holder[draw(st.sampled_from(names))] = draw(anything)
    resource["resourceType"] = kind
    return resource


def leaves(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, list) else [value]


def is_from(leaf: Json, said: list[Json], source: FhirVersion, target: FhirVersion) -> bool:
    if leaf is None or leaf in DEFAULTS or leaf in FROM_TABLES:
        return True
    if any(type(leaf) is type(one) and leaf == one for one in said):
        return True
    texts = [one for one in said if isinstance(one, str)]
    if isinstance(leaf, str):
        return is_text_from(leaf, texts, [one for one in said if isinstance(one, int)], (source, target))
    return isinstance(leaf, int) and str(leaf) in [one.lstrip("0") for one in texts]


def is_text_from(leaf: str, texts: list[str], numbers: list[int], path: tuple[FhirVersion, FhirVersion]) -> bool:
    if leaf.startswith("http://hl7.org/fhir/"):  # a code system by its older name
        return any(one.startswith("http://terminology.hl7.org/CodeSystem/") for one in texts)
    if leaf in map(str, numbers) or any(leaf in (adapt_url(one, *path), one[:10]) for one in texts):
        return True
    for one in sorted(filter(None, texts), key=len, reverse=True):  # texts joined by newlines or blanks
        leaf = leaf.replace(one, "")
    return not leaf.strip("\n ")


@pytest.mark.parametrize(("source", "target"), PATHS, ids=lambda version: version.value)
def test_adapting_never_fails_never_invents_and_is_deterministic(source: FhirVersion, target: FhirVersion) -> None:
    adaptation = Adaptation(source, target)

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(mutated(source))
    def holds(resource: Json) -> None:
        before = orjson.dumps(resource)
        out = adapt_resource(resource, adaptation)
        assert orjson.dumps(resource) == before
        assert orjson.dumps(out) == orjson.dumps(adapt_resource(resource, adaptation))
        if out is None:
            return
        said = leaves(resource)
        invented = [leaf for leaf in leaves(out) if not is_from(leaf, said, source, target)]
        assert invented == []
        assert not [place for place in places(out, []) if at(out, place) in ([], {})]

    holds()


def at(value: Json, path: Path) -> Json:
    for step in path:
        value = value[step]
    return value


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.sampled_from([*PATHS, (FhirVersion.R4, FhirVersion.R4)]), st.data())
def test_bundles_outcomes_and_fills_never_fail(path: tuple[FhirVersion, FhirVersion], data: st.DataObject) -> None:
    source, target = path
    resource = data.draw(mutated(source) | st.dictionaries(st.text(max_size=5), anything, max_size=3))
    entry = {"resource": resource, "search": data.draw(anything), "response": data.draw(anything)}
    entry |= {"request": data.draw(anything), "fullUrl": data.draw(anything)}
    kind = data.draw(st.sampled_from(["searchset", "batch-response", "history"]))
    bundle = {"resourceType": "Bundle", "type": kind, "entry": data.draw(st.just([entry]) | anything), "total": 1}
    before = orjson.dumps(bundle)
    adapt_bundle(bundle, Adaptation(source, target))
    medication_statements_from_requests(bundle, source)
    adapt_outcome({"resourceType": "OperationOutcome", "issue": data.draw(anything)}, Adaptation(source, target))
    assert orjson.dumps(bundle) == before
    owned = [copy.deepcopy(resource)]
    fill_displays(owned, dict.fromkeys(missing_displays(owned), resource))


def test_what_is_no_resource_is_of_no_type() -> None:
    for resource in ({}, {"resourceType": 3}, {"resourceType": "Nothing"}):
        with pytest.raises(UnmappedResourceType):
            adapt_resource(resource, Adaptation(FhirVersion.R4, FhirVersion.STU3))
