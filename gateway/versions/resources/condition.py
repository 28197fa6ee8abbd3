# ruff: noqa: E501 - a table's line is a row, however wide
from gateway.versions.codes import codes
from gateway.versions.codesystems import HL7, THO
from gateway.versions.table import JsonObject, resource, table
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4
ASSERTED = HL7 + "StructureDefinition/condition-assertedDate"

# Our own (HL7 has no counterpart): relapse -> recurrence in STU3, recurrence -> relapse and no `inactive` in DSTU2.
CLINICAL = codes(
    "Condition.clinicalStatus",
    """
    active      active      active
    relapse     recurrence  recurrence
    relapse     recurrence  relapse
    -           inactive    inactive
    remission   remission   remission
    resolved    resolved    resolved
    """,
    concept=(THO + "condition-clinical", HL7 + "condition-clinical"),
)
# Our own: unconfirmed -> provisional.
VERIFICATION = codes(
    "Condition.verificationStatus",
    """
    provisional       provisional       provisional
    provisional       provisional       unconfirmed
    differential      differential      differential
    confirmed         confirmed         confirmed
    refuted           refuted           refuted
    unknown           unknown           -
    hide              hide              entered-in-error
    hide              entered-in-error  hide
    entered-in-error  hide              hide
    """,
    concept=(THO + "condition-ver-status", HL7 + "condition-ver-status"),
)


def _recorded(source: JsonObject, out: JsonObject, name: str, length: int | None) -> None:
    """Where R4 has no recordedDate: the assertedDate extension, then the onset, of which a date is known."""
    if name in out:
        return
    extensions = source.get("extension")
    for one in extensions if type(extensions) is list else ():
        if type(one) is dict and one.get("url") == ASSERTED and type(one.get("valueDateTime")) is str:
            out[name] = one["valueDateTime"][:length]
            return
    if type(source.get("onsetDateTime")) is str and source["onsetDateTime"]:
        out[name] = source["onsetDateTime"][:length]


def _asserted(source: JsonObject, out: JsonObject) -> None:
    _recorded(source, out, "assertedDate", None)


def _date_recorded(source: JsonObject, out: JsonObject) -> None:
    _recorded(source, out, "dateRecorded", len("2026-11-24"))


def _dstu2_required(source: JsonObject, out: JsonObject) -> None:
    """DSTU2 asks for a code and a verification status: `Unknown`, and the code `unknown`."""
    if "verificationStatus" not in out and "verificationStatus" not in source:
        out["verificationStatus"] = "unknown"
    out.setdefault("code", {"text": "Unknown"})


TABLES = (
    resource(
        "Condition",
        """
        # DSTU2                        | STU3                              | R4                                 | how
        identifier* Identifier         | =                                 | =
        patient! Reference(Patient)    | subject! Reference(Patient/Group) | =
        encounter Reference(Encounter) | context Reference(Encounter/EpisodeOfCare) | encounter Reference(Encounter)
        asserter Reference(Practitioner/Patient) | asserter Reference(Practitioner/Patient/RelatedPerson) | asserter Reference(Practitioner/PractitionerRole/Patient/RelatedPerson)
        dateRecorded date              | assertedDate dateTime             | recordedDate dateTime
        code! CodeableConcept          | code CodeableConcept              | =
        category CodeableConcept       | category* CodeableConcept         | =                                  | first
        clinicalStatus?! code          | =                                 | clinicalStatus?! CodeableConcept   | clinical
        verificationStatus!?! code     | verificationStatus?! code         | verificationStatus?! CodeableConcept | verification
        severity CodeableConcept       | =                                 | =
        onset[x] dateTime/Quantity/Period/Range/string | onset[x] dateTime/Age/Period/Range/string | = | Age>Quantity Quantity>Age
        abatement[x]?! dateTime/Quantity/Period/Range/string/boolean | abatement[x]?! dateTime/Age/Period/Range/string/boolean | abatement[x]?! dateTime/Age/Period/Range/string | Age>Quantity Quantity>Age
        stage Condition.stage          | =                                 | stage* Condition.stage             | first
        evidence* Condition.evidence   | =                                 | =
        bodySite* CodeableConcept      | =                                 | =
        notes string                   | note* Annotation                  | =                                  | join
        """,
        rules={"clinical": CLINICAL, "verification": VERIFICATION},
        steps={(R4, STU3): (_asserted,), (R4, DSTU2): (_date_recorded,), (STU3, DSTU2): (_date_recorded,)},
        defaults={DSTU2: (_dstu2_required,)},
    ),
    table(
        "Condition.stage",
        """
        summary CodeableConcept | = | =
        assessment* Reference(ClinicalImpression/DiagnosticReport/Observation) | = | =
        """,
    ),
    table(
        "Condition.evidence",
        """
        code CodeableConcept | code* CodeableConcept | = | first
        detail* Reference | = | =
        """,
    ),
)
