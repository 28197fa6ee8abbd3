# ruff: noqa: E501 - a table's line is a row, however wide

from gateway.versions.codes import codes
from gateway.versions.codesystems import HL7, THO
from gateway.versions.compile import converter, reference
from gateway.versions.table import Convert, Json, JsonObject, NotExpressibleError, resource, table
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4
ACT_CODE = HL7 + "v3/ActCode"

# Our own: triaged -> arrived in DSTU2; unknown is settled by `_unknown_status`.
STATUS = codes(
    "Encounter.status",
    """
    planned           planned           planned
    arrived           arrived           arrived
    arrived           triaged           triaged
    in-progress       in-progress       in-progress
    onleave           onleave           onleave
    finished          finished          finished
    cancelled         cancelled         cancelled
    -                 unknown           unknown
    hide              hide              entered-in-error
    hide              entered-in-error  hide
    """,
)
# HL7's map; ACUTE, NONAC, OBSENC and PRENC are our own.
CLASS_DOWN = {
    "IMP": "inpatient",
    "ACUTE": "inpatient",
    "NONAC": "inpatient",
    "OBSENC": "inpatient",
    "AMB": "ambulatory",
    "EMER": "emergency",
    "HH": "home",
    "FLD": "field",
    "VR": "virtual",
    "SS": "daytime",
    "PRENC": "other",
}
CLASS_UP = {
    "inpatient": ("IMP", "inpatient encounter"),
    "outpatient": ("AMB", "ambulatory"),
    "ambulatory": ("AMB", "ambulatory"),
    "emergency": ("EMER", "emergency"),
    "home": ("HH", "home health"),
    "field": ("FLD", "field"),
    "virtual": ("VR", "virtual"),
    "daytime": ("SS", "short stay"),
}


class _EncounterClass:
    """class: a Coding of v3 ActCode in STU3 and R4, one code of its own in DSTU2."""

    def on_path(self, source: FhirVersion, target: FhirVersion) -> Convert:
        if target is DSTU2:
            return _class_down
        return _class_up if source is DSTU2 else converter("Coding", source, target)


def _class_down(value: Json) -> str | None:
    if type(value) is dict and value.get("system") in (THO + "v3-ActCode", ACT_CODE, None):
        code = value.get("code")
        return CLASS_DOWN.get(code) if type(code) is str else None
    return None


def _class_up(value: Json) -> JsonObject | None:
    known = CLASS_UP.get(value) if type(value) is str else None
    return known and {"system": ACT_CODE, "code": known[0], "display": known[1]}


def _unknown_status(source: JsonObject, out: JsonObject) -> None:
    """DSTU2 has no `unknown`: finished where the period has an end, else in progress."""
    if source.get("status") == "unknown":
        period = source.get("period")
        out["status"] = "finished" if type(period) is dict and period.get("end") else "in-progress"


ADMITTING, DISCHARGE = "AD", "DD"
_DIAGNOSIS_ROLES = {ADMITTING: "admittingDiagnosis", DISCHARGE: "dischargeDiagnosis"}


def _diagnoses_down(source: JsonObject, out: JsonObject, path: tuple[FhirVersion, FhirVersion], role: str) -> None:
    """DSTU2: admission and discharge diagnoses belong to the hospitalization, others are indications."""
    held = source.get("diagnosis")
    for one in held if type(held) is list else ():
        if type(one) is not dict:
            continue
        if one.get("modifierExtension"):
            raise NotExpressibleError("modifier-extension")
        element = next((_DIAGNOSIS_ROLES[code] for code in _codes_of(one.get(role)) if code in _DIAGNOSIS_ROLES), None)
        targets = ("Condition", "Procedure") if element is None else ("Condition",)
        moved = reference(*path, targets)(one.get("condition"))
        if moved is None:
            continue
        place = out if element is None else out.setdefault("hospitalization", {})
        place.setdefault(element or "indication", []).append(moved)


def _codes_of(concept: Json) -> list[str]:
    codings = concept.get("coding") if type(concept) is dict else None
    return [
        coding["code"]
        for coding in (codings if type(codings) is list else ())
        if type(coding) is dict and type(coding.get("code")) is str
    ]


def _diagnoses_up(source: JsonObject, out: JsonObject) -> None:
    convert = reference(DSTU2, STU3, ("Condition", "Procedure"))
    diagnoses = []
    stay = source.get("hospitalization")
    stay = stay if type(stay) is dict else {}
    places = ((source.get("indication"), None), *((stay.get(name), code) for code, name in _DIAGNOSIS_ROLES.items()))
    for held, code in places:
        for one in held if type(held) is list else ():
            moved = convert(one)
            if moved is not None:
                role = {"coding": [{"system": HL7 + "diagnosis-role", "code": code}]}
                diagnoses.append({"condition": moved} if code is None else {"condition": moved, "role": role})
    if diagnoses:
        out["diagnosis"] = diagnoses


TABLES = (
    resource(
        "Encounter",
        """
        # DSTU2                        | STU3                                | R4                                  | how
        identifier* Identifier         | =                                   | =
        status!?! code                 | =                                   | =                                   | status
        statusHistory* Encounter.statusHistory | =                           | =
        class code                     | class Coding                        | class! Coding                       | class
        -                              | classHistory* Encounter.classHistory | =
        type* CodeableConcept          | =                                   | =
        priority CodeableConcept       | =                                   | =
        patient Reference(Patient)     | subject Reference(Patient/Group)    | =
        episodeOfCare* Reference(EpisodeOfCare) | =                          | =
        incomingReferral* Reference(ReferralRequest) | =                     | basedOn* Reference(ServiceRequest)
        participant* Encounter.participant | =                               | =
        appointment Reference(Appointment) | =                               | appointment* Reference(Appointment) | first
        period Period                  | =                                   | =
        length Quantity                | length Duration                     | =
        reason* CodeableConcept        | =                                   | reasonCode* CodeableConcept
        -                              | diagnosis* Encounter.diagnosis      | =
        -                              | account* Reference(Account)         | =
        hospitalization Encounter.hospitalization | =                        | =
        location* Encounter.location   | =                                   | =
        serviceProvider Reference(Organization) | =                          | =
        partOf Reference(Encounter)    | =                                   | =
        """,
        rules={"status": STATUS, "class": _EncounterClass()},
        steps={
            (R4, DSTU2): (_unknown_status, lambda source, out: _diagnoses_down(source, out, (R4, DSTU2), "use")),
            (STU3, DSTU2): (_unknown_status, lambda source, out: _diagnoses_down(source, out, (STU3, DSTU2), "role")),
            (DSTU2, STU3): (_diagnoses_up,),
        },
    ),
    table(
        "Encounter.statusHistory",
        """
        status!?! code | = | = | status
        period! Period | = | =
        """,
        rules={"status": STATUS},
        steps={(R4, DSTU2): (_unknown_status,), (STU3, DSTU2): (_unknown_status,)},
    ),
    table(
        "Encounter.classHistory",
        """
        - | class! Coding | =
        - | period! Period | =
        """,
    ),
    table(
        "Encounter.participant",
        """
        type* CodeableConcept | = | =
        period Period | = | =
        individual Reference(Practitioner/RelatedPerson) | = | individual Reference(Practitioner/PractitionerRole/RelatedPerson)
        """,
    ),
    table(
        "Encounter.diagnosis",
        """
        - | condition! Reference(Condition/Procedure) | =
        - | role CodeableConcept | use CodeableConcept
        - | rank positiveInt | =
        """,
    ),
    table(
        "Encounter.hospitalization",
        """
        preAdmissionIdentifier Identifier | = | =
        origin Reference(Location) | = | origin Reference(Location/Organization)
        admitSource CodeableConcept | = | =
        reAdmission CodeableConcept | = | =
        dietPreference* CodeableConcept | = | =
        specialCourtesy* CodeableConcept | = | =
        specialArrangement* CodeableConcept | = | =
        destination Reference(Location) | = | destination Reference(Location/Organization)
        dischargeDisposition CodeableConcept | = | =
        """,
    ),
    # physicalType is R4's alone.
    table(
        "Encounter.location",
        """
        location! Reference(Location) | = | =
        status code | = | =
        period Period | = | =
        """,
    ),
)
