import pytest

from gateway.versions.table import Json, JsonObject
from tests.gateway.versions.shared_data import Adapt

THO = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"


def allergy(clinical: str | None = None, verification: str | None = None, **more: Json) -> JsonObject:
    out = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/1"}, **more}
    if clinical:
        out["clinicalStatus"] = {"coding": [{"system": THO + "clinical", "code": clinical}]}
    if verification:
        out["verificationStatus"] = {"coding": [{"system": THO + "verification", "code": verification}]}
    return out


@pytest.mark.parametrize(
    ("clinical", "verification", "status"),
    [
        ("active", "refuted", "refuted"),
        (None, "refuted", "refuted"),
        ("inactive", "confirmed", "inactive"),
        ("resolved", "confirmed", "resolved"),
        ("active", "confirmed", "confirmed"),
        ("active", "unconfirmed", "unconfirmed"),
        ("active", None, "active"),
        (None, "confirmed", "confirmed"),
        (None, "unconfirmed", "unconfirmed"),
        (None, None, None),
    ],
)
def test_two_statuses_become_one_in_dstu2(
    adapt: Adapt, clinical: str | None, verification: str | None, status: str | None
) -> None:
    assert adapt(allergy(clinical, verification), "r4>dstu2").get("status") == status


def test_stu3_statuses_are_codes_and_the_verification_is_required(adapt: Adapt) -> None:
    out = adapt(allergy("active", "confirmed"), "r4>stu3")
    assert (out["clinicalStatus"], out["verificationStatus"]) == ("active", "confirmed")
    assert adapt(allergy("active"), "r4>stu3")["verificationStatus"] == "unconfirmed"


@pytest.mark.parametrize("path", ["r4>stu3", "r4>dstu2", "r4>r4"])
def test_entered_in_error_is_not_shown(adapt: Adapt, path: str) -> None:
    assert adapt(allergy(None, "entered-in-error"), path) is None


@pytest.mark.parametrize(
    ("status", "clinical", "verification"),
    [
        ("confirmed", "active", "confirmed"),
        ("unconfirmed", "active", "unconfirmed"),
        ("inactive", "inactive", "unconfirmed"),
        ("refuted", None, "refuted"),
        ("resolved", "resolved", "unconfirmed"),
        ("active", "active", "unconfirmed"),
    ],
)
def test_one_status_becomes_two_above_dstu2(
    adapt: Adapt, status: str | None, clinical: str | None, verification: str | None
) -> None:
    source = {**allergy(), "substance": {"text": "x"}, "status": status}
    out = adapt(source, "dstu2>stu3")
    assert (out.get("clinicalStatus"), out["verificationStatus"]) == (clinical, verification)
    assert "status" not in out
    assert adapt({**source, "status": "entered-in-error"}, "dstu2>stu3") is None
    assert adapt({**source, "status": "odd"}, "dstu2>stu3") is None


def test_code_dates_and_the_asserter_by_their_older_names(adapt: Adapt) -> None:
    source = allergy(
        "active",
        code={"text": "Penicillin", "coding": [{"code": "1", "display": "Penicillin"}]},
        recordedDate="2020-01-01",
        asserter={"reference": "Practitioner/1"},
        lastOccurrence="2019",
        note=[{"text": "a"}, {"text": "b"}],
    )
    stu3, dstu2 = adapt(source, "r4>stu3"), adapt(source, "r4>dstu2")
    assert (stu3["code"], stu3["assertedDate"], stu3["lastOccurrence"]) == (source["code"], "2020-01-01", "2019")
    assert stu3["asserter"] == dstu2["reporter"] == {"reference": "Practitioner/1"}
    assert (dstu2["substance"], dstu2["recordedDate"], dstu2["lastOccurence"]) == (source["code"], "2020-01-01", "2019")
    assert dstu2["note"] == {"text": "a\nb"}


def test_dstu2_requires_a_substance(adapt: Adapt) -> None:
    reaction = {"substance": {"text": "Nuts"}, "manifestation": [{"text": "Hives"}]}
    assert adapt(allergy("active", reaction=[reaction]), "r4>dstu2")["substance"]["text"] == "Nuts"
    assert adapt(allergy("active"), "r4>dstu2")["substance"]["text"] == "Unknown"


@pytest.mark.parametrize(("r4", "dstu2"), [("low", "CRITL"), ("high", "CRITH"), ("unable-to-assess", "CRITU")])
def test_criticality(adapt: Adapt, r4: str, dstu2: str | None) -> None:
    assert adapt(allergy(criticality=r4), "r4>stu3")["criticality"] == r4
    assert adapt(allergy(criticality=r4), "r4>dstu2")["criticality"] == dstu2


def test_the_first_category_stays_and_biologic_is_other(adapt: Adapt) -> None:
    assert adapt(allergy(category=["biologic", "food"]), "r4>stu3")["category"] == ["biologic", "food"]
    assert adapt(allergy(category=["biologic", "food"]), "r4>dstu2")["category"] == "other"


def test_onset_in_dstu2_is_a_date_or_nothing(adapt: Adapt) -> None:
    assert adapt(allergy(onsetDateTime="2020"), "r4>dstu2")["onset"] == "2020"
    assert "onset" not in adapt(allergy(onsetAge={"value": 3}), "r4>dstu2")


def test_text_and_display_stand_in_for_each_other(adapt: Adapt) -> None:
    source = allergy(
        "active", code={"text": "Penicillin"}, reaction=[{"manifestation": [{"coding": [{"display": "Hives"}]}]}]
    )
    out = adapt(source, "r4>stu3")
    assert out["code"] == {"text": "Penicillin", "coding": [{"display": "Penicillin"}]}
    assert out["reaction"][0]["manifestation"] == [{"coding": [{"display": "Hives"}], "text": "Hives"}]


def test_the_narrative_is_kept(adapt: Adapt) -> None:
    text = {"status": "generated", "div": "<div>Penicillin</div>"}
    assert adapt(allergy("active", text=text), "r4>dstu2")["text"] == text
