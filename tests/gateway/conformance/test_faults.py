"""Each planted fault is named by exactly the check that owns it; the servers are clean but for the fault."""

import pytest

from gateway.conformance import Report, Status
from gateway.conformance.checks import checks_for
from gateway.versions import FhirVersion
from tests.gateway.conformance import faults
from tests.gateway.conformance.conftest import Checked
from tests.gateway.conformance.fake_server import Fault, Given, resources_of
from tests.gateway.conformance.faults import (
    HTML,
    TRUNCATED,
    XML,
    answered,
    changed,
    each,
    ignored,
    lacking,
    metadata,
    reads,
    search,
    status,
)
from tests.gateway.conformance.in_chinese import untold

PATIENT = resources_of("northfield")["Patient"][0]
CONDITION_CODE = ("code.coding.display", "code.text")

STU3_FAULTS: dict[str, tuple[Fault, str]] = {
    # metadata
    "metadata asks for a token": (answered(status(401), metadata), "metadata.open"),
    "metadata is an HTML page": (answered(HTML, metadata), "metadata.statement"),
    "metadata states another version": (
        changed(lambda statement: statement.update(fhirVersion="4.0.1"), metadata),
        "metadata.version",
    ),
    "metadata states an unknown version": (
        changed(lambda statement: statement.update(fhirVersion="6.0.0"), metadata),
        "metadata.version",
    ),
    "metadata is a client's": (
        changed(lambda statement: statement["rest"][0].update(mode="client"), metadata),
        "metadata.mode",
    ),
    "metadata without Patient": (changed(faults.no_type("Patient"), metadata), "metadata.patient"),
    "metadata without Coverage": (changed(faults.no_type("Coverage"), metadata), "metadata.types"),
    # credential
    "401 for every search": (answered(status(401), search("Patient")), "credential.accepted"),
    "403 for every search": (answered(status(403), search("Patient")), "credential.accepted"),
    # the patient list
    "HTML page for the patient list": (answered(HTML, search("Patient")), "patient.search"),
    "no patients": (Fault(data=lambda resources: resources.update(Patient=[])), "patient.search"),
    "POST is refused": (
        answered(status(405), lambda asked: asked.below == "Patient/_search"),
        "patient.post-search",
    ),
    "no total": (changed(lambda bundle: bundle.pop("total", None), search("Patient")), "patient.total"),
    "wrong total": (changed(lambda bundle: bundle.update(total=1000), search("Patient")), "patient.total"),
    "total of the page": (changed(lambda bundle: bundle.update(total=1), search("Patient")), "patient.total"),
    "_count is ignored": (ignored("_count", "Patient"), "patient.count"),
    "next link to another host": (
        changed(faults.next_to("https://elsewhere.example/fhir?page=2"), search("Patient")),
        "patient.pages",
    ),
    "next link to the same page": (
        changed(faults.next_to("Patient?_count=2"), lambda asked: asked.search("Patient")),
        "patient.pages",
    ),
    "pages expire at once": (answered(status(410), faults.is_page), "patient.pages"),
    "HTML page for the next page": (answered(HTML, faults.is_page), "patient.pages"),
    "a patient on two pages": (changed(faults.repeated(PATIENT), faults.is_page), "patient.repeats"),
    "_id is ignored": (ignored("_id", "Patient"), "patient.by-id"),
    "family is ignored": (ignored("family", "Patient"), "patient.by-family"),
    ":contains is refused": (
        answered(status(400), lambda asked: "family:contains" in asked.parameters),
        "patient.by-family",
    ),
    "given is ignored": (ignored("given", "Patient"), "patient.by-given"),
    "birthdate is ignored": (ignored("birthdate", "Patient"), "patient.by-birthdate"),
    "gender is ignored": (ignored("gender", "Patient"), "patient.by-gender"),
    "identifier is ignored": (ignored("identifier", "Patient"), "patient.by-identifier"),
    "identifier finds nothing": (
        changed(lambda bundle: bundle.pop("entry", None), lambda asked: "identifier" in asked.parameters),
        "patient.by-identifier",
    ),
    # the chart
    "HTML page for Observation": (answered(HTML, search("Observation")), "observation.search"),
    "truncated JSON": (answered(TRUNCATED, search("AllergyIntolerance")), "allergy.search"),
    "XML": (answered(XML, search("MedicationRequest")), "medication.search"),
    "redirect": (answered(Given(302, "text/plain", None, b""), search("Encounter")), "encounter.search"),
    "Coverage is unknown": (answered(status(404), search("Coverage")), "coverage.search"),
    "server error": (answered(status(500), search("Condition")), "condition.search"),
    "another patient's condition": (changed(faults.stranger, search("Condition")), "condition.own"),
    "category is ignored": (
        Fault(before=ignored("category", "Observation").before, data=faults.some_laboratory),
        "observation.category",
    ),
    "Observations oldest first": (changed(faults.reverse, search("Observation")), "observation.order"),
    "Encounters oldest first": (changed(faults.reverse, search("Encounter")), "encounter.order"),
    "_count=1 of Encounters brings the oldest": (
        Fault(
            before=lambda asked: (
                setattr(asked, "query", asked.query.replace("_sort=-date", "_sort=date"))
                if asked.search("Encounter") and asked.parameters.get("_count") == "1"
                else None
            )
        ),
        "encounter.order",
    ),
    "_count of Condition is ignored": (ignored("_count", "Condition"), "condition.count"),
    "_count of MedicationRequest is refused": (
        answered(
            status(400),
            lambda asked: asked.search("MedicationRequest") and asked.parameters.get("_count") == "1",
        ),
        "medication.count",
    ),
    # reads, batch, errors
    "Patient cannot be read": (answered(status(404), reads("Patient")), "read.patient"),
    "another Patient is read": (
        changed(lambda patient: patient.update(id="somebody-else"), reads("Patient")),
        "read.patient",
    ),
    "Condition cannot be read": (answered(status(403), reads("Condition")), "read.types"),
    "Location does not exist": (answered(status(404), reads("Location")), "read.references"),
    "HTML page for an unknown id": (
        answered(
            Given(404, "text/html", None, b"<html>not found</html>"), lambda asked: asked.below.endswith("unknown")
        ),
        "read.unknown",
    ),
    "an unknown id is found": (
        answered(Given(200, "application/fhir+json", PATIENT), lambda asked: asked.below.endswith("unknown")),
        "read.unknown",
    ),
    "no batch": (answered(status(405), lambda asked: asked.method == "POST" and asked.below == ""), "batch"),
    "batch is answered by its request": (
        changed(lambda bundle: bundle.update(type="batch"), lambda asked: asked.method == "POST" and asked.below == ""),
        "batch",
    ),
    "batch in another order": (
        changed(faults.first_to_end, lambda asked: asked.method == "POST" and asked.below == ""),
        "batch.entries",
    ),
    "batch is incomplete": (
        changed(lambda bundle: bundle["entry"].pop(), lambda asked: asked.method == "POST" and asked.below == ""),
        "batch.entries",
    ),
    "JSON labelled as HTML": (
        Fault(after=lambda _asked, given: setattr(given, "content_type", "text/html")),
        "media-type",
    ),
    "throttled": (faults.once(status(429), reads("Patient")), "rate"),
    # shapes
    "DSTU2's list of family names": (each("Patient", faults.family_as_list), "patient.shape"),
    "R4's clinicalStatus": (each("AllergyIntolerance", faults.status_as_concept), "allergy.shape"),
    "a date as people write it": (each("Condition", faults.wrong_date), "condition.valid"),
    # fields that the app must find
    "no MRN type": (each("Patient", faults.untyped_identifiers), "patient.mrn"),
    "no given name": (lacking("Patient", "name.given"), "patient.given"),
    "no family name": (lacking("Patient", "name.family"), "patient.family"),
    "no gender": (lacking("Patient", "gender"), "patient.gender"),
    "no birth date": (lacking("Patient", "birthDate"), "patient.birth-date"),
    "no effective": (lacking("Observation", "effectiveDateTime", "effectivePeriod"), "observation.effective"),
    "no value": (lacking("Observation", "valueQuantity.value", "component.valueQuantity.value"), "observation.value"),
    "no component code": (lacking("Observation", "component.code.coding.code"), "observation.component-code"),
    "no display of the condition": (lacking("Condition", *CONDITION_CODE), "condition.display"),
    "only a text of the condition": (lacking("Condition", "code.coding.display"), "condition.display"),
    "no encounter status": (lacking("Encounter", "status"), "encounter.status"),
    "no encounter type": (lacking("Encounter", "type"), "encounter.type"),
    "no clinical status": (lacking("AllergyIntolerance", "clinicalStatus"), "allergy.clinical-status"),
    "no verification status": (lacking("AllergyIntolerance", "verificationStatus"), "allergy.verification-status"),
    "no drug": (
        lacking("MedicationRequest", "medicationReference.display", "medicationCodeableConcept"),
        "medication.drug",
    ),
    "no date of the prescription": (lacking("MedicationRequest", "authoredOn"), "medication.written"),
    "no prescriber": (lacking("MedicationRequest", "requester"), "medication.prescriber"),
    "no plan": (lacking("Coverage", "grouping.plan", "grouping.planDisplay"), "coverage.plan"),
    "no subscriber": (lacking("Coverage", "subscriberId"), "coverage.subscriber"),
    # fields that it also reads
    "no use of the name": (lacking("Patient", "name.use"), "patient.name-use"),
    "no display of the doctor": (lacking("Patient", "generalPractitioner.display"), "patient.doctor"),
    "no unit": (
        lacking("Observation", "valueQuantity.unit", "component.valueQuantity.unit"),
        "observation.unit",
    ),
    "no location": (lacking("Encounter", "location"), "encounter.location"),
    "no note": (lacking("AllergyIntolerance", "note"), "allergy.note"),
    "no dosage": (lacking("MedicationRequest", "dosageInstruction"), "medication.dose"),
}

STU3_FAULTS |= {
    f"another patient's {resource_type}": (changed(faults.stranger, search(resource_type)), f"{kind}.own")
    for kind, resource_type in (
        ("observation", "Observation"),
        ("encounter", "Encounter"),
        ("allergy", "AllergyIntolerance"),
        ("medication", "MedicationRequest"),
        ("coverage", "Coverage"),
    )
}
STU3_FAULTS |= {
    f"{resource_type}.{name} as a list": (each(resource_type, faults.as_list(name)), f"{kind}.shape")
    for kind, resource_type, name in (
        ("observation", "Observation", "code"),
        ("condition", "Condition", "code"),
        ("encounter", "Encounter", "status"),
        ("coverage", "Coverage", "subscriberId"),
    )
}
STU3_FAULTS |= {
    f"an unknown element in {resource_type}": (each(resource_type, faults.unknown_element), f"{kind}.valid")
    for kind, resource_type in (
        ("patient", "Patient"),
        ("observation", "Observation"),
        ("encounter", "Encounter"),
        ("allergy", "AllergyIntolerance"),
        ("medication", "MedicationRequest"),
        ("coverage", "Coverage"),
    )
}
STU3_FAULTS |= {
    f"no {resource_type}.{path}": (lacking(resource_type, path), owner)
    for resource_type, path, owner in (
        ("AllergyIntolerance", "code.text", "allergy.substance"),
        ("AllergyIntolerance", "code.coding", "allergy.display"),
        ("AllergyIntolerance", "assertedDate", "allergy.recorded"),
        ("AllergyIntolerance", "reaction.substance", "allergy.reaction-substance"),
        ("AllergyIntolerance", "reaction.manifestation", "allergy.manifestation"),
        ("Condition", "assertedDate", "condition.recorded"),
        ("Condition", "severity", "condition.severity"),
        ("Coverage", "period", "coverage.period"),
        ("Encounter", "period", "encounter.start"),
        ("MedicationRequest", "text", "medication.narrative"),
        ("Observation", "code.coding.code", "observation.code"),
        ("Observation", "code.coding.display", "observation.code-display"),
        ("Patient", "name.prefix", "patient.name-prefix"),
    )
}
STU3_FAULTS["no group"] = lacking("Coverage", "grouping.group", "grouping.groupDisplay"), "coverage.group"

DSTU2_FAULTS: dict[str, tuple[Fault, str]] = {
    "name is ignored": (ignored("name", "Patient"), "patient.by-name"),
    "STU3's family name": (
        each("Patient", faults.family_as_text),
        "patient.shape",
    ),
    "no substance": (lacking("AllergyIntolerance", "substance"), "allergy.substance"),
    "prescriber is a text": (each("MedicationOrder", faults.prescriber_as_text), "medication.shape"),
    "no status of the allergy": (lacking("AllergyIntolerance", "status"), "allergy.status"),
    "no narrative of the allergy": (lacking("AllergyIntolerance", "text"), "allergy.narrative"),
    "no end of the prescription": (lacking("MedicationOrder", "dateEnded"), "medication.ended"),
    "no date written": (lacking("MedicationOrder", "dateWritten"), "medication.written"),
}


def attention(report: Report) -> set[str]:
    """The checks that say something is wrong."""
    return {result.check.id for result in report.results if result.status in (Status.FAIL, Status.WARN)}


@pytest.mark.parametrize("name", ["northfield", "lakeside"])
async def test_a_clean_server_passes(checked: Checked, name: str) -> None:
    report = await checked(Fault(), name)
    assert attention(report) == set()
    assert report.verdict is Status.PASS


@pytest.mark.parametrize("name", STU3_FAULTS)
async def test_a_fault_is_named_by_its_check(checked: Checked, name: str) -> None:
    fault, owner = STU3_FAULTS[name]
    report = await checked(fault)
    assert attention(report) == {owner}
    assert untold(report) == []


@pytest.mark.parametrize("name", DSTU2_FAULTS)
async def test_a_fault_of_dstu2_is_named_by_its_check(checked: Checked, name: str) -> None:
    fault, owner = DSTU2_FAULTS[name]
    report = await checked(fault, "lakeside")
    assert attention(report) == {owner}
    assert untold(report) == []


async def test_a_refused_secret_is_named_by_its_check(checked: Checked) -> None:
    report = await checked(Fault(), secret="wrong")
    assert attention(report) == {"token"}
    assert untold(report) == []


async def test_a_token_endpoint_that_is_an_html_page_is_named_by_its_check(checked: Checked) -> None:
    fault = answered(HTML, lambda asked: asked.path == "/oauth2/token")
    report = await checked(fault, secret="right")
    assert attention(report) == {"token"}
    assert untold(report) == []


async def test_a_missing_token_url_is_named_by_its_check(checked: Checked) -> None:
    fault = changed(lambda statement: statement["rest"][0].pop("security"), metadata)
    report = await checked(fault, secret="right")
    assert attention(report) == {"metadata.oauth-uris"}
    assert untold(report) == []


async def test_a_server_that_asks_for_tokens_passes(checked: Checked) -> None:
    assert attention(await checked(Fault(), secret="right")) == set()


# Planted in the tests below, in test_connections.py and in test_latency.py.
ELSEWHERE = {
    "dns",
    "tcp",
    "tls.used",
    "tls.handshake",
    "tls.expiry",
    "tls.trust",
    "token",
    "metadata.oauth-uris",
    "pace",
    # DSTU2 knows no search of Coverage by patient, so a DSTU2 server alone is never asked for any.
    "coverage.payor",
}


def test_every_check_owns_a_planted_fault() -> None:
    owners = {owner for _, owner in (*STU3_FAULTS.values(), *DSTU2_FAULTS.values())} | ELSEWHERE
    assert {check.id for version in FhirVersion for check in checks_for(version)} == owners
