"""Search parameters as each release names them, one line per parameter; what no line names is reported, not guessed."""

from collections.abc import Mapping
from typing import Final

from gateway.versions.codes import CodeTable
from gateway.versions.resources import (
    allergy_intolerance,
    condition,
    encounter,
    medication,
    medication_statement,
    observation,
)
from gateway.versions.table import COLUMNS
from gateway.versions.version import FhirVersion

type Names = Mapping[tuple[FhirVersion, FhirVersion], Mapping[str, str]]

_ADDRESS = "address address-city address-state address-postalcode address-country address-use"
_PERSON = f"identifier name family given phonetic telecom phone email gender {_ADDRESS}"


def _names(same: str, differing: str = "") -> Names:
    """Read names that are the same everywhere, and lines `dstu2 stu3 r4` of those that are not."""
    lines = [[word] * len(COLUMNS) for word in same.split()]
    lines += [line.split() for line in differing.strip().splitlines()]
    return {
        (face, upstream): {line[i]: line[j] for line in reversed(lines) if "-" not in (line[i], line[j])}
        for i, face in enumerate(COLUMNS)
        for j, upstream in enumerate(COLUMNS)
    }


# By the R4 name of the resource type. HL7's own concept maps of search parameters (2019) are shifted and were not used.
PARAMETERS: Final[Mapping[str, Names]] = {
    "Patient": _names(
        f"{_PERSON} birthdate active language organization link deceased",
        """
        deathdate     death-date            death-date
        careprovider  general-practitioner  general-practitioner
        """,
    ),
    "Observation": _names(
        "identifier patient subject code category date encounter status performer device specimen "
        "value-quantity value-string value-date value-concept component-code component-value-quantity "
        "component-value-concept component-value-string code-value-quantity code-value-concept code-value-string "
        "data-absent-reason component-data-absent-reason",
    ),
    "Condition": _names(
        "identifier patient code category severity stage body-site asserter encounter evidence onset-info",
        """
        -               subject              subject
        clinicalstatus  clinical-status      clinical-status
        -               verification-status  verification-status
        date-recorded   asserted-date        recorded-date
        onset           onset-date           onset-date
        """,
    ),
    "Encounter": _names(
        "identifier patient date status type length location location-period participant participant-type practitioner "
        "part-of appointment special-arrangement",
        """
        -                 subject           subject
        -                 class             class
        -                 service-provider  service-provider
        reason            reason            reason-code
        episodeofcare     episodeofcare     episode-of-care
        incomingreferral  incomingreferral  based-on
        indication        diagnosis         diagnosis
        """,
    ),
    "AllergyIntolerance": _names(
        "identifier patient date recorder category criticality type last-date manifestation onset route severity",
        """
        substance  code                 code
        reporter   asserter             asserter
        -          clinical-status      clinical-status
        -          verification-status  verification-status
        """,
    ),
    "MedicationRequest": _names(
        "identifier patient code medication status",
        """
        encounter    context              encounter
        datewritten  authoredon           authoredon
        prescriber   requester            requester
        -            date                 date
        -            intent               intent
        -            category             category
        -            priority             priority
        -            subject              subject
        -            intended-dispenser   intended-dispenser
        """,
    ),
    "MedicationStatement": _names(
        "identifier patient code medication status source",
        """
        effectivedate  effective  effective
        -              subject    subject
        -              category   category
        -              context    context
        -              part-of    part-of
        """,
    ),
    "Coverage": _names(
        "identifier type dependent",
        """
        issuer      payor          payor
        subscriber  subscriber     subscriber
        -           beneficiary    beneficiary
        -           beneficiary    patient
        -           policy-holder  policy-holder
        """,
    ),
    "Location": _names(f"identifier name status type organization partof {_ADDRESS}", "- endpoint endpoint"),
    "Practitioner": _names(f"{_PERSON} communication", "- active active"),
    "Organization": _names(f"identifier name phonetic active type partof {_ADDRESS}", "- endpoint endpoint"),
}

# Parameters whose values are codes that differ: (R4 type, upstream's parameter name) -> code table.
CODES: Final[Mapping[tuple[str, str], CodeTable]] = {
    ("Observation", "status"): observation.STATUS,
    ("Condition", "clinical-status"): condition.CLINICAL,
    ("Condition", "clinicalstatus"): condition.CLINICAL,
    ("Condition", "verification-status"): condition.VERIFICATION,
    ("Encounter", "status"): encounter.STATUS,
    ("AllergyIntolerance", "category"): allergy_intolerance.CATEGORY,
    ("AllergyIntolerance", "criticality"): allergy_intolerance.CRITICALITY,
    ("MedicationRequest", "status"): medication.REQUEST_STATUS,
    ("MedicationRequest", "intent"): medication.INTENT,
    ("MedicationStatement", "status"): medication_statement.STATUS,
}

# The face's own affairs: how it wants the answer, not what it asks for.
PRESENTATION: Final = frozenset({"_format", "_pretty"})
# Alike in all releases.
COMMON: Final = frozenset(
    {"_id", "_lastUpdated", "_tag", "_security", "_count", "_summary", "_elements", "_total", "_since", "_at"}
)


def upstream_codes(table: CodeTable, code: str, face: FhirVersion, upstream: FhirVersion) -> list[str]:
    """Return every code of the upstream that the face would see as this one."""
    return [there for there, here in table.maps[upstream, face].items() if here == code]
