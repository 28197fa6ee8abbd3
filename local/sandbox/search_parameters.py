"""Search parameters per FHIR version: names, types and the elements they look at.

From the search parameter registries of FHIR 1.0.2, 3.0.2 and 4.0.1, limited to the resources a hospital
holds. Paths are dotted element names; a list on the way means every item of it.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from local.sandbox.hospitals import Version

type ParameterType = Literal["token", "string", "date", "reference"]
type ParameterTable = Mapping[str, Mapping[str, SearchParameter]]


class SearchParameter(NamedTuple):
    """A search parameter's type and the elements whose values it is compared with."""

    type: ParameterType
    paths: tuple[str, ...]


def _token(*paths: str) -> SearchParameter:
    return SearchParameter("token", paths)


def _string(*paths: str) -> SearchParameter:
    return SearchParameter("string", paths)


def _date(*paths: str) -> SearchParameter:
    return SearchParameter("date", paths)


def _reference(*paths: str) -> SearchParameter:
    return SearchParameter("reference", paths)


_EVERY_RESOURCE = {"_id": _token("id"), "_lastUpdated": _date("meta.lastUpdated")}

_HUMAN_NAME = _string("name.family", "name.given", "name.text", "name.prefix", "name.suffix")
_PERSON = {
    "family": _string("name.family"),
    "given": _string("name.given"),
    "name": _HUMAN_NAME,
    "identifier": _token("identifier"),
    "gender": _token("gender"),
}
_PATIENT = {**_PERSON, "birthdate": _date("birthDate"), "active": _token("active")}
_PLACE = {"name": _string("name"), "identifier": _token("identifier"), "type": _token("type")}
_ANY_VERSION = {
    "Practitioner": _PERSON,
    "Organization": _PLACE,
    "Location": {**_PLACE, "status": _token("status"), "partof": _reference("partOf")},
    "Medication": {"code": _token("code")},
}
_OBSERVATION = {
    "category": _token("category"),
    "code": _token("code"),
    "component-code": _token("component.code"),
    "date": _date("effectiveDateTime", "effectivePeriod"),
    "patient": _reference("subject"),
    "status": _token("status"),
    "subject": _reference("subject"),
}
_ENCOUNTER = {
    "date": _date("period"),
    "identifier": _token("identifier"),
    "location": _reference("location.location"),
    "status": _token("status"),
    "type": _token("type"),
}
_MEDICATION = {
    "code": _token("medicationCodeableConcept"),
    "medication": _reference("medicationReference"),
    "status": _token("status"),
}

_DSTU2 = {
    **_ANY_VERSION,
    "Patient": {**_PATIENT, "careprovider": _reference("careProvider")},
    "Observation": {**_OBSERVATION, "encounter": _reference("encounter")},
    "Condition": {
        "category": _token("category"),
        "clinicalstatus": _token("clinicalStatus"),
        "code": _token("code"),
        "date-recorded": _date("dateRecorded"),
        "encounter": _reference("encounter"),
        "onset": _date("onsetDateTime", "onsetPeriod"),
        "patient": _reference("patient"),
        "severity": _token("severity"),
    },
    "Encounter": {**_ENCOUNTER, "patient": _reference("patient")},
    "AllergyIntolerance": {
        "category": _token("category"),
        "criticality": _token("criticality"),
        "date": _date("recordedDate"),
        "patient": _reference("patient"),
        "status": _token("status"),
        "substance": _token("substance", "reaction.substance"),
        "type": _token("type"),
    },
    "MedicationOrder": {
        **_MEDICATION,
        "datewritten": _date("dateWritten"),
        "encounter": _reference("encounter"),
        "patient": _reference("patient"),
        "prescriber": _reference("prescriber"),
    },
    "Coverage": {
        "group": _token("group"),
        "identifier": _token("identifier"),
        "issuer": _reference("issuer"),
        "plan": _token("plan"),
        "type": _token("type"),
    },
}

# What STU3 and R4 share.
_OWNED = {"patient": _reference("subject"), "subject": _reference("subject")}
_CONDITION = {
    **_OWNED,
    "category": _token("category"),
    "clinical-status": _token("clinicalStatus"),
    "code": _token("code"),
    "onset-date": _date("onsetDateTime", "onsetPeriod"),
    "severity": _token("severity"),
    "verification-status": _token("verificationStatus"),
}
_ALLERGY = {
    "category": _token("category"),
    "clinical-status": _token("clinicalStatus"),
    "code": _token("code", "reaction.substance"),
    "criticality": _token("criticality"),
    "patient": _reference("patient"),
    "type": _token("type"),
    "verification-status": _token("verificationStatus"),
}
_MEDICATION_REQUEST = {
    **_MEDICATION,
    **_OWNED,
    "authoredon": _date("authoredOn"),
    "category": _token("category"),
    "intent": _token("intent"),
    "priority": _token("priority"),
}
_MEDICATION_STATEMENT = {
    **_MEDICATION,
    **_OWNED,
    "category": _token("category"),
    "effective": _date("effectiveDateTime", "effectivePeriod"),
}
_COVERAGE = {
    "beneficiary": _reference("beneficiary"),
    "identifier": _token("identifier"),
    "payor": _reference("payor"),
    "subscriber": _reference("subscriber"),
    "type": _token("type"),
}

_STU3 = {
    **_ANY_VERSION,
    "Patient": {**_PATIENT, "general-practitioner": _reference("generalPractitioner")},
    "Observation": {**_OBSERVATION, "context": _reference("context"), "encounter": _reference("context")},
    "Condition": {**_CONDITION, "asserted-date": _date("assertedDate"), "context": _reference("context")},
    "Encounter": {**_ENCOUNTER, **_OWNED, "class": _token("class")},
    "AllergyIntolerance": {**_ALLERGY, "date": _date("assertedDate")},
    "MedicationRequest": {
        **_MEDICATION_REQUEST,
        "context": _reference("context"),
        "requester": _reference("requester.agent"),
    },
    "MedicationStatement": {**_MEDICATION_STATEMENT, "context": _reference("context")},
    "Coverage": {**_COVERAGE, "group": _string("grouping.group"), "plan": _string("grouping.plan")},
}

_R4 = {
    **_ANY_VERSION,
    "Patient": {**_PATIENT, "general-practitioner": _reference("generalPractitioner")},
    "Observation": {**_OBSERVATION, "encounter": _reference("encounter")},
    "Condition": {**_CONDITION, "encounter": _reference("encounter"), "recorded-date": _date("recordedDate")},
    "Encounter": {**_ENCOUNTER, **_OWNED, "class": _token("class")},
    "AllergyIntolerance": {**_ALLERGY, "date": _date("recordedDate")},
    "MedicationRequest": {
        **_MEDICATION_REQUEST,
        "encounter": _reference("encounter"),
        "requester": _reference("requester"),
    },
    "MedicationStatement": {**_MEDICATION_STATEMENT, "context": _reference("context")},
    "Coverage": {
        **_COVERAGE,
        "class-type": _token("class.type"),
        "class-value": _string("class.value"),
        "patient": _reference("beneficiary"),
        "status": _token("status"),
    },
}


def _with_common(table: ParameterTable) -> ParameterTable:
    return {resource_type: {**_EVERY_RESOURCE, **parameters} for resource_type, parameters in sorted(table.items())}


SEARCH_PARAMETERS: Mapping[Version, ParameterTable] = {
    "dstu2": _with_common(_DSTU2),
    "stu3": _with_common(_STU3),
    "r4": _with_common(_R4),
}
