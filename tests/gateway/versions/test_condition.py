import pytest

from gateway.versions.table import Json, JsonObject
from tests.gateway.versions.shared_data import Adapt

THO = "http://terminology.hl7.org/CodeSystem/"


def condition(
    clinical: str | None = None, verification: str | None = None, *, old: bool = False, **more: Json
) -> JsonObject:
    base = "http://hl7.org/fhir/" if old else THO
    out = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/1"}, **more}
    if clinical:
        out["clinicalStatus"] = {"coding": [{"system": base + "condition-clinical", "code": clinical}]}
    if verification:
        out["verificationStatus"] = {"coding": [{"system": base + "condition-ver-status", "code": verification}]}
    return out


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    ("r4", "stu3", "dstu2"),
    [
        ("active", "active", "active"),
        ("recurrence", "recurrence", "relapse"),
        ("relapse", "recurrence", "relapse"),
        ("inactive", "inactive", None),
        ("remission", "remission", "remission"),
        ("resolved", "resolved", "resolved"),
    ],
)
def test_clinical_status(adapt: Adapt, r4: str, stu3: str, dstu2: str | None, old: bool) -> None:
    assert adapt(condition(r4, old=old), "r4>stu3").get("clinicalStatus") == stu3
    assert adapt(condition(r4, old=old), "r4>dstu2").get("clinicalStatus") == dstu2


@pytest.mark.parametrize(
    ("r4", "below"),
    [
        ("unconfirmed", "provisional"),
        ("provisional", "provisional"),
        ("differential", "differential"),
        ("confirmed", "confirmed"),
        ("refuted", "refuted"),
    ],
)
def test_verification_status(adapt: Adapt, r4: str, below: str) -> None:
    assert adapt(condition("active", r4), "r4>stu3")["verificationStatus"] == below
    assert adapt(condition("active", r4), "r4>dstu2")["verificationStatus"] == below


@pytest.mark.parametrize("path", ["r4>stu3", "r4>dstu2", "r4>r4"])
def test_entered_in_error_is_not_shown(adapt: Adapt, path: str) -> None:
    assert adapt(condition("active", "entered-in-error"), path) is None
    both = condition("active", "confirmed")
    both["verificationStatus"]["coding"].append({"system": THO + "condition-ver-status", "code": "entered-in-error"})
    assert adapt(both, path) is None


def test_a_status_of_words_alone_cannot_be_read_and_hides(adapt: Adapt) -> None:
    assert adapt({**condition(), "verificationStatus": {"text": "maybe"}}, "r4>stu3") is None


def test_dstu2_requires_a_verification_status_and_a_code(adapt: Adapt) -> None:
    out = adapt(condition(), "r4>dstu2")
    assert out["verificationStatus"] == "unknown"
    assert out["code"]["text"] == "Unknown"
    assert "verificationStatus" not in adapt(condition(), "r4>stu3")


def test_the_date_of_recording_and_its_sibling(adapt: Adapt) -> None:
    source = condition(recordedDate="2020-03-04T05:06:07Z", _recordedDate={"id": "x"})
    out = adapt(source, "r4>stu3")
    assert (out["assertedDate"], out["_assertedDate"]) == ("2020-03-04T05:06:07Z", {"id": "x"})
    assert adapt(source, "r4>dstu2")["dateRecorded"] == "2020-03-04"
    assert adapt({**condition(), "assertedDate": "2020-03-04T05:06:07Z"}, "stu3>dstu2")["dateRecorded"] == "2020-03-04"


def test_without_a_recorded_date_the_extension_then_the_onset_counts(adapt: Adapt) -> None:
    extension = {
        "url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate",
        "valueDateTime": "2019-01-01T00:00:00Z",
    }
    source = condition(onsetDateTime="2018-05-05T00:00:00Z")
    assert adapt(source, "r4>dstu2")["dateRecorded"] == "2018-05-05"
    assert adapt({**source, "extension": [extension]}, "r4>stu3")["assertedDate"] == "2019-01-01T00:00:00Z"


def test_dstu2_says_patient_and_a_group_is_no_patient(adapt: Adapt) -> None:
    assert adapt(condition(), "r4>dstu2")["patient"] == {"reference": "Patient/1"}
    group = {**condition(), "subject": {"reference": "Group/1"}}
    assert adapt(group, "r4>dstu2") is None
    assert adapt(group, "r4>stu3")["subject"] == {"reference": "Group/1"}


def test_notes_categories_stages_and_ages(adapt: Adapt) -> None:
    source = condition(
        note=[{"text": "a"}, {"text": "b"}],
        category=[{"text": "first"}, {"text": "second"}],
        stage=[{"summary": {"text": "I"}, "type": {"text": "t"}}, {"summary": {"text": "II"}}],
        onsetAge={"value": 3, "unit": "a"},
    )
    stu3, dstu2 = adapt(source, "r4>stu3"), adapt(source, "r4>dstu2")
    assert stu3["note"] == source["note"]
    assert dstu2["notes"] == "a\nb"
    assert (len(stu3["category"]), dstu2["category"]) == (2, {"text": "first"})
    assert stu3["stage"] == dstu2["stage"] == {"summary": {"text": "I"}}
    assert stu3["onsetAge"] == dstu2["onsetQuantity"] == {"value": 3, "unit": "a"}


def test_an_asserter_of_another_kind_keeps_its_display(adapt: Adapt) -> None:
    source = condition(asserter={"reference": "RelatedPerson/1", "display": "Mother"})
    assert adapt(source, "r4>stu3")["asserter"] == {"reference": "RelatedPerson/1", "display": "Mother"}
    assert adapt(source, "r4>dstu2")["asserter"] == {"display": "Mother"}


def test_up_from_dstu2(adapt: Adapt) -> None:
    source = {
        "resourceType": "Condition",
        "patient": {"reference": "Patient/1"},
        "code": {"text": "x", "coding": [{"display": "x"}]},
        "clinicalStatus": "relapse",
        "verificationStatus": "confirmed",
        "dateRecorded": "2020-01-01",
        "notes": "n",
        "category": {"text": "c"},
    }
    assert adapt(source, "dstu2>stu3") == {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/1"},
        "code": {"text": "x", "coding": [{"display": "x"}]},
        "clinicalStatus": "recurrence",
        "verificationStatus": "confirmed",
        "assertedDate": "2020-01-01",
        "note": [{"text": "n"}],
        "category": [{"text": "c"}],
    }
