"""What the Patients app shows of each resource: the exact elements that it reads, by FHIR release."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.patients_app import MEDICATION, Release, Resource

MISSING = "(missing)"


@dataclass(frozen=True)
class Column:
    """A column of a screen: the first of `paths` that a resource has. `must`: the app needs it."""

    heading: str
    paths: tuple[str, ...]
    must: bool = True

    def text(self, resource: Resource) -> str:
        """What the app would show; MISSING for an element that it needs and does not find."""
        for path in self.paths:
            values = [value for value in elements(resource, path) if isinstance(value, str | int | float)]
            if values:
                return " ".join(str(value) for value in values)
        return MISSING if self.must else ""


@dataclass(frozen=True)
class Screen:
    """One table of the app, made of the resources of one type."""

    title: str
    resource_type: str
    columns: tuple[Column, ...]


_ABOUT = ("patient.reference", "subject.reference", "beneficiary.reference", "subscriber.reference")


def elements(node: object, path: str) -> list[Any]:
    """The values at `path`, such as `name[0].given` or `identifier(type.coding.code=MR).value`.

    A list without an index means each of its items.
    """
    nodes = [node]
    for step in re.findall(r"[^.(]+(?:\([^)]*\))?", path):
        name, index, condition = _step(step)
        nodes = [child for parent in nodes for child in _children(parent, name, index)]
        if condition:
            where, _, value = condition.partition("=")
            nodes = [child for child in nodes if value in elements(child, where)]
    return nodes


def _step(step: str) -> tuple[str, int | None, str]:
    matched = re.fullmatch(r"(\w+)(?:\[(\d+)\])?(?:\((.*)\))?", step)
    if matched is None:
        raise ValueError(f"not a path step: {step}")
    name, index, condition = matched.groups()
    return name, None if index is None else int(index), condition or ""


def _children(parent: object, name: str, index: int | None) -> list[Any]:
    value = parent.get(name) if isinstance(parent, dict) else None
    items = [] if value is None else value if isinstance(value, list) else [value]
    return items if index is None else items[index : index + 1]


def concerns(resource: Resource, patient_id: str) -> bool:
    """Whether the resource is the patient, or is about that patient as far as it says whom it is about."""
    if resource.get("resourceType") == "Patient":
        return resource.get("id") == patient_id
    references = [str(reference) for path in _ABOUT for reference in elements(resource, path)]
    return not references or any(reference.split("/")[-2:] == ["Patient", patient_id] for reference in references)


def patient_list(release: Release) -> Screen:
    """The list of patients."""
    doctor = "careProvider" if release == "dstu2" else "generalPractitioner"
    return Screen(
        "Patients",
        "Patient",
        (
            Column("Given", ("name[0].given",)),
            Column("Family", ("name[0].family",)),
            Column("Gender", ("gender",)),
            Column("Born", ("birthDate",)),
            Column("MRN", ("identifier(type.coding.code=MR).value",)),
            Column("GP", (f"{doctor}.display",), must=False),
        ),
    )


def chart_screens(release: Release) -> tuple[Screen, ...]:
    """The tables of one patient's chart, but the last location, which may need one more call."""
    return (
        _CONDITIONS[release],
        _ALLERGIES[release],
        Screen("Medication", MEDICATION[release], _MEDICATION_COLUMNS[release]),
        Screen("Coverage", "Coverage", _COVERAGE[release]),
    )


_VITAL_CODE = Column("Code", ("code.coding.code",))
VITALS = Screen(
    "Vitals",
    "Observation",
    (
        Column("When", ("effectiveDateTime", "effectivePeriod.start")),
        _VITAL_CODE,
        Column("Measured", ("code.coding.display",), must=False),
        Column("Value", ("valueQuantity.value",)),
        Column("Unit", ("valueQuantity.unit",), must=False),
    ),
)


def vitals_rows(observation: Resource) -> list[Resource]:
    """The observation, or each of its components with the observation's date: one line of the app each."""
    when = {key: value for key, value in observation.items() if key.startswith("effective")}
    components = observation.get("component", [])
    return [when | component for component in components] if components else [observation]


def location_columns() -> tuple[Column, ...]:
    """The last encounter; its location's name comes from the encounter or from the Location itself."""
    return (
        Column("Status", ("status",)),
        Column("Visit", ("type[0].coding[0].display",)),
        Column("Since", ("period.start",), must=False),
    )


_SEVERITY = Column("Severity", ("severity.coding[0].display", "severity.text"), must=False)
_DIAGNOSIS = Column("Condition", ("code.coding[0].display",))


def _conditions(date: str) -> Screen:
    return Screen("Conditions", "Condition", (_DIAGNOSIS, Column("Recorded", (date,), must=False), _SEVERITY))


_CONDITIONS: Mapping[Release, Screen] = {
    "dstu2": _conditions("dateRecorded"),
    "stu3": _conditions("assertedDate"),
    "r4": _conditions("recordedDate"),
}

_ALLERGIES: Mapping[Release, Screen] = {
    "dstu2": Screen(
        "Allergies",
        "AllergyIntolerance",
        (
            Column("Substance", ("substance.text", "substance.coding[0].display")),
            Column("Status", ("status",)),
            Column("Recorded", ("recordedDate",), must=False),
            Column("Reaction", ("reaction.manifestation.text",), must=False),
            Column("Note", ("note.text",), must=False),
        ),
    ),
    "stu3": Screen(
        "Allergies",
        "AllergyIntolerance",
        (
            Column("Allergy", ("code.text",)),
            Column("Coded", ("code.coding[0].display",)),
            Column("Clinical", ("clinicalStatus",)),
            Column("Verification", ("verificationStatus",)),
            Column("Asserted", ("assertedDate",), must=False),
            Column("Reaction", ("reaction.manifestation.coding.display",), must=False),
            Column("Note", ("note.text",), must=False),
        ),
    ),
    "r4": Screen(
        "Allergies",
        "AllergyIntolerance",
        (
            Column("Allergy", ("code.text",)),
            Column("Coded", ("code.coding[0].display",)),
            Column("Clinical", ("clinicalStatus.coding[0].code",)),
            Column("Verification", ("verificationStatus.coding[0].code",)),
            Column("Recorded", ("recordedDate",), must=False),
            Column("Reaction", ("reaction.manifestation.coding.display",), must=False),
            Column("Note", ("note.text",), must=False),
        ),
    ),
}

_DRUG = Column("Drug", ("medicationReference.display", "medicationCodeableConcept.text"))
_DOSE = Column("Dose", ("dosageInstruction.text",), must=False)
_MEDICATION_COLUMNS: Mapping[Release, tuple[Column, ...]] = {
    "dstu2": (_DRUG, Column("Written", ("dateWritten",)), Column("By", ("prescriber.display",)), _DOSE),
    "stu3": (_DRUG, Column("Authored", ("authoredOn",)), Column("By", ("requester.agent.display",)), _DOSE),
    "r4": (_DRUG, Column("Authored", ("authoredOn",)), Column("By", ("requester.display",)), _DOSE),
}

_COVERAGE: Mapping[Release, tuple[Column, ...]] = {
    "dstu2": (
        Column("Issuer", ("issuer.display", "issuer.reference")),
        Column("Plan", ("plan",)),
        Column("From", ("period.start",), must=False),
    ),
    "stu3": (
        Column("Group", ("grouping.groupDisplay",)),
        Column("Plan", ("grouping.planDisplay",)),
        Column("From", ("period.start",)),
        Column("Subscriber", ("subscriberId",)),
    ),
    "r4": (
        Column("Group", ("class(type.coding.code=group).name",)),
        Column("Plan", ("class(type.coding.code=plan).name",)),
        Column("From", ("period.start",)),
        Column("Subscriber", ("subscriberId",)),
    ),
}
