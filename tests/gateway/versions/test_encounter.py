import pytest

from gateway.versions.table import Json, JsonObject
from tests.gateway.versions.shared_data import Adapt

THO = "http://terminology.hl7.org/CodeSystem/"
ACT = "http://hl7.org/fhir/v3/ActCode"


def encounter(status: str = "finished", code: str = "IMP", **more: Json) -> JsonObject:
    return {
        "resourceType": "Encounter",
        "id": "e",
        "status": status,
        "class": {"system": THO + "v3-ActCode", "code": code},
        **more,
    }


@pytest.mark.parametrize(
    ("status", "dstu2"),
    [
        ("planned", "planned"),
        ("arrived", "arrived"),
        ("triaged", "arrived"),
        ("in-progress", "in-progress"),
        ("onleave", "onleave"),
        ("finished", "finished"),
        ("cancelled", "cancelled"),
        ("unknown", "in-progress"),
    ],
)
def test_status(adapt: Adapt, status: str, dstu2: str) -> None:
    assert adapt(encounter(status), "r4>stu3")["status"] == status
    assert adapt(encounter(status), "r4>dstu2")["status"] == dstu2


def test_an_unknown_status_of_a_period_with_an_end_is_finished(adapt: Adapt) -> None:
    assert adapt(encounter("unknown", period={"end": "2020-01-01"}), "r4>dstu2")["status"] == "finished"


@pytest.mark.parametrize("path", ["r4>stu3", "r4>dstu2", "stu3>dstu2"])
def test_entered_in_error_is_not_shown(adapt: Adapt, path: str) -> None:
    assert adapt({"resourceType": "Encounter", "status": "entered-in-error"}, path) is None


@pytest.mark.parametrize(
    ("code", "dstu2"),
    [
        ("IMP", "inpatient"),
        ("AMB", "ambulatory"),
        ("EMER", "emergency"),
        ("HH", "home"),
        ("FLD", "field"),
        ("VR", "virtual"),
        ("SS", "daytime"),
        ("ACUTE", "inpatient"),
        ("NONAC", "inpatient"),
        ("OBSENC", "inpatient"),
        ("PRENC", "other"),
    ],
)
def test_class(adapt: Adapt, code: str, dstu2: str | None) -> None:
    stu3 = adapt(encounter(code=code), "r4>stu3")
    assert stu3["class"] == {"system": ACT, "code": code}
    assert adapt(encounter(code=code), "r4>dstu2")["class"] == dstu2
    assert adapt(stu3, "stu3>dstu2")["class"] == dstu2


@pytest.mark.parametrize(("dstu2", "code"), [("inpatient", "IMP"), ("outpatient", "AMB"), ("ambulatory", "AMB")])
def test_class_up(adapt: Adapt, dstu2: str | None, code: str) -> None:
    out = adapt({"resourceType": "Encounter", "status": "finished", "class": dstu2}, "dstu2>stu3")
    assert (out["class"]["system"], out["class"]["code"]) == (ACT, code)


def test_class_other_has_no_code_above(adapt: Adapt) -> None:
    assert "class" not in adapt({"resourceType": "Encounter", "status": "finished", "class": "other"}, "dstu2>stu3")


def test_reasons_and_appointments(adapt: Adapt) -> None:
    source = encounter(reasonCode=[{"text": "cough"}], appointment=[{"display": "a"}, {"display": "b"}])
    for path in ("r4>stu3", "r4>dstu2"):
        out = adapt(source, path)
        assert out["reason"] == [{"text": "cough"}]
        assert out["appointment"] == {"display": "a"}


def test_a_reason_that_is_no_list_is_read_as_one(adapt: Adapt) -> None:
    source = {"resourceType": "Encounter", "status": "finished", "reason": {"text": "cough"}}
    assert adapt(source, "dstu2>stu3")["reason"] == [{"text": "cough"}]


def test_the_location_keeps_its_display(adapt: Adapt) -> None:
    place = {"location": {"reference": "Location/1", "display": "Ward 3"}}
    source = encounter(location=[{**place, "physicalType": {"text": "bed"}}])
    for path in ("r4>stu3", "r4>dstu2"):
        assert adapt(source, path)["location"] == [place]


def test_a_participant_of_a_role_keeps_its_display_only(adapt: Adapt) -> None:
    source = encounter(participant=[{"individual": {"reference": "PractitionerRole/1", "display": "Dr A"}}])
    assert adapt(source, "r4>stu3")["participant"] == [{"individual": {"display": "Dr A"}}]


def diagnosis(n: int, role: str | None = None) -> JsonObject:
    out: JsonObject = {"condition": {"reference": f"Condition/{n}"}}
    if role:
        out["use"] = {"coding": [{"system": THO + "diagnosis-role", "code": role}]}
    return out


def test_diagnoses_of_admission_and_discharge_move_to_the_hospitalization(adapt: Adapt) -> None:
    source = encounter(diagnosis=[diagnosis(1, "AD"), diagnosis(2, "DD"), diagnosis(3)])
    stu3 = adapt(source, "r4>stu3")
    assert stu3["diagnosis"][0]["role"]["coding"] == [{"system": "http://hl7.org/fhir/diagnosis-role", "code": "AD"}]
    for out in (adapt(source, "r4>dstu2"), adapt(stu3, "stu3>dstu2")):
        assert out["hospitalization"]["admittingDiagnosis"] == [{"reference": "Condition/1"}]
        assert out["hospitalization"]["dischargeDiagnosis"] == [{"reference": "Condition/2"}]
        assert out["indication"] == [{"reference": "Condition/3"}]
    up = adapt(adapt(source, "r4>dstu2"), "dstu2>stu3")
    assert {d["condition"]["reference"] for d in up["diagnosis"]} == {"Condition/1", "Condition/2", "Condition/3"}


def test_a_part_that_lost_what_the_target_requires_goes_whole(adapt: Adapt) -> None:
    source = encounter(location=[{"period": {"start": "2020"}, "location": {"reference": "Organization/1"}}])
    assert "location" not in adapt(source, "r4>stu3")
