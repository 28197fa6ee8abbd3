from collections import Counter

import pytest

from gateway.versions import (
    Adaptation,
    FhirVersion,
    UnmappedResourceType,
    UnsupportedPathError,
    adapt_bundle,
    adapt_outcome,
    adapt_resource,
    can_adapt,
)
from gateway.versions.table import Json, JsonObject

DOWN = Adaptation(FhirVersion.R4, FhirVersion.DSTU2)
TO_STU3 = Adaptation(FhirVersion.R4, FhirVersion.STU3)


def order(n: int, **more: Json) -> JsonObject:
    return {
        "resourceType": "MedicationRequest",
        "id": str(n),
        "status": "active",
        "intent": "order",
        "medicationReference": {"display": "x"},
        "subject": {"reference": "Patient/1"},
        **more,
    }


def match(resource: JsonObject, mode: str = "match") -> JsonObject:
    url = f"https://ehr.example/r4/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def searchset(*entries: JsonObject, **more: Json) -> JsonObject:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries), **more}


def test_entries_and_their_addresses_take_the_older_type_name() -> None:
    out = adapt_bundle(searchset(match(order(1)), total=1), DOWN)
    assert out["entry"][0]["fullUrl"] == "https://ehr.example/r4/MedicationOrder/1"
    assert out["entry"][0]["resource"]["resourceType"] == "MedicationOrder"
    assert out["total"] == 1


def test_hidden_matches_lower_the_total_and_are_counted_by_reason() -> None:
    hidden: Counter[str] = Counter()
    bundle = searchset(
        match(order(1)), match(order(2, status="entered-in-error")), match(order(3, doNotPerform=True)), total=7
    )
    out = adapt_bundle(bundle, TO_STU3, hidden)
    assert [entry["resource"]["id"] for entry in out["entry"]] == ["1"]
    assert out["total"] == 5
    assert hidden == {"entered-in-error": 1, "modifier": 1}


def test_the_total_is_never_below_what_is_on_the_page() -> None:
    out = adapt_bundle(searchset(match(order(1)), match(order(2, status="entered-in-error")), total=1), TO_STU3)
    assert out["total"] == 1


def test_what_is_included_and_not_mapped_is_left_out_without_touching_the_total() -> None:
    provenance = {"resourceType": "Provenance", "id": "p"}
    out = adapt_bundle(searchset(match(order(1)), match(provenance, "include"), total=1), TO_STU3)
    assert (len(out["entry"]), out["total"]) == (1, 1)


def test_outcomes_within_a_searchset_are_adapted() -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "id": "o",
        "issue": [{"severity": "warning", "code": "multiple-matches"}],
    }
    out = adapt_bundle(searchset(match(outcome, "outcome"), total=0), TO_STU3)
    assert out["entry"][0]["resource"]["issue"] == [{"severity": "warning", "code": "duplicate"}]
    assert out["total"] == 0


@pytest.mark.parametrize("adaptation", [DOWN, TO_STU3])
def test_a_batch_response_keeps_one_entry_per_request(adaptation: Adaptation) -> None:
    nested = searchset(match(order(2)), match(order(3, doNotPerform=True)), total=2)
    issue = {"severity": "error", "code": "deleted", "expression": ["x"]}
    answers = [
        {"resource": order(1, status="entered-in-error"), "response": {"status": "200"}},
        {"resource": {"resourceType": "Provenance", "id": "p"}, "response": {"status": "200"}},
        {"resource": nested, "response": {"status": "200"}},
        {"response": {"status": "404", "outcome": {"resourceType": "OperationOutcome", "issue": [issue]}}},
    ]
    bundle = {"resourceType": "Bundle", "type": "batch-response", "entry": answers}
    first, second, third, fourth = adapt_bundle(bundle, adaptation)["entry"]

    def outcome(entry: JsonObject) -> Json:
        return entry["resource"] if adaptation is DOWN else entry["response"]["outcome"]

    assert first["response"]["status"] == second["response"]["status"] == "404 Not Found"
    assert outcome(first)["issue"][0]["code"] == "not-found"
    assert outcome(second)["issue"][0]["code"] == "not-supported"
    assert (third["resource"]["total"], len(third["resource"]["entry"])) == (1, 1)
    issue = outcome(fourth)["issue"][0]
    assert issue["code"] == "not-found"
    assert ("expression" in issue) is (adaptation is TO_STU3)


def test_a_history_names_its_requests_and_locations_in_the_targets_terms() -> None:
    entry = {
        "resource": order(1),
        "request": {"method": "PUT", "url": "MedicationRequest/1"},
        "response": {"status": "200", "location": "MedicationRequest/1/_history/2"},
    }
    out = adapt_bundle({"resourceType": "Bundle", "type": "history", "entry": [entry]}, DOWN)["entry"][0]
    assert out["request"]["url"] == "MedicationOrder/1"
    assert out["response"]["location"] == "MedicationOrder/1/_history/2"


def test_dstu2_has_no_timestamp_and_no_identifier_of_a_bundle() -> None:
    bundle = {**searchset(match(order(1))), "timestamp": "2020-01-01T00:00:00Z", "identifier": {"value": "x"}}
    assert not {"timestamp", "identifier"} & adapt_bundle(bundle, DOWN).keys()
    assert adapt_bundle(bundle, TO_STU3)["identifier"] == {"value": "x"}


def test_an_empty_searchset_stays_one_without_an_empty_list() -> None:
    assert adapt_bundle(searchset(total=0), DOWN) == {"resourceType": "Bundle", "type": "searchset", "total": 0}


def test_the_source_bundle_is_left_alone() -> None:
    bundle = searchset(match(order(1, status="entered-in-error")), total=1)
    adapt_bundle(bundle, DOWN)
    assert bundle == searchset(match(order(1, status="entered-in-error")), total=1)


def test_an_unmapped_type_says_which() -> None:
    with pytest.raises(UnmappedResourceType) as raised:
        adapt_resource({"resourceType": "Provenance"}, TO_STU3)
    assert raised.value.resource_type == "Provenance"


def test_one_release_passes_what_no_table_describes() -> None:
    provenance = {"resourceType": "Provenance", "x": [1, {"y": None}]}
    assert adapt_resource(provenance, Adaptation(FhirVersion.R4, FhirVersion.R4)) == provenance


def test_an_unreadable_outcome_becomes_a_plain_one() -> None:
    out = adapt_outcome({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": 5}]}, DOWN)
    assert (out["issue"][0]["severity"], out["issue"][0]["code"]) == ("error", "exception")


@pytest.mark.parametrize(
    ("source", "target", "possible"),
    [("r4", "stu3", True), ("dstu2", "stu3", True), ("r4", "r4", True), ("stu3", "r4", False), ("dstu2", "r4", False)],
)
def test_paths(source: str, target: str, possible: bool) -> None:
    source, target = FhirVersion(source), FhirVersion(target)
    assert can_adapt(source, target) is possible
    if not possible:
        with pytest.raises(UnsupportedPathError):
            Adaptation(source, target)
