"""Dosage: a datatype in STU3 and R4, a part of each resource in DSTU2."""

from gateway.versions.compile import converter
from gateway.versions.table import JsonObject, NotExpressibleError, Table, table
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4
_DOSE = {"doseQuantity", "doseRange"}
_RATE = {"rateRatio", "rateRange", "rateQuantity"}


def _dose_and_rate(
    source: JsonObject, out: JsonObject, dose: str, source_path: tuple[FhirVersion, FhirVersion]
) -> None:
    """Lift dose and rate out of the first R4 `doseAndRate`; a rate as a Quantity has no DSTU2 counterpart."""
    held = source.get("doseAndRate")
    held = held[0] if type(held) is list and held else held
    if type(held) is not dict:
        return
    if held.get("modifierExtension"):
        raise NotExpressibleError("modifier-extension")
    for key in _DOSE | _RATE:
        if key in held and not (key == "rateQuantity" and source_path[1] is DSTU2):
            kind = key[4:]
            value = converter(kind, *source_path)(held[key])
            if value is None:
                raise NotExpressibleError("modifier")
            out[(dose if key in _DOSE else "rate") + kind] = value


def _to_stu3(source: JsonObject, out: JsonObject) -> None:
    _dose_and_rate(source, out, "dose", (R4, STU3))


def _to_order(source: JsonObject, out: JsonObject) -> None:
    _dose_and_rate(source, out, "dose", (R4, DSTU2))


def _to_statement(source: JsonObject, out: JsonObject) -> None:
    _dose_and_rate(source, out, "quantity", (R4, DSTU2))


_COMMON = """
    text string | = | =
    timing Timing | = | =
    asNeeded[x]?! boolean/CodeableConcept | = | =
    route CodeableConcept | = | =
    method CodeableConcept | = | =
    rate[x] Range/Ratio | rate[x] Range/Ratio/Quantity | -
    maxDosePerPeriod Ratio | = | =
    site[x] CodeableConcept | site CodeableConcept | =
    - | sequence integer | =
    - | patientInstruction string | =
    - | maxDosePerAdministration Quantity | =
    - | maxDosePerLifetime Quantity | =
"""


# As medication orders have it; DSTU2 is MedicationOrder.dosageInstruction.
ORDER = table(
    "Dosage",
    _COMMON
    + """
    additionalInstructions CodeableConcept | additionalInstruction* CodeableConcept | = | first
    dose[x]?! Quantity/Range | = | -
    """,
    steps={(R4, STU3): (_to_stu3,), (R4, DSTU2): (_to_order,)},
)
# DSTU2 is MedicationStatement.dosage.
STATEMENT = table(
    "StatementDosage",
    _COMMON
    + """
    - | additionalInstruction* CodeableConcept | =
    quantity[x]?! Quantity/Range | dose[x]?! Quantity/Range | -
    """,
    steps={(R4, STU3): (_to_stu3,), (R4, DSTU2): (_to_statement,)},
)
TABLES: tuple[Table, ...] = (ORDER, STATEMENT)
