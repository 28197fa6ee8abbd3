# ruff: noqa: E501 - a table's line is a row, however wide

from gateway.versions.codes import CodeTable, codes
from gateway.versions.codesystems import HL7, THO
from gateway.versions.table import Json, JsonObject, NotExpressibleError, resource, table
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4

CLINICAL = codes(
    "AllergyIntolerance.clinicalStatus",
    """
    -  active    active
    -  inactive  inactive
    -  resolved  resolved
    """,
    concept=(THO + "allergyintolerance-clinical", HL7 + "allergy-clinical-status"),
)
VERIFICATION = codes(
    "AllergyIntolerance.verificationStatus",
    """
    -     unconfirmed       unconfirmed
    -     confirmed         confirmed
    -     refuted           refuted
    hide  hide              entered-in-error
    hide  entered-in-error  hide
    """,
    concept=(THO + "allergyintolerance-verification", HL7 + "allergy-verification-status"),
)
CRITICALITY = codes(
    "AllergyIntolerance.criticality",
    """
    CRITL  low               low
    CRITH  high              high
    CRITU  unable-to-assess  unable-to-assess
    """,
)
CATEGORY = codes(
    "AllergyIntolerance.category",
    """
    food         food         food
    medication   medication   medication
    environment  environment  environment
    other        biologic     biologic
    """,
)
# DSTU2 status -> STU3 clinical and verification status.
STATUS_UP = {
    "active": ("active", "unconfirmed"),
    "confirmed": ("active", "confirmed"),
    "unconfirmed": ("active", "unconfirmed"),
    "inactive": ("inactive", "unconfirmed"),
    "resolved": ("resolved", "unconfirmed"),
    "refuted": (None, "refuted"),
}


def status_down(clinical: str | None, verification: str | None) -> str | None:
    """Return the DSTU2 status of the two later ones, the first that holds (the order is ours, HL7's rules overlap)."""
    if verification == "refuted":
        return "refuted"
    if clinical in ("inactive", "resolved"):
        return clinical
    if verification in ("confirmed", "unconfirmed"):
        return verification
    return clinical


def _code(value: Json, table_: CodeTable, source: FhirVersion) -> str | None:
    code = table_.on_path(source, STU3)(value) if value is not None else None
    return code if type(code) is str else None


def _status_from(source_version: FhirVersion) -> Json:
    def step(source: JsonObject, out: JsonObject) -> None:
        clinical = _code(source.get("clinicalStatus"), CLINICAL, source_version)
        verification = _code(source.get("verificationStatus"), VERIFICATION, source_version)
        status = status_down(clinical, verification)
        if status is not None:
            out["status"] = status

    return step


def _statuses_up(source: JsonObject, out: JsonObject) -> None:
    status = source.get("status")
    if status is None:
        return
    if type(status) is not str or status not in STATUS_UP:
        raise NotExpressibleError("entered-in-error" if status == "entered-in-error" else "modifier")
    clinical, verification = STATUS_UP[status]
    if clinical is not None:
        out["clinicalStatus"] = clinical
    out["verificationStatus"] = verification


def _stu3_required(source: JsonObject, out: JsonObject) -> None:  # noqa: ARG001 - a step
    """STU3 asks for a verification status: nobody has confirmed what carries none."""
    out.setdefault("verificationStatus", "unconfirmed")


def _dstu2_required(source: JsonObject, out: JsonObject) -> None:  # noqa: ARG001 - a step
    """DSTU2 asks for a substance: that of a reaction, else `Unknown`."""
    if "substance" in out:
        return
    found = next((one["substance"] for one in out.get("reaction", ()) if "substance" in one), None)
    out["substance"] = found or {"text": "Unknown"}


TABLES = (
    resource(
        "AllergyIntolerance",
        """
        # DSTU2                         | STU3                             | R4                                 | how
        identifier* Identifier          | =                                | =
        -                               | clinicalStatus?! code            | clinicalStatus?! CodeableConcept   | clinical
        -                               | verificationStatus!?! code       | verificationStatus?! CodeableConcept | verification
        type code                       | =                                | =
        category code                   | category* code                   | =                                  | category first
        criticality code                | =                                | =                                  | criticality
        substance! CodeableConcept      | code CodeableConcept             | =
        patient! Reference(Patient)     | =                                | =
        onset dateTime                  | onset[x] dateTime/Age/Period/Range/string | =
        recordedDate dateTime           | assertedDate dateTime            | recordedDate dateTime
        recorder Reference(Practitioner/Patient) | =                       | recorder Reference(Practitioner/PractitionerRole/Patient/RelatedPerson)
        reporter Reference(Patient/RelatedPerson/Practitioner) | asserter Reference(Patient/RelatedPerson/Practitioner) | asserter Reference(Patient/RelatedPerson/Practitioner/PractitionerRole)
        lastOccurence dateTime          | lastOccurrence dateTime          | =
        note Annotation                 | note* Annotation                 | =                                  | join
        reaction* AllergyIntolerance.reaction | =                          | =
        """,
        rules={"clinical": CLINICAL, "verification": VERIFICATION, "criticality": CRITICALITY, "category": CATEGORY},
        steps={
            (R4, DSTU2): (_status_from(R4),),
            (STU3, DSTU2): (_status_from(STU3),),
            (DSTU2, STU3): (_statuses_up,),
        },
        defaults={STU3: (_stu3_required,), DSTU2: (_dstu2_required,)},
    ),
    # DSTU2's certainty has no counterpart above.
    table(
        "AllergyIntolerance.reaction",
        """
        substance CodeableConcept       | = | =
        manifestation*! CodeableConcept | = | =
        description string              | = | =
        onset dateTime                  | = | =
        severity code                   | = | =
        exposureRoute CodeableConcept   | = | =
        note Annotation                 | note* Annotation | = | join
        """,
    ),
)
