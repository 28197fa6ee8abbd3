import pytest

from gateway.versions import FhirVersion, medication_statements_from_requests
from gateway.versions.statements import statement_from_request
from gateway.versions.table import JsonObject

REQUEST = {
    "resourceType": "MedicationRequest",
    "id": "1",
    "status": "active",
    "intent": "order",
    "authoredOn": "2020-01-01",
    "medicationReference": {"display": "Aspirin"},
    "subject": {"reference": "Patient/1"},
    "dosageInstruction": [{"text": "one"}],
}


@pytest.mark.parametrize("version", [FhirVersion.R4, FhirVersion.STU3])
def test_a_request_states_what_the_patient_is_to_take(version: FhirVersion) -> None:
    expected = {
        "resourceType": "MedicationStatement",
        "id": "1",
        "status": "active",
        "effectiveDateTime": "2020-01-01",
        "medicationReference": {"display": "Aspirin"},
        "subject": {"reference": "Patient/1"},
        "dosage": [{"text": "one"}],
        "basedOn": [{"reference": "MedicationRequest/1"}],
    }
    if version is FhirVersion.STU3:
        expected["taken"] = "unk"
    assert statement_from_request(REQUEST, version) == expected


def test_a_dstu2_order_does_so_as_well() -> None:
    order = {
        "resourceType": "MedicationOrder",
        "id": "1",
        "status": "stopped",
        "dateWritten": "2020",
        "medicationReference": {"display": "Aspirin"},
        "patient": {"reference": "Patient/1"},
        "dosageInstruction": [{"text": "one", "doseQuantity": {"value": 1}}],
    }
    assert statement_from_request(order, FhirVersion.DSTU2) == {
        "resourceType": "MedicationStatement",
        "id": "1",
        "status": "completed",
        "effectiveDateTime": "2020",
        "medicationReference": {"display": "Aspirin"},
        "patient": {"reference": "Patient/1"},
        "dosage": [{"text": "one", "quantityQuantity": {"value": 1}}],
        "supportingInformation": [{"reference": "MedicationOrder/1"}],
    }


def test_a_cancelled_request_is_a_completed_statement() -> None:
    statement = statement_from_request({**REQUEST, "status": "cancelled"}, FhirVersion.R4)
    assert statement is not None
    assert statement["status"] == "completed"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "entered-in-error"},
        {"status": "draft"},
        {"status": None},
        {"intent": "proposal"},
        {"intent": "plan"},
        {"doNotPerform": True},
        {"modifierExtension": [{"url": "x"}]},
    ],
)
def test_what_is_not_an_order_to_take_states_nothing(change: JsonObject) -> None:
    assert statement_from_request({**REQUEST, **change}, FhirVersion.R4) is None


def test_a_searchset_of_requests_becomes_one_of_statements() -> None:
    def entry(resource: JsonObject) -> JsonObject:
        return {"fullUrl": f"https://x/MedicationRequest/{resource['id']}", "resource": resource}

    bundle: JsonObject = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 2,
        "entry": [entry(REQUEST), entry({**REQUEST, "id": "2", "intent": "plan"})],
    }
    out = medication_statements_from_requests(bundle, FhirVersion.R4)
    assert out["total"] == 1
    assert [e["fullUrl"] for e in out["entry"]] == ["https://x/MedicationStatement/1"]
    assert out["entry"][0]["resource"]["resourceType"] == "MedicationStatement"
    assert bundle["entry"][0]["resource"] is REQUEST
