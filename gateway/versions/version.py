from enum import StrEnum


class FhirVersion(StrEnum):
    """The FHIR releases that the gateway speaks, named as in its URLs and settings."""

    DSTU2 = "dstu2"
    STU3 = "stu3"
    R4 = "r4"
