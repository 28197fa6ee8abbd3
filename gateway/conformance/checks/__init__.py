"""Every check, in the order of a report, for one FHIR version."""

from functools import cache

from gateway.conformance.checks.chart import chart_checks
from gateway.conformance.checks.connection import CONNECTION, CREDENTIAL
from gateway.conformance.checks.content import field_checks, shape_checks
from gateway.conformance.checks.metadata import METADATA
from gateway.conformance.checks.patients import patient_checks
from gateway.conformance.checks.service import SERVICE
from gateway.conformance.verdicts import Check
from gateway.versions import FhirVersion

__all__ = ["checks_for"]


@cache
def checks_for(version: FhirVersion) -> tuple[Check, ...]:
    """The checks of a side that speaks that version. A check has the same id in every version."""
    return (
        *CONNECTION,
        *METADATA,
        *CREDENTIAL,
        *patient_checks(version),
        *chart_checks(version),
        *SERVICE,
        *shape_checks(version),
        *field_checks(version),
    )
