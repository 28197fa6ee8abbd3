# ruff: noqa: E501 - a table's line is a row, however wide
from gateway.versions.codes import codes
from gateway.versions.compile import converter
from gateway.versions.resources.medication import reason_down, reason_up
from gateway.versions.table import JsonObject, NotExpressibleError, resource
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4

# Our own: stopped -> completed and on-hold -> intended in DSTU2 (HL7 refuses both).
STATUS = codes(
    "MedicationStatement.status",
    """
    active            active            active
    completed         completed         completed
    intended          intended          intended
    completed         stopped           stopped
    intended          on-hold           on-hold
    completed         completed         not-taken
    completed         completed         unknown
    hide              hide              entered-in-error
    hide              entered-in-error  hide
    entered-in-error  hide              hide
    """,
)
TAKEN = {"not-taken": "n", "unknown": "unk"}


def _taken(source: JsonObject, out: JsonObject) -> None:
    """STU3 asks whether the medication is taken; R4 says so only where it is not."""
    out["taken"] = TAKEN.get(source.get("status", ""), "unk")
    if out["taken"] == "n" and "reasonCode" in out:
        out["reasonNotTaken"] = out.pop("reasonCode")


def _not_taken_from_status(source: JsonObject, out: JsonObject) -> None:
    if source.get("status") == "not-taken":
        out["wasNotTaken"] = True
        _reason_not_taken(source, out)


def _reason_not_taken(source: JsonObject, out: JsonObject) -> None:
    held = source.get("reasonCode")
    moved = [m for m in map(converter("CodeableConcept", R4, DSTU2), held) if m] if type(held) is list else None
    if moved:
        out["reasonNotTaken"] = moved


def _not_taken_from_taken(source: JsonObject, out: JsonObject) -> None:
    taken = source.get("taken")
    if taken in ("y", "n"):
        out["wasNotTaken"] = taken == "n"
    elif taken not in (None, "unk", "na"):
        raise NotExpressibleError("modifier")


def _taken_from_not_taken(source: JsonObject, out: JsonObject) -> None:
    was_not = source.get("wasNotTaken")
    if was_not is not None and type(was_not) is not bool:
        raise NotExpressibleError("modifier")
    out["taken"] = {True: "n", False: "y", None: "unk"}[was_not]


TABLES = (
    resource(
        "MedicationStatement",
        """
        # DSTU2                         | STU3                            | R4                               | how
        identifier* Identifier          | =                               | =
        -                               | basedOn* Reference(MedicationRequest/CarePlan/ProcedureRequest/ReferralRequest) | basedOn* Reference(MedicationRequest/CarePlan/ServiceRequest)
        -                               | partOf* Reference(MedicationAdministration/MedicationDispense/MedicationStatement/Procedure/Observation) | =
        -                               | context Reference(Encounter/EpisodeOfCare) | =
        status!?! code                  | =                               | =                                | status
        -                               | category CodeableConcept        | =
        medication[x]! CodeableConcept/Reference(Medication) | =          | =
        effective[x] dateTime/Period    | =                               | =
        dateAsserted dateTime           | =                               | =
        informationSource Reference(Patient/Practitioner/RelatedPerson) | informationSource Reference(Patient/Practitioner/RelatedPerson/Organization) | informationSource Reference(Patient/Practitioner/PractitionerRole/RelatedPerson/Organization)
        patient! Reference(Patient)     | subject! Reference(Patient/Group) | =
        supportingInformation* Reference | derivedFrom* Reference         | =
        reasonNotTaken* CodeableConcept | =                               | -
        -                               | reasonCode* CodeableConcept     | =
        -                               | reasonReference* Reference(Condition/Observation) | reasonReference* Reference(Condition/Observation/DiagnosticReport)
        note string                     | note* Annotation                | =                                | join
        dosage* StatementDosage         | =                               | =
        """,
        rules={"status": STATUS},
        steps={
            (R4, STU3): (_taken,),
            (R4, DSTU2): (_not_taken_from_status, reason_down("reasonForUse", ("Condition",), (R4, DSTU2))),
            (STU3, DSTU2): (_not_taken_from_taken, reason_down("reasonForUse", ("Condition",), (STU3, DSTU2))),
            (DSTU2, STU3): (_taken_from_not_taken, reason_up("reasonForUse")),
        },
    ),
)
