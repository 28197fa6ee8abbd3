"""Code systems that R4 renamed: HL7's own tables, in which only the address of the system changes, and a few codes."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.versions.version import FhirVersion

THO: Final = "http://terminology.hl7.org/CodeSystem/"
HL7: Final = "http://hl7.org/fhir/"
IDENTIFIER_TYPES: Final = THO + "v2-0203"

# R4 name under terminology.hl7.org -> STU3 and DSTU2 name under hl7.org/fhir. What follows v2-NNNN or v3-Name needs
# no line.
SYSTEMS: Final[Mapping[str, str]] = {
    "observation-category": "observation-category",
    "condition-category": "condition-category",
    "condition-clinical": "condition-clinical",
    "condition-ver-status": "condition-ver-status",
    "allergyintolerance-clinical": "allergy-clinical-status",
    "allergyintolerance-verification": "allergy-verification-status",
    "participant-type": "participant-type",
    "data-absent-reason": "data-absent-reason",
    "restful-security-service": "restful-security-service",
    "diagnosis-role": "diagnosis-role",
    "encounter-special-arrangements": "encounter-special-arrangements",
    "location-physical-type": "location-physical-type",
    "medication-statement-category": "medication-statement-category",
    "organization-type": "organization-type",
    "referencerange-meaning": "referencerange-meaning",
    "v3-ObservationInterpretation": "v2/0078",
}

# (R4 system, R4 code) -> system and code below R4; None: HL7 names no counterpart, the coding is left out.
type Below = tuple[str, str] | None
_PLAIN_IDENTIFIER_TYPES = {code: (HL7 + "identifier-type", code) for code in ("UDI", "SNO", "SB", "PLAC", "FILL")}
_ABSENT = HL7 + "data-absent-reason"
CODES: Final[Mapping[str, Mapping[str, Below]]] = {
    IDENTIFIER_TYPES: {**_PLAIN_IDENTIFIER_TYPES, "JHN": None},
    THO + "v3-ObservationInterpretation": dict.fromkeys(
        ("CAR", "E", "EX", "EXP", "H>", "HX", "L<", "LX", "NCL", "UNE")
    ),
    THO + "data-absent-reason": {
        "asked-unknown": (_ABSENT, "asked"),
        "asked-declined": (_ABSENT, "asked"),
        "temp-unknown": (_ABSENT, "temp"),
        "as-text": (_ABSENT, "astext"),
        "not-a-number": (_ABSENT, "NaN"),
        "negative-infinity": (_ABSENT, "NaN"),
        "positive-infinity": (_ABSENT, "NaN"),
        "not-permitted": None,
        "not-applicable": None,
    },
}
# Codes that STU3 has and DSTU2 has not.
NOT_IN_DSTU2: Final = frozenset({(HL7 + "v2/0203", "ACSN"), (_ABSENT, "not-performed")})


def below_r4(system: str) -> str:
    """Return the STU3 and DSTU2 address of a code system that R4 names; other addresses as they are."""
    if not system.startswith(THO):
        return system
    name = system.removeprefix(THO)
    if name in SYSTEMS:
        return HL7 + SYSTEMS[name]
    if name.startswith(("v2-", "v3-")):
        return f"{HL7}{name[:2]}/{name[3:]}"
    return system


_ABOVE: Final[Mapping[str, str]] = {HL7 + old: THO + new for new, old in SYSTEMS.items()} | {
    HL7 + "identifier-type": IDENTIFIER_TYPES,
    "https://hl7.org/fhir/ValueSet/restful-security-service": THO + "restful-security-service",
}


def r4_name(system: str) -> str:
    """Return the R4 address of a code system as STU3 or DSTU2 names it; other addresses as they are."""
    if system in _ABOVE:
        return _ABOVE[system]
    for kind in ("v2", "v3"):
        prefix = f"{HL7}{kind}/"
        if system.startswith(prefix):
            return f"{THO}{kind}-{system.removeprefix(prefix)}"
    return system


def system_name(system: str, source: FhirVersion, target: FhirVersion) -> str:
    """Return the target's address of a code system that the source names."""
    if source is target:
        return system
    if source is FhirVersion.R4:
        return below_r4(system)
    return r4_name(system) if target is FhirVersion.R4 else system


def move_coding(coding: dict[str, Any], source: FhirVersion, target: FhirVersion) -> dict[str, Any] | None:
    """Rename the system (and, where HL7 says so, the code) of a Coding (or Quantity) in place; None where it has no
    counterpart.
    """
    system, code = coding.get("system"), coding.get("code")
    if not isinstance(system, str):
        return coding
    if source is FhirVersion.R4 and system.startswith(THO):
        special = CODES.get(system, {})
        if not isinstance(code, str) or code not in special:
            coding["system"] = below_r4(system)
        elif (below := special[code]) is not None:
            coding["system"], coding["code"] = below
        else:
            return None
    if target is FhirVersion.DSTU2 and (coding["system"], coding.get("code")) in NOT_IN_DSTU2:
        return None
    return coding
