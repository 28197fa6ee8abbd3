# ruff: noqa: E501 - a table's line is a row, however wide
"""Medication (for those that a request contains), MedicationRequest (DSTU2: MedicationOrder) and MedicationStatement."""

from gateway.versions.codes import OMIT, codes, rule
from gateway.versions.compile import converter, reference
from gateway.versions.table import Json, JsonObject, NotExpressibleError, resource, table
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4

MEDICATION_STATUS = codes(
    "Medication.status",
    """
    -     active            active
    -     inactive          inactive
    hide  hide              entered-in-error
    hide  entered-in-error  hide
    """,
)
REQUEST_STATUS = codes(
    "MedicationRequest.status",
    """
    active            active            active
    on-hold           on-hold           on-hold
    completed         completed         completed
    stopped           stopped           stopped
    stopped           cancelled         cancelled
    draft             draft             draft
    -                 unknown           unknown
    hide              hide              entered-in-error
    hide              entered-in-error  hide
    entered-in-error  hide              hide
    """,
)
# original-, reflex-, filler-order and option are our own. DSTU2 has orders only: what is a proposal or a plan is hidden there.
INTENT = codes(
    "MedicationRequest.intent",
    """
    -     order           order
    -     instance-order  instance-order
    -     order           original-order
    -     order           reflex-order
    -     order           filler-order
    hide  proposal        proposal
    hide  plan            plan
    hide  plan            option
    """,
)
NOT_FORBIDDEN = rule(lambda value: OMIT if value is False else None)
ENDED = ("stopped", "completed", "cancelled")


def _requester(source: JsonObject, out: JsonObject) -> None:
    agent = reference(R4, STU3, ("Practitioner", "Organization", "Patient", "RelatedPerson", "Device"))(
        source.get("requester")
    )
    if agent is not None:
        out["requester"] = {"agent": agent}


def _prescriber_from_agent(source: JsonObject, out: JsonObject) -> None:
    requester = source.get("requester")
    if type(requester) is dict:
        if requester.get("modifierExtension"):
            raise NotExpressibleError("modifier-extension")
        prescriber = reference(STU3, DSTU2, ("Practitioner",))(requester.get("agent"))
        if prescriber is not None:
            out["prescriber"] = prescriber


def _prescriber_from_requester(source: JsonObject, out: JsonObject) -> None:
    prescriber = reference(R4, DSTU2, ("Practitioner",))(source.get("requester"))
    if prescriber is not None:
        out["prescriber"] = prescriber


def _agent_from_prescriber(source: JsonObject, out: JsonObject) -> None:
    agent = reference(DSTU2, STU3, ("Practitioner",))(source.get("prescriber"))
    if agent is not None:
        out["requester"] = {"agent": agent}


def _date_ended(source: JsonObject, out: JsonObject) -> None:
    """What is over ended when its dosage timing or its dispensing did; no other R4 or STU3 element tells."""
    if source.get("status") not in ENDED:
        return
    dosages = source.get("dosageInstruction")
    ends = [_path(one, "timing", "repeat", "boundsPeriod", "end") for one in (dosages if type(dosages) is list else ())]
    found = [end for end in ends if type(end) is str and end] or [
        _path(source, "dispenseRequest", "validityPeriod", "end")
    ]
    if type(found[-1]) is str and found[-1]:
        out["dateEnded"] = max(found)


def _path(value: Json, *keys: str) -> Json:
    for key in keys:
        value = value.get(key) if type(value) is dict else None
    return value


def reason_down(element: str, targets: tuple[str, ...], path: tuple[FhirVersion, FhirVersion]) -> Json:
    """DSTU2 has one reason: the first concept, else the first reference."""

    def step(source: JsonObject, out: JsonObject) -> None:
        if source.get("status") == "not-taken" or source.get("taken") == "n":
            return
        for key, convert, kind in (
            ("reasonCode", converter("CodeableConcept", *path), "CodeableConcept"),
            ("reasonReference", reference(*path, targets), "Reference"),
        ):
            held = source.get(key)
            moved = next((m for m in map(convert, held) if m is not None), None) if type(held) is list else None
            if moved is not None:
                out[element + kind] = moved
                return

    return step


def reason_up(element: str) -> Json:
    """The one DSTU2 reason, as the list that it is above."""

    def step(source: JsonObject, out: JsonObject) -> None:
        concept = converter("CodeableConcept", DSTU2, STU3)(source.get(element + "CodeableConcept"))
        if concept is not None:
            out["reasonCode"] = [concept]
        moved = reference(DSTU2, STU3, ("Condition",))(source.get(element + "Reference"))
        if moved is not None:
            out["reasonReference"] = [moved]

    return step


def _order_intent(source: JsonObject, out: JsonObject) -> None:  # noqa: ARG001 - a step
    out["intent"] = "order"


TABLES = (
    resource(
        "Medication",
        """
        # DSTU2                | STU3                                  | R4                        | how
        code CodeableConcept   | =                                     | =
        -                      | status?! code                         | =                         | status
        isBrand boolean        | =                                     | -
        -                      | isOverTheCounter boolean              | -
        manufacturer Reference(Organization) | =                       | =
        -                      | form CodeableConcept                  | =
        -                      | ingredient* Medication.ingredient     | =
        """,
        rules={"status": MEDICATION_STATUS},
    ),
    table(
        "Medication.ingredient",
        """
        - | item[x]! CodeableConcept/Reference(Substance/Medication) | =
        - | isActive boolean | =
        - | amount Ratio | strength Ratio
        """,
    ),
    resource(
        "MedicationRequest",
        """
        # DSTU2 (MedicationOrder)       | STU3                               | R4                                  | how
        identifier* Identifier          | =                                  | =
        -                               | basedOn* Reference(CarePlan/MedicationRequest/ProcedureRequest/ReferralRequest) | basedOn* Reference(CarePlan/MedicationRequest/ServiceRequest/ImmunizationRecommendation)
        -                               | groupIdentifier Identifier         | =
        status?! code                   | =                                  | =                                   | status
        -                               | intent!?! code                     | =                                   | intent
        -                               | -                                  | doNotPerform?! boolean              | doNotPerform
        -                               | category CodeableConcept           | category* CodeableConcept           | first
        -                               | priority code                      | =
        medication[x]! CodeableConcept/Reference(Medication) | =             | =
        patient! Reference(Patient)     | subject! Reference(Patient/Group)  | =
        encounter Reference(Encounter)  | context Reference(Encounter/EpisodeOfCare) | encounter Reference(Encounter)
        -                               | supportingInformation* Reference   | =
        dateWritten dateTime            | authoredOn dateTime                | =
        -                               | recorder Reference(Practitioner)   | recorder Reference(Practitioner/PractitionerRole)
        -                               | reasonCode* CodeableConcept        | =
        -                               | reasonReference* Reference(Condition/Observation) | =
        reasonEnded CodeableConcept     | -                                  | -
        note string                     | note* Annotation                   | =                                   | join
        dosageInstruction* Dosage       | =                                  | =
        dispenseRequest MedicationRequest.dispenseRequest | =                | =
        substitution MedicationRequest.substitution | =                      | =
        priorPrescription Reference(MedicationOrder) | priorPrescription Reference(MedicationRequest) | =
        -                               | detectedIssue* Reference(DetectedIssue) | =
        -                               | eventHistory* Reference(Provenance) | =
        """,
        rules={"status": REQUEST_STATUS, "intent": INTENT, "doNotPerform": NOT_FORBIDDEN},
        steps={
            (R4, STU3): (_requester,),
            (R4, DSTU2): (
                _prescriber_from_requester,
                _date_ended,
                reason_down("reason", ("Condition",), (R4, DSTU2)),
            ),
            (STU3, DSTU2): (
                _prescriber_from_agent,
                _date_ended,
                reason_down("reason", ("Condition",), (STU3, DSTU2)),
            ),
            (DSTU2, STU3): (_agent_from_prescriber, _order_intent, reason_up("reason")),
        },
    ),
    table(
        "MedicationRequest.dispenseRequest",
        """
        validityPeriod Period              | =                            | =
        numberOfRepeatsAllowed positiveInt | =                            | numberOfRepeatsAllowed unsignedInt
        quantity Quantity                  | =                            | =
        expectedSupplyDuration Quantity    | expectedSupplyDuration Duration | =
        -                                  | performer Reference(Organization) | =
        """,
    ),
    table(
        "MedicationRequest.substitution",
        """
        -                      | allowed! boolean | allowed[x]! boolean/CodeableConcept
        reason CodeableConcept | =                | =
        type! CodeableConcept  | -                | -
        """,
    ),
)
