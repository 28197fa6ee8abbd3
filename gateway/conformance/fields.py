"""What the app must find in each resource and what it also reads (interface §4 STU3, §5 DSTU2), as data.

A field has the same name in every version, so that the server's side and the gateway's side of a report meet. R4 is
no version of the app's: there the field is the element from which the gateway makes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.versions import FhirVersion


@dataclass(frozen=True, slots=True)
class Field:
    """`beside` is where the gateway finds it when the element is absent; `when` limits it to resources that have
    that element.
    """

    name: str
    path: str
    must: bool = True
    beside: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource that the app reads, under its name in one version."""

    name: str
    resource_type: str
    fields: tuple[Field, ...]


def _also(name: str, path: str, beside: str = "") -> Field:
    return Field(name, path, must=False, beside=beside)


_MRN = Field("mrn", "identifier.where(type.coding.code='MR').value")
_NAMES = (Field("given", "name.given"), Field("family", "name.family"))
_PERSON = (Field("gender", "gender"), Field("birth-date", "birthDate"), _MRN)
_NAME_PARTS = (_also("name-use", "name.use"), _also("name-prefix", "name.prefix"))


def _patient(doctor: str) -> Kind:
    display = _also("doctor", f"{doctor}.display", f"{doctor}.reference")
    return Kind("patient", "Patient", (*_NAMES, *_PERSON, *_NAME_PARTS, display))


_OBSERVATION = Kind(
    "observation",
    "Observation",
    (
        Field("effective", "effectiveDateTime | effectivePeriod.start | effectivePeriod.end"),
        Field("code", "code.coding.code"),
        Field("value", "valueQuantity.value | component.valueQuantity.value"),
        Field("component-code", "component.code.coding.code", when="component"),
        _also("code-display", "code.coding.display", "code.text"),
        _also("unit", "valueQuantity.unit | component.valueQuantity.unit"),
    ),
)


def _condition(recorded: str) -> Kind:
    return Kind(
        "condition",
        "Condition",
        (
            Field("display", "code.coding[0].display", beside="code.text"),
            _also("recorded", recorded),
            _also("severity", "severity.coding | severity.text"),
        ),
    )


_ENCOUNTER = Kind(
    "encounter",
    "Encounter",
    (
        Field("status", "status"),
        Field("type", "type[0].coding[0].display", beside="type[0].text"),
        _also("start", "period.start"),
        _also("location", "location[0].location.display", "location[0].location.reference"),
    ),
)
_NOTE = _also("note", "note.text")
_DSTU2_ALLERGY = Kind(
    "allergy",
    "AllergyIntolerance",
    (
        Field("substance", "substance.text | substance.coding[0].display"),
        Field("status", "status"),
        _also("recorded", "recordedDate"),
        _NOTE,
        _also("reaction-substance", "reaction.substance.text", "reaction.substance.coding.display"),
        _also("manifestation", "reaction.manifestation.text", "reaction.manifestation.coding.display"),
        _also("narrative", "text.div"),
    ),
)


def _allergy(recorded: str, status_code: str) -> Kind:
    return Kind(
        "allergy",
        "AllergyIntolerance",
        (
            Field("substance", "code.text", beside="code.coding.display"),
            Field("display", "code.coding[0].display", beside="code.text"),
            Field("clinical-status", f"clinicalStatus{status_code}"),
            Field("verification-status", f"verificationStatus{status_code}"),
            _also("recorded", recorded),
            _NOTE,
            _also("reaction-substance", "reaction.substance.coding", "reaction.substance.text"),
            _also("manifestation", "reaction.manifestation.coding", "reaction.manifestation.text"),
        ),
    )


_DRUG = Field(
    "drug",
    "medicationReference.display | medicationCodeableConcept.text",
    beside="medicationCodeableConcept.coding.display | medicationReference.reference",
)
_DOSE, _NARRATIVE = _also("dose", "dosageInstruction.text"), _also("narrative", "text.div")


def _medication(resource_type: str, written: str, prescriber: str, *further: Field) -> Kind:
    who = Field("prescriber", f"{prescriber}.display", beside=f"{prescriber}.reference")
    return Kind("medication", resource_type, (_DRUG, Field("written", written), who, *further, _DOSE, _NARRATIVE))


_COVERED = (Field("period", "period.start | period.end"), Field("subscriber", "subscriberId"))
_R4_CLASS = "class.where(type.coding.code='{}').{}"


KINDS: Mapping[FhirVersion, tuple[Kind, ...]] = {
    FhirVersion.DSTU2: (
        _patient("careProvider"),
        _OBSERVATION,
        _condition("dateRecorded"),
        _ENCOUNTER,
        _DSTU2_ALLERGY,
        _medication("MedicationOrder", "dateWritten", "prescriber", _also("ended", "dateEnded")),
        Kind("coverage", "Coverage", (Field("payor", "issuer.display | issuer.reference | plan"),)),
    ),
    FhirVersion.STU3: (
        _patient("generalPractitioner"),
        _OBSERVATION,
        _condition("assertedDate"),
        _ENCOUNTER,
        _allergy("assertedDate", ""),
        _medication("MedicationRequest", "authoredOn", "requester.agent"),
        Kind(
            "coverage",
            "Coverage",
            (
                Field("group", "grouping.groupDisplay", beside="grouping.group"),
                Field("plan", "grouping.planDisplay", beside="grouping.plan"),
                *_COVERED,
            ),
        ),
    ),
    FhirVersion.R4: (
        _patient("generalPractitioner"),
        _OBSERVATION,
        _condition("recordedDate"),
        _ENCOUNTER,
        _allergy("recordedDate", ".coding.code"),
        _medication("MedicationRequest", "authoredOn", "requester"),
        Kind(
            "coverage",
            "Coverage",
            (
                Field("group", _R4_CLASS.format("group", "name"), beside=_R4_CLASS.format("group", "value")),
                Field("plan", _R4_CLASS.format("plan", "name"), beside=_R4_CLASS.format("plan", "value")),
                *_COVERED,
            ),
        ),
    ),
}
SECTIONS: Mapping[FhirVersion, str] = {FhirVersion.DSTU2: "§5", FhirVersion.STU3: "§4", FhirVersion.R4: "§4"}
"""Where the app's interface speaks of a version; R4 serves the STU3 face unless another is asked for."""


def kind_of(version: FhirVersion, name: str) -> Kind:
    return next(kind for kind in KINDS[version] if kind.name == name)
