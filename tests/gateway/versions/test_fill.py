import copy

from gateway.versions.fill import display_of, fill_displays, mirror_texts, missing_displays
from gateway.versions.table import JsonObject


def test_what_the_app_would_miss_is_named_once_in_order_and_bounded() -> None:
    encounter: JsonObject = {
        "resourceType": "Encounter",
        "location": [
            {"location": {"reference": "Location/1"}},
            {"location": {"reference": "Location/2", "display": "Ward"}},
            {"location": {"reference": "Location/1"}},
        ],
        "participant": [{"individual": {"reference": "Practitioner/9"}}],
    }
    request: JsonObject = {
        "resourceType": "MedicationRequest",
        "requester": {"reference": "PractitionerRole/1"},
        "medicationReference": {"reference": "#m"},
    }
    patient: JsonObject = {"resourceType": "Patient", "generalPractitioner": [{"reference": "Practitioner/1"}]}
    resources = [encounter, request, patient]
    assert missing_displays(resources) == ["Location/1", "PractitionerRole/1", "Practitioner/1"]
    assert missing_displays(resources, most=2) == ["Location/1", "PractitionerRole/1"]


def test_older_releases_keep_them_elsewhere() -> None:
    resources: list[JsonObject] = [
        {"resourceType": "MedicationRequest", "requester": {"agent": {"reference": "Practitioner/1"}}},
        {"resourceType": "MedicationOrder", "prescriber": {"reference": "Practitioner/2"}},
        {"resourceType": "Patient", "careProvider": [{"reference": "Organization/3"}]},
    ]
    assert missing_displays(resources) == ["Practitioner/1", "Practitioner/2", "Organization/3"]


def test_displays_are_filled_from_what_was_fetched_and_what_is_contained() -> None:
    request: JsonObject = {
        "resourceType": "MedicationRequest",
        "contained": [{"resourceType": "Medication", "id": "m", "code": {"coding": [{"display": "Aspirin"}]}}],
        "medicationReference": {"reference": "#m"},
        "requester": {"reference": "Practitioner/1"},
    }
    other: JsonObject = {"resourceType": "MedicationRequest", "requester": {"reference": "Practitioner/2"}}
    untouched = copy.deepcopy(other)
    practitioner = {"resourceType": "Practitioner", "name": [{"prefix": ["Dr"], "given": ["Ann"], "family": "Lee"}]}
    fill_displays([request, other], {"Practitioner/1": practitioner})
    assert request["medicationReference"] == {"reference": "#m", "display": "Aspirin"}
    assert request["requester"] == {"reference": "Practitioner/1", "display": "Dr Ann Lee"}
    assert other == untouched


def test_displays_of_what_can_be_named() -> None:
    assert display_of({"resourceType": "Location", "name": "Ward 3"}) == "Ward 3"
    assert display_of({"resourceType": "Practitioner", "name": {"family": ["Lee"], "given": ["A"]}}) == "A Lee"
    assert display_of({"resourceType": "Practitioner", "name": [{"text": "Dr Lee"}]}) == "Dr Lee"
    assert display_of({"resourceType": "PractitionerRole", "practitioner": {"display": "Dr Lee"}}) == "Dr Lee"
    assert display_of({"resourceType": "Medication", "code": {"text": "Aspirin"}}) == "Aspirin"
    assert display_of({"resourceType": "Patient", "name": [{"text": "secret"}]}) is None


def test_texts_and_displays_stand_in_for_each_other() -> None:
    condition: JsonObject = {
        "resourceType": "Condition",
        "code": {"text": "Asthma"},
        "severity": {"coding": [{"display": "a"}, {"display": "Severe", "userSelected": True}]},
    }
    mirror_texts(condition)
    assert condition["code"] == {"text": "Asthma", "coding": [{"display": "Asthma"}]}
    assert condition["severity"]["text"] == "Severe"
    both: JsonObject = {"resourceType": "Condition", "code": {"text": "A", "coding": [{"display": "B"}]}}
    mirror_texts(both)
    assert both["code"] == {"text": "A", "coding": [{"display": "B"}]}
