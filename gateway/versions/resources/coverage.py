# ruff: noqa: E501 - a table's line is a row, however wide
"""Coverage. HL7 maps R4 to STU3 only; the way to DSTU2 is ours, read off the element definitions."""

from gateway.versions.codes import codes
from gateway.versions.compile import reference
from gateway.versions.primitives import positive_of_text
from gateway.versions.table import Json, JsonObject, resource
from gateway.versions.type_names import type_of
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4

# DSTU2 has no status: a cancelled coverage would look like one in force.
STATUS = codes(
    "Coverage.status",
    """
    -     active            active
    hide  cancelled         cancelled
    hide  draft             draft
    hide  hide              entered-in-error
    hide  entered-in-error  hide
    """,
)
# R4 class type -> STU3 grouping element; its name goes to the element's Display.
GROUPING = {
    "group": "group",
    "subgroup": "subGroup",
    "plan": "plan",
    "subplan": "subPlan",
    "class": "class",
    "subclass": "subClass",
}


def _classes(source: JsonObject) -> dict[str, tuple[str | None, str | None]]:
    """Return value and name by class type; the first of a type counts, as STU3 and DSTU2 have one of each."""
    found: dict[str, tuple[str | None, str | None]] = {}
    held = source.get("class")
    for one in held if type(held) is list else ():
        if type(one) is not dict or one.get("modifierExtension"):
            continue
        codings = one["type"].get("coding") if type(one.get("type")) is dict else None
        for coding in codings if type(codings) is list else ():
            code = coding.get("code") if type(coding) is dict else None
            if type(code) is str:
                found.setdefault(code, (_text(one.get("value")), _text(one.get("name"))))
    return found


def _text(value: Json) -> str | None:
    return value if type(value) is str and value else None


def _grouping(source: JsonObject, out: JsonObject) -> None:
    """One grouping of all classes; where a class has no name, its value is what the app can show."""
    grouping: JsonObject = {}
    classes = _classes(source)
    for code, element in GROUPING.items():
        value, name = classes.get(code, (None, None))
        if value is not None:
            grouping[element] = value
        if name is not None or value is not None:
            grouping[element + "Display"] = name or value
    if grouping:
        out["grouping"] = grouping
    sequence = classes.get("sequence", (None, None))[0]
    if sequence is not None:
        out["sequence"] = sequence


def _from_classes(source: JsonObject, out: JsonObject) -> None:
    classes = _classes(source)
    plan_value, plan_name = classes.get("plan", (None, None))
    subplan_value, subplan_name = classes.get("subplan", (None, None))
    group_value, group_name = classes.get("group", (None, None))
    _put(out, group=group_value or group_name, plan=plan_name or plan_value, subPlan=subplan_value or subplan_name)
    _put(out, sequence=positive_of_text(classes.get("sequence", (None, None))[0]))
    _rest(source, out, R4)


def _from_grouping(source: JsonObject, out: JsonObject) -> None:
    held = source.get("grouping")
    grouping = held if type(held) is dict else {}
    _put(
        out,
        group=_text(grouping.get("group")) or _text(grouping.get("groupDisplay")),
        plan=_text(grouping.get("planDisplay")) or _text(grouping.get("plan")),
        subPlan=_text(grouping.get("subPlan")) or _text(grouping.get("subPlanDisplay")),
        sequence=positive_of_text(source.get("sequence")),
    )
    _rest(source, out, STU3)


def _put(out: JsonObject, **values: Json) -> None:
    out.update({name: value for name, value in values.items() if value is not None})


def _rest(source: JsonObject, out: JsonObject, version: FhirVersion) -> None:
    """The payor as issuer, the beneficiary as subscriber, and what DSTU2 keeps as identifiers."""
    held = source.get("payor")
    payors = held if type(held) is list else []
    display = _text(payors[0].get("display")) if payors and type(payors[0]) is dict else None
    issuer = next((m for m in map(reference(version, DSTU2, ("Organization",)), payors) if m is not None), None)
    if display is not None:
        out.setdefault("plan", display)
    subscriber_id, network = _text(source.get("subscriberId")), _text(source.get("network"))
    _put(
        out,
        issuer=issuer,
        subscriberId=subscriber_id and {"value": subscriber_id},
        network=network and {"value": network},
        dependent=positive_of_text(source.get("dependent")),
    )
    beneficiary = reference(version, DSTU2, ("Patient",))(source.get("beneficiary"))
    subscriber = source.get("subscriber")
    if subscriber is None:
        _put(out, subscriber=beneficiary)
    else:
        literal = subscriber.get("reference") if type(subscriber) is dict else None
        if type(literal) is str and type_of(literal) == "Patient":
            _put(out, subscriber=reference(version, DSTU2, ("Patient",))(subscriber))


def _up(source: JsonObject, out: JsonObject) -> None:
    grouping = {}
    for element, name in (("group", "group"), ("plan", "plan"), ("subPlan", "subPlan")):
        value = _text(source.get(element))
        if value is not None:
            grouping[name] = grouping[name + "Display"] = value
    issuer = reference(DSTU2, STU3, ("Organization",))(source.get("issuer"))
    _put(out, grouping=grouping or None, payor=[issuer] if issuer else None)
    for element in ("subscriberId", "network"):
        held = source.get(element)
        _put(out, **{element: _text(held.get("value")) if type(held) is dict else None})
    for element in ("sequence", "dependent"):
        number = source.get(element)
        if type(number) is int:
            out[element] = str(number)


TABLES = (
    resource(
        "Coverage",
        """
        # DSTU2                        | STU3                                         | R4                            | how
        identifier* Identifier         | =                                            | =
        -                              | status?! code                                | =                             | status
        type Coding                    | type CodeableConcept                         | =
        -                              | policyHolder Reference(Patient/RelatedPerson/Organization) | =
        -                              | subscriber Reference(Patient/RelatedPerson)  | =
        -                              | subscriberId string                          | =
        -                              | beneficiary Reference(Patient)               | =
        -                              | dependent string                             | =
        -                              | relationship CodeableConcept                 | =
        period Period                  | =                                            | =
        -                              | payor* Reference(Organization/Patient/RelatedPerson) | =
        -                              | order positiveInt                            | =
        -                              | network string                               | =
        contract* Reference(Contract)  | =                                            | =
        bin Identifier                 | -                                            | -
        """,
        rules={"status": STATUS},
        steps={
            (R4, STU3): (_grouping,),
            (R4, DSTU2): (_from_classes,),
            (STU3, DSTU2): (_from_grouping,),
            (DSTU2, STU3): (_up,),
        },
    ),
)
