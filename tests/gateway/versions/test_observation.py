import pytest

from gateway.versions.table import Json, JsonObject
from tests.gateway.versions.shared_data import Adapt

THO = "http://terminology.hl7.org/CodeSystem/"
VITALS = {"coding": [{"system": THO + "observation-category", "code": "vital-signs"}]}
OTHER = {"coding": [{"system": "urn:local", "code": "x"}]}
OLD_VITALS = {"coding": [{"system": "http://hl7.org/fhir/observation-category", "code": "vital-signs"}]}


def observation(**more: Json) -> JsonObject:
    return {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "BP"}, **more}


def test_the_encounter_is_context_in_stu3_and_encounter_in_dstu2(adapt: Adapt) -> None:
    source = observation(encounter={"reference": "Encounter/1"})
    assert adapt(source, "r4>stu3")["context"] == {"reference": "Encounter/1"}
    assert adapt(source, "r4>dstu2")["encounter"] == {"reference": "Encounter/1"}
    assert "encounter" not in adapt(source, "r4>stu3")


def test_the_category_of_vital_signs_is_chosen_of_several(adapt: Adapt) -> None:
    source = observation(category=[OTHER, VITALS])
    assert adapt(source, "r4>stu3")["category"] == [OTHER, OLD_VITALS]
    assert adapt(source, "r4>dstu2")["category"] == OLD_VITALS
    assert adapt(observation(category=[OTHER]), "r4>dstu2")["category"] == OTHER
    assert adapt(observation(category=[OTHER, OLD_VITALS]), "stu3>dstu2")["category"] == OLD_VITALS


def test_a_dstu2_category_becomes_a_list(adapt: Adapt) -> None:
    assert adapt(observation(category=OLD_VITALS), "dstu2>stu3")["category"] == [OLD_VITALS]


@pytest.mark.parametrize(("status", "expected"), [("corrected", "amended"), ("amended", "amended"), ("final", "final")])
def test_dstu2_knows_no_corrected(adapt: Adapt, status: Json, expected: Json) -> None:
    assert adapt(observation(status=status), "r4>dstu2")["status"] == expected
    assert adapt(observation(status=status), "r4>stu3")["status"] == status


@pytest.mark.parametrize("path", ["r4>stu3", "r4>dstu2", "stu3>dstu2", "dstu2>stu3", "r4>r4", "stu3>stu3"])
def test_what_was_entered_in_error_is_not_shown(adapt: Adapt, path: str) -> None:
    assert adapt(observation(status="entered-in-error"), path) is None


@pytest.mark.parametrize("status", ["invented", 3, None, {"a": "b"}])
def test_a_status_that_cannot_be_read_hides_the_observation(adapt: Adapt, status: Json) -> None:
    assert adapt(observation(status=status), "r4>stu3") is None


def test_notes_are_joined_to_the_comment(adapt: Adapt) -> None:
    source = observation(note=[{"text": "one"}, {"text": "two", "time": "2020-01-01"}])
    assert adapt(source, "r4>stu3")["comment"] == "one\ntwo"
    assert adapt(source, "r4>dstu2")["comments"] == "one\ntwo"


def test_values_of_types_that_older_releases_lack_are_written_out(adapt: Adapt) -> None:
    assert adapt(observation(valueInteger=3), "r4>stu3")["valueString"] == "3"
    assert adapt(observation(valueBoolean=True), "r4>stu3")["valueBoolean"] is True
    assert adapt(observation(valueBoolean=False), "r4>dstu2")["valueString"] == "false"


def test_a_comparator_is_kept_and_one_that_is_unknown_takes_the_value_along(adapt: Adapt) -> None:
    quantity = {"value": 5, "comparator": "<", "unit": "mg"}
    assert adapt(observation(valueQuantity=quantity), "r4>stu3")["valueQuantity"] == quantity
    assert adapt(observation(valueQuantity={**quantity, "comparator": "ad"}), "r4>stu3") is None


def test_the_first_interpretation_stays_in_its_older_system(adapt: Adapt) -> None:
    system = THO + "v3-ObservationInterpretation"
    source = observation(interpretation=[{"coding": [{"system": system, "code": "H"}]}, {"text": "second"}])
    expected = {"coding": [{"system": "http://hl7.org/fhir/v2/0078", "code": "H"}]}
    assert adapt(source, "r4>stu3")["interpretation"] == expected


def test_a_code_without_counterpart_leaves_its_words(adapt: Adapt) -> None:
    system = THO + "v3-ObservationInterpretation"
    source = observation(interpretation=[{"coding": [{"system": system, "code": "HX", "display": "above high"}]}])
    assert adapt(source, "r4>stu3")["interpretation"] == {"text": "above high"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [("asked-unknown", "asked"), ("asked-declined", "asked"), ("temp-unknown", "temp"), ("not-a-number", "NaN")],
)
def test_reasons_of_absence(adapt: Adapt, code: str, expected: Json) -> None:
    source = observation(dataAbsentReason={"coding": [{"system": THO + "data-absent-reason", "code": code}]})
    assert adapt(source, "r4>stu3")["dataAbsentReason"]["coding"] == [
        {"system": "http://hl7.org/fhir/data-absent-reason", "code": expected}
    ]


def test_members_and_sources_become_relations(adapt: Adapt) -> None:
    source = observation(
        hasMember=[{"reference": "Observation/1"}],
        derivedFrom=[{"reference": "Observation/2"}],
        focus=[{"display": "x"}],
    )
    expected = [
        {"type": "has-member", "target": {"reference": "Observation/1"}},
        {"type": "derived-from", "target": {"reference": "Observation/2"}},
    ]
    for path in ("r4>stu3", "r4>dstu2"):
        out = adapt(source, path)
        assert out["related"] == expected
        assert not {"hasMember", "derivedFrom", "focus"} & out.keys()


def test_instants_and_timings_of_the_effect(adapt: Adapt) -> None:
    instant = "2020-01-01T00:00:00Z"
    assert adapt(observation(effectiveInstant=instant), "r4>stu3")["effectiveDateTime"] == instant
    timing = {"event": ["2020-01-02", "2020-01-01"]}
    out = adapt(observation(effectiveTiming=timing), "r4>dstu2")
    assert out["effectivePeriod"] == {"start": "2020-01-01", "end": "2020-01-02"}


def test_a_blood_pressure_panel_keeps_its_shape(adapt: Adapt) -> None:
    component = [
        {"code": {"coding": [{"code": code, "display": code}], "text": code}, "valueQuantity": {"value": value}}
        for code, value in (("8480-6", 120), ("8462-4", 80.5))
    ]
    source = observation(component=component)
    for path in ("r4>stu3", "r4>dstu2", "stu3>dstu2", "dstu2>stu3"):
        assert adapt(source, path)["component"] == component


def test_dstu2_components_have_no_interpretation(adapt: Adapt) -> None:
    component = {"code": {"text": "x", "coding": [{"display": "x"}]}, "interpretation": [{"text": "high"}]}
    source = observation(component=[component])
    assert adapt(source, "r4>stu3")["component"][0]["interpretation"] == {"text": "high"}
    assert "interpretation" not in adapt(source, "r4>dstu2")["component"][0]


def test_a_range_for_some_people_only_is_not_shown_as_one_for_all(adapt: Adapt) -> None:
    reference_range = [{"low": {"value": 1}, "appliesTo": [{"text": "female"}]}, {"low": {"value": 2}}]
    source = observation(referenceRange=reference_range)
    assert adapt(source, "r4>stu3")["referenceRange"] == reference_range
    assert adapt(source, "r4>dstu2")["referenceRange"] == [{"low": {"value": 2}}]


def test_empty_lists_and_objects_are_gone(adapt: Adapt) -> None:
    source = observation(category=[{}], performer=[], note=[{"time": "2020"}], component=[{"code": {}}])
    assert adapt(source, "r4>stu3") == {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "BP", "coding": [{"display": "BP"}]},
    }


def test_a_single_value_for_a_list_is_read_as_one(adapt: Adapt) -> None:
    assert adapt(observation(category=VITALS), "r4>stu3")["category"] == [OLD_VITALS]
