# ruff: noqa: E501 - a table's line is a row, however wide
from gateway.versions.codes import codes
from gateway.versions.compile import converter, reference
from gateway.versions.table import JsonObject, NotExpressibleError, resource, table
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4
VITAL_SIGNS = "vital-signs"

STATUS = codes(
    "Observation.status",
    """
    registered   registered   registered
    preliminary  preliminary  preliminary
    final        final        final
    amended      amended      amended
    amended      corrected    corrected
    cancelled    cancelled    cancelled
    unknown      unknown      unknown
    hide         hide         entered-in-error
    hide         entered-in-error hide
    entered-in-error hide     hide
    """,
)


def _members(source: JsonObject, out: JsonObject, target: FhirVersion) -> None:
    """HasMember and derivedFrom are one list of typed relations below R4."""
    convert = reference(R4, target, ("Observation", "QuestionnaireResponse"))
    related = []
    for element, kind in (("hasMember", "has-member"), ("derivedFrom", "derived-from")):
        items = source.get(element)
        for item in items if type(items) is list else ():
            moved = convert(item)
            if moved is not None:
                related.append({"type": kind, "target": moved})
    if related:
        out["related"] = related


def _vital_signs_first(source: JsonObject, out: JsonObject) -> None:
    """Of several categories DSTU2 keeps one: vital signs, by which the app finds them, else the first."""
    held = source.get("category")
    category = out.get("category")
    if type(held) is not list or len(held) < 2 or category is None:  # noqa: PLR2004 - nothing to choose from
        return
    for concept in held:
        codings = concept.get("coding") if type(concept) is dict else None
        for coding in codings if type(codings) is list else ():
            if type(coding) is dict and coding.get("code") == VITAL_SIGNS:
                r4 = "terminology.hl7.org" in str(coding.get("system"))
                out["category"] = converter("CodeableConcept", R4 if r4 else STU3, DSTU2)(concept) or category
                return


def _timing_range(source: JsonObject, out: JsonObject) -> None:
    """A Timing of events becomes the Period from the first to the last; one that repeats by rule has no counterpart."""
    timing = source.get("effectiveTiming")
    events = timing.get("event") if type(timing) is dict else None
    times = sorted(event for event in events if type(event) is str and event) if type(events) is list else []
    if times:
        out["effectivePeriod"] = {"start": times[0], "end": times[-1]}


def _require_value_as_given(source: JsonObject, out: JsonObject) -> None:
    """A value that has no counterpart must not leave an observation behind that looks as if nothing had been measured."""
    if any(key[:5] == "value" for key in source) and not any(key[:5] == "value" for key in out):
        raise NotExpressibleError("value")


ATTACHED = "/Attachment"
VALUE = "value[x] CodeableConcept/dateTime/Period/Quantity/Range/Ratio/SampledData/string/time"
TABLES = (
    resource(
        "Observation",
        f"""
        # DSTU2                              | STU3                                        | R4                                                  | how
        identifier* Identifier               | =                                           | =
        -                                    | basedOn* Reference(CarePlan/DeviceRequest/ImmunizationRecommendation/MedicationRequest/NutritionOrder/ProcedureRequest/ReferralRequest) | basedOn* Reference(CarePlan/DeviceRequest/ImmunizationRecommendation/MedicationRequest/NutritionOrder/ServiceRequest)
        status!?! code                       | =                                           | =                                                   | status
        category CodeableConcept             | category* CodeableConcept                   | =                                                   | first
        code! CodeableConcept                | =                                           | =
        subject Reference(Patient/Group/Device/Location) | =                               | =
        encounter Reference(Encounter)       | context Reference(Encounter/EpisodeOfCare)  | encounter Reference(Encounter)
        effective[x] dateTime/Period         | effective[x] dateTime/Period                | effective[x] dateTime/Period/instant/Timing         | instant>dateTime
        issued instant                       | =                                           | =
        performer* Reference(Practitioner/Organization/Patient/RelatedPerson) | =          | performer* Reference(Practitioner/PractitionerRole/Organization/CareTeam/Patient/RelatedPerson)
        {VALUE}{ATTACHED} | {VALUE}{ATTACHED}/boolean | {VALUE}/boolean/integer                             | integer>string boolean>string
        dataAbsentReason CodeableConcept     | =                                           | =
        interpretation CodeableConcept       | interpretation CodeableConcept              | interpretation* CodeableConcept                     | first
        comments string                      | comment string                              | note* Annotation                                    | join
        bodySite CodeableConcept             | =                                           | =
        method CodeableConcept               | =                                           | =
        specimen Reference(Specimen)         | =                                           | =
        device Reference(Device/DeviceMetric)| =                                           | =
        referenceRange* Observation.referenceRange | =                                     | =
        related* Observation.related         | =                                           | -
        component* Observation.component     | =                                           | =
        """,
        rules={"status": STATUS},
        steps={
            (R4, STU3): (lambda source, out: _members(source, out, STU3), _timing_range, _require_value_as_given),
            (R4, DSTU2): (
                lambda source, out: _members(source, out, DSTU2),
                _timing_range,
                _vital_signs_first,
                _require_value_as_given,
            ),
            (STU3, DSTU2): (_vital_signs_first, _require_value_as_given),
            (DSTU2, STU3): (_require_value_as_given,),
        },
    ),
    table(
        "Observation.component",
        f"""
        code! CodeableConcept                | =                                           | =
        {VALUE}{ATTACHED} | {VALUE}{ATTACHED} | {VALUE}/boolean/integer                             | integer>string boolean>string
        dataAbsentReason CodeableConcept     | =                                           | =
        -                                    | interpretation CodeableConcept              | interpretation* CodeableConcept                     | first
        referenceRange* Observation.referenceRange | =                                     | =
        """,
        defaults=dict.fromkeys(FhirVersion, (_require_value_as_given,)),
    ),
    table(
        "Observation.referenceRange",
        """
        low?! Quantity                       | =                                           | =
        high?! Quantity                      | =                                           | =
        meaning CodeableConcept              | type CodeableConcept                        | =
        -                                    | appliesTo*?! CodeableConcept                | =
        age?! Range                          | =                                           | =
        text string                          | =                                           | =
        """,
    ),
    table(
        "Observation.related",
        """
        type code                            | =                                           | -
        target! Reference(Observation/QuestionnaireResponse) | target! Reference(Observation/QuestionnaireResponse/Sequence) | -
        """,
    ),
)
