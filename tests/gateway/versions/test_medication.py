import pytest

from gateway.versions.table import Json, JsonObject
from tests.gateway.versions.shared_data import Adapt

DRUG = {"text": "Aspirin", "coding": [{"code": "1", "display": "Aspirin"}]}


def request(status: str = "active", intent: str = "order", **more: Json) -> JsonObject:
    return {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": status,
        "intent": intent,
        "medicationCodeableConcept": DRUG,
        "subject": {"reference": "Patient/1"},
        **more,
    }


def statement(status: str, **more: Json) -> JsonObject:
    return {
        "resourceType": "MedicationStatement",
        "status": status,
        "medicationCodeableConcept": DRUG,
        "subject": {"reference": "Patient/1"},
        **more,
    }


def test_an_order_as_dstu2_writes_it(adapt: Adapt) -> None:
    source = request(
        authoredOn="2020-01-01",
        requester={"reference": "Practitioner/1", "display": "Dr A"},
        encounter={"reference": "Encounter/1"},
        note=[{"text": "a"}, {"text": "b"}],
        reasonCode=[{"text": "pain"}, {"text": "fever"}],
        priorPrescription={"reference": "MedicationRequest/0"},
    )
    expected = {
        "resourceType": "MedicationOrder",
        "id": "m",
        "status": "active",
        "medicationCodeableConcept": DRUG,
        "patient": {"reference": "Patient/1"},
        "dateWritten": "2020-01-01",
        "prescriber": {"reference": "Practitioner/1", "display": "Dr A"},
        "encounter": {"reference": "Encounter/1"},
        "note": "a\nb",
        "reasonCodeableConcept": {"text": "pain"},
        "priorPrescription": {"reference": "MedicationOrder/0"},
    }
    assert adapt(source, "r4>dstu2") == expected
    stu3 = adapt(source, "r4>stu3")
    assert stu3["requester"] == {"agent": {"reference": "Practitioner/1", "display": "Dr A"}}
    assert (stu3["context"], stu3["reasonCode"]) == ({"reference": "Encounter/1"}, source["reasonCode"])
    assert adapt(stu3, "stu3>dstu2") == expected


def test_an_order_from_dstu2(adapt: Adapt) -> None:
    source = {
        "resourceType": "MedicationOrder",
        "status": "active",
        "medicationReference": {"display": "Aspirin"},
        "patient": {"reference": "Patient/1"},
        "dateWritten": "2020",
        "prescriber": {"display": "Dr A"},
        "reasonReference": {"reference": "Condition/1"},
    }
    assert adapt(source, "dstu2>stu3") == {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationReference": {"display": "Aspirin"},
        "subject": {"reference": "Patient/1"},
        "authoredOn": "2020",
        "requester": {"agent": {"display": "Dr A"}},
        "reasonReference": [{"reference": "Condition/1"}],
    }


@pytest.mark.parametrize(
    ("status", "dstu2"),
    [("active", "active"), ("on-hold", "on-hold"), ("cancelled", "stopped"), ("stopped", "stopped"), ("unknown", None)],
)
def test_request_status(adapt: Adapt, status: str, dstu2: str | None) -> None:
    assert adapt(request(status), "r4>stu3")["status"] == status
    assert adapt(request(status), "r4>dstu2").get("status") == dstu2


@pytest.mark.parametrize(
    ("intent", "stu3", "shown_in_dstu2"),
    [
        ("order", "order", True),
        ("instance-order", "instance-order", True),
        ("original-order", "order", True),
        ("reflex-order", "order", True),
        ("filler-order", "order", True),
        ("proposal", "proposal", False),
        ("plan", "plan", False),
        ("option", "plan", False),
    ],
)
def test_intent(adapt: Adapt, intent: str, stu3: str, shown_in_dstu2: bool) -> None:
    assert adapt(request(intent=intent), "r4>stu3")["intent"] == stu3
    assert (adapt(request(intent=intent), "r4>dstu2") is not None) is shown_in_dstu2


def test_what_must_not_be_given_is_never_shown_as_an_order(adapt: Adapt) -> None:
    for value in (True, "true"):
        assert adapt(request(doNotPerform=value), "r4>stu3") is None
        assert adapt(request(doNotPerform=value), "r4>dstu2") is None
    assert "doNotPerform" not in adapt(request(doNotPerform=False), "r4>stu3")


def test_a_requester_of_a_role_keeps_its_display_only(adapt: Adapt) -> None:
    source = request(requester={"reference": "PractitionerRole/1", "display": "Dr A"})
    assert adapt(source, "r4>stu3")["requester"] == {"agent": {"display": "Dr A"}}
    assert adapt(source, "r4>dstu2")["prescriber"] == {"display": "Dr A"}
    organization = request(requester={"reference": "Organization/1", "display": "Ward"})
    assert adapt(organization, "r4>stu3")["requester"]["agent"]["reference"] == "Organization/1"
    assert adapt(organization, "r4>dstu2")["prescriber"] == {"display": "Ward"}


def test_dose_and_rate_are_lifted_from_the_first(adapt: Adapt) -> None:
    dose = {"value": 2, "unit": "TAB"}
    rate = {"value": 3, "unit": "ml/h"}
    source = request(
        dosageInstruction=[
            {
                "text": "two",
                "additionalInstruction": [{"text": "with food"}],
                "patientInstruction": "swallow",
                "asNeededBoolean": True,
                "doseAndRate": [{"doseQuantity": dose, "rateQuantity": rate}, {"doseQuantity": {"value": 9}}],
            }
        ]
    )
    stu3 = adapt(source, "r4>stu3")
    assert stu3["dosageInstruction"] == [
        {
            "text": "two",
            "additionalInstruction": [{"text": "with food"}],
            "patientInstruction": "swallow",
            "asNeededBoolean": True,
            "doseQuantity": dose,
            "rateQuantity": rate,
        }
    ]
    expected = [
        {
            "text": "two",
            "additionalInstructions": {"text": "with food"},
            "asNeededBoolean": True,
            "doseQuantity": dose,
        }
    ]
    assert adapt(source, "r4>dstu2")["dosageInstruction"] == expected
    assert adapt(stu3, "stu3>dstu2")["dosageInstruction"] == expected


def test_a_timing_that_dstu2_cannot_say_is_left_to_the_text(adapt: Adapt) -> None:
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00", "20:00:00"]}}
    plain = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
    source = request(dosageInstruction=[{"text": "at eight", "timing": timing}, {"text": "twice", "timing": plain}])
    assert adapt(source, "r4>stu3")["dosageInstruction"] == source["dosageInstruction"]
    assert adapt(source, "r4>dstu2")["dosageInstruction"] == [
        {"text": "at eight"},
        {"text": "twice", "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnits": "d"}}},
    ]


@pytest.mark.parametrize(("when", "dstu2"), [(["AC"], "AC"), (["AC", "PC"], None), (["MORN"], None)])
def test_times_of_meals_that_dstu2_cannot_say_take_the_timing_along(
    adapt: Adapt, when: list[str], dstu2: str | None
) -> None:
    source = request(dosageInstruction=[{"text": "x", "timing": {"repeat": {"when": when}}}])
    assert adapt(source, "r4>stu3")["dosageInstruction"] == source["dosageInstruction"]
    (dosage,) = adapt(source, "r4>dstu2")["dosageInstruction"]
    assert dosage.get("timing") == (dstu2 and {"repeat": {"when": dstu2}})


def test_the_end_of_what_is_over(adapt: Adapt) -> None:
    timing = {"repeat": {"boundsPeriod": {"start": "2020-01-01", "end": "2020-02-01"}}}
    validity: JsonObject = {"dispenseRequest": {"validityPeriod": {"end": "2020-03-01"}}}
    dosage = [{"text": "x", "timing": timing}]
    assert adapt(request("stopped", dosageInstruction=dosage, **validity), "r4>dstu2")["dateEnded"] == "2020-02-01"
    assert adapt(request("completed", **validity), "r4>dstu2")["dateEnded"] == "2020-03-01"
    assert "dateEnded" not in adapt(request("active", **validity), "r4>dstu2")


def test_substitution_that_stu3_cannot_say_is_left_out(adapt: Adapt) -> None:
    assert "substitution" not in adapt(request(substitution={"allowedCodeableConcept": {"text": "E"}}), "r4>stu3")
    out = adapt(request(substitution={"allowedBoolean": True, "reason": {"text": "r"}}), "r4>stu3")
    assert out["substitution"] == {"allowed": True, "reason": {"text": "r"}}


def test_contained_resources_are_adapted_with_what_points_to_them(adapt: Adapt) -> None:
    medication = {"resourceType": "Medication", "id": "d", "status": "active", "code": {"text": "Aspirin"}}
    source = request(contained=[medication], medicationReference={"reference": "#d", "display": "Aspirin"})
    del source["medicationCodeableConcept"]
    out = adapt(source, "r4>dstu2")
    assert out["contained"] == [{"resourceType": "Medication", "id": "d", "code": {"text": "Aspirin"}}]
    assert out["medicationReference"] == {"reference": "#d", "display": "Aspirin"}
    out = adapt({**source, "contained": [{**medication, "status": "entered-in-error"}]}, "r4>stu3")
    assert "contained" not in out
    assert out["medicationReference"] == {"display": "Aspirin"}


@pytest.mark.parametrize(
    ("status", "stu3", "taken", "dstu2", "was_not_taken"),
    [
        ("active", "active", "unk", "active", None),
        ("completed", "completed", "unk", "completed", None),
        ("intended", "intended", "unk", "intended", None),
        ("stopped", "stopped", "unk", "completed", None),
        ("on-hold", "on-hold", "unk", "intended", None),
        ("not-taken", "completed", "n", "completed", True),
        ("unknown", "completed", "unk", "completed", None),
    ],
)
def test_statement_status(
    adapt: Adapt, status: str, stu3: str, taken: str, dstu2: str | None, was_not_taken: bool | None
) -> None:
    out = adapt(statement(status), "r4>stu3")
    assert (out["status"], out["taken"]) == (stu3, taken)
    for older in (adapt(statement(status), "r4>dstu2"), adapt(out, "stu3>dstu2")):
        assert (older["status"], older.get("wasNotTaken")) == (dstu2, was_not_taken)


def test_the_reason_for_not_taking(adapt: Adapt) -> None:
    source = statement("not-taken", reasonCode=[{"text": "nausea"}])
    stu3 = adapt(source, "r4>stu3")
    assert stu3["reasonNotTaken"] == [{"text": "nausea"}]
    assert "reasonCode" not in stu3
    dstu2 = adapt(source, "r4>dstu2")
    assert dstu2["reasonNotTaken"] == [{"text": "nausea"}]
    assert "reasonForUseCodeableConcept" not in dstu2
    assert adapt(statement("active", reasonCode=[{"text": "pain"}]), "r4>dstu2")["reasonForUseCodeableConcept"] == {
        "text": "pain"
    }


def test_a_statements_dose_is_its_quantity_in_dstu2(adapt: Adapt) -> None:
    dosage = [{"text": "x", "doseAndRate": [{"doseQuantity": {"value": 1}}]}]
    source = statement("active", dosage=dosage, derivedFrom=[{"reference": "MedicationRequest/1"}])
    assert adapt(source, "r4>stu3")["dosage"] == [{"text": "x", "doseQuantity": {"value": 1}}]
    out = adapt(source, "r4>dstu2")
    assert out["dosage"] == [{"text": "x", "quantityQuantity": {"value": 1}}]
    assert out["supportingInformation"] == [{"reference": "MedicationOrder/1"}]


@pytest.mark.parametrize(("was_not", "taken"), [(True, "n"), (False, "y"), (None, "unk")])
def test_taken_from_dstu2(adapt: Adapt, was_not: bool | None, taken: str) -> None:
    source = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "patient": {"reference": "Patient/1"},
        "medicationCodeableConcept": DRUG,
        "reasonForUseCodeableConcept": {"text": "pain"},
    }
    out = adapt(source if was_not is None else {**source, "wasNotTaken": was_not}, "dstu2>stu3")
    assert out["taken"] == taken
    assert out["reasonCode"] == [{"text": "pain"}]
