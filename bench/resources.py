"""What the benchmark's upstream sends: made-up resources of a hospital's usual size, as files for `upstream.mjs`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

type Resource = dict[str, Any]
type Release = Literal["r4", "stu3"]

PATIENT = "example-patient"
SEARCHSET_ENTRIES = 200
_LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"
_CHART_TYPES = ("Condition", "Encounter", "AllergyIntolerance", "MedicationRequest", "Coverage")
_CHART_ENTRIES = {"Encounter": 20, "Condition": 10, "MedicationRequest": 10}


def write_resources(folder: Path, origin: str) -> None:
    """Fill `folder` for an upstream at `origin`: `r4` with a Patient and a MedicationRequest of about 2 KB and a
    searchset of SEARCHSET_ENTRIES Observations of about 300 KB, `stu3` and `stu3-slow` with the chart of a patient.
    """
    _write(folder / "r4" / "Patient.read.json", patient("r4", f"{origin}/r4"))
    _write(folder / "r4" / "MedicationRequest.read.json", medication_request("r4", 1))
    observations = [observation(number) for number in range(SEARCHSET_ENTRIES)]
    _write(folder / "r4" / "Observation.search.json", searchset(f"{origin}/r4", observations, more=True))
    for name in ("stu3", "stu3-slow"):
        _write_chart(folder / name, f"{origin}/{name}")


def _write_chart(folder: Path, base: str) -> None:
    _write(folder / "Patient.read.json", patient("stu3", base))
    _write(folder / "Observation.search.json", searchset(base, [observation(number) for number in range(20)]))
    for resource_type in _CHART_TYPES:
        count = _CHART_ENTRIES.get(resource_type, 3)
        resources = [_chart_resource(resource_type, number) for number in range(count)]
        _write(folder / f"{resource_type}.search.json", searchset(base, resources))


def patient(release: Release, base: str) -> Resource:
    """A Patient of about 2 KB with one relative and two absolute references."""
    contact = {"relationship": [{"text": "Next of kin"}], "name": {"family": "Example", "given": ["Contact"]}}
    return {
        "resourceType": "Patient",
        "id": PATIENT,
        "meta": {"versionId": "1", "lastUpdated": "2026-11-02T08:00:00Z"},
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"Example text. " * 20}</div>',
        },
        "identifier": [
            {
                "use": "official",
                "type": {"coding": [{"system": _identifier_type(release), "code": "MR"}]},
                "system": "urn:oid:1.2.36.146.595.217.0.1",
                "value": f"{number:08}",
                "assigner": {"reference": f"{base}/Organization/organization-1", "display": "Example Hospital"},
            }
            for number in range(2)
        ],
        "active": True,
        "name": [{"use": "official", "family": "Example", "given": ["Given", "Middle"], "prefix": ["Dr."]}],
        "telecom": [{"system": "phone", "value": "555 0100", "use": use} for use in ("home", "work", "mobile")],
        "gender": "female",
        "birthDate": "1970-01-01",
        "address": [{"use": "home", "line": ["1 Example Street"], "city": "Example", "postalCode": "00000"}],
        "contact": [contact, contact],
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}], "text": "English"}}],
        "generalPractitioner": [
            {"reference": f"{base}/Practitioner/practitioner-1", "display": "Practitioner Example"}
        ],
        "managingOrganization": {"reference": "Organization/organization-1", "display": "Example Hospital"},
    }


def observation(number: int) -> Resource:
    """A blood pressure of about 1.4 KB, the same in STU3 and R4."""
    return {
        "resourceType": "Observation",
        "id": f"observation-{number}",
        "meta": {"versionId": "1", "lastUpdated": "2026-11-02T08:00:00Z"},
        "status": "final",
        "category": [
            _concept("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs")
        ],
        "code": _concept(_LOINC, "85354-9", "Blood pressure panel with all children optional"),
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Patient Example"},
        "effectiveDateTime": f"2026-10-{1 + number % 28:02}T{number % 24:02}:30:00Z",
        "issued": f"2026-10-{1 + number % 28:02}T{number % 24:02}:31:00.000Z",
        "performer": [{"reference": "Practitioner/practitioner-1", "display": "Practitioner Example"}],
        "bodySite": _concept(_SNOMED, "368209003", "Right upper arm structure"),
        "component": [
            {
                "code": _concept(_LOINC, code, display),
                "valueQuantity": {
                    "value": value + number % 20,
                    "unit": "mmHg",
                    "system": "http://unitsofmeasure.org",
                    "code": "mm[Hg]",
                },
            }
            for code, display, value in (
                ("8480-6", "Systolic blood pressure", 110),
                ("8462-4", "Diastolic blood pressure", 70),
            )
        ],
    }


def medication_request(release: Release, number: int) -> Resource:
    """A MedicationRequest of about 2 KB, whose requester and dosage differ between STU3 and R4."""
    doctor = {"reference": "Practitioner/practitioner-1", "display": "Practitioner Example"}
    rate = {"value": 500, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    repeat = {"frequency": 2, "period": 1, "periodUnit": "d", "boundsPeriod": {"start": "2026-10-01"}}
    dose: Resource = {
        "sequence": 1,
        "text": "One tablet twice a day with food, swallowed whole with a glass of water",
        "timing": {"repeat": repeat, "code": {"text": "BID"}},
        "asNeededBoolean": False,
        "route": _concept(_SNOMED, "26643006", "Oral route"),
    }
    dose |= {"doseAndRate": [{"doseQuantity": rate}]} if release == "r4" else {"doseQuantity": rate}
    return {
        "resourceType": "MedicationRequest",
        "id": f"medication-request-{number}",
        "meta": {"versionId": "1", "lastUpdated": "2026-11-02T08:00:00Z"},
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"Example text. " * 20}</div>',
        },
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _concept(
            "http://www.nlm.nih.gov/research/umls/rxnorm", "860975", "Metformin 500 MG Oral Tablet"
        ),
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Patient Example"},
        "authoredOn": f"2026-10-{1 + number % 28:02}",
        "requester": doctor if release == "r4" else {"agent": doctor},
        "reasonCode": [_concept(_SNOMED, "44054006", "Diabetes mellitus type 2")],
        "note": [{"text": "Example note about the course of the treatment. " * 3}],
        "dosageInstruction": [dose],
        "dispenseRequest": {"validityPeriod": {"start": "2026-10-01"}, "quantity": {"value": 60, "unit": "tablets"}},
    }


def searchset(base: str, resources: list[Resource], *, more: bool = False) -> Resource:
    """All of `resources` as a page of a search at `base`, with a link to a next one when there is `more`."""
    url = f"{base}/{resources[0]['resourceType']}?patient={PATIENT}"
    links = [{"relation": "self", "url": url}, {"relation": "next", "url": f"{url}&page=2"}]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources) * 2 if more else len(resources),
        "link": links if more else links[:1],
        "entry": list(_entries(base, resources)),
    }


def _entries(base: str, resources: list[Resource]) -> Iterator[Resource]:
    for resource in resources:
        full_url = f"{base}/{resource['resourceType']}/{resource['id']}"
        yield {"fullUrl": full_url, "resource": resource, "search": {"mode": "match"}}


def _chart_resource(resource_type: str, number: int) -> Resource:
    if resource_type == "MedicationRequest":
        return medication_request("stu3", number)
    day = f"2026-10-{1 + number % 28:02}"
    subject = {"reference": f"Patient/{PATIENT}"}
    common = {"resourceType": resource_type, "id": f"{resource_type.lower()}-{number}"}
    match resource_type:
        case "Encounter":
            place = {"reference": "Location/location-1", "display": f"Room {number}"}
            return {
                **common,
                "status": "finished" if number else "in-progress",
                "type": [_concept(_SNOMED, "183452005", "Emergency hospital admission")],
                "subject": subject,
                "period": {"start": f"{day}T08:00:00Z"},
                "location": [{"location": place}],
            }
        case "AllergyIntolerance":
            reaction = {"manifestation": [_concept(_SNOMED, "247472004", "Wheal")], "severity": "mild"}
            return {
                **common,
                "clinicalStatus": "active",
                "verificationStatus": "confirmed",
                "code": _concept(_SNOMED, "91936005", "Allergy to penicillin"),
                "patient": subject,
                "assertedDate": day,
                "reaction": [reaction],
            }
        case "Coverage":
            grouping = {"groupDisplay": "Example group", "planDisplay": "Example plan"}
            return {**common, "status": "active", "beneficiary": subject, "grouping": grouping, "subscriberId": "1"}
        case _:
            return {
                **common,
                "clinicalStatus": "active",
                "code": _concept(_SNOMED, "38341003", "Hypertensive disorder"),
                "subject": subject,
                "assertedDate": day,
            }


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _identifier_type(release: Release) -> str:
    return {"r4": "http://terminology.hl7.org/CodeSystem/v2-0203", "stu3": "http://hl7.org/fhir/v2/0203"}[release]


def _write(path: Path, content: Resource) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(",", ":")))
