"""Between FHIR releases: resources, bundles and search parameters of one version in terms of another.

Tables say what becomes of every element (`resources/`, `datatypes.py`, `codesystems.py`); what no table names does
not pass, and what cannot be said safely in the target release is hidden. Pure functions on parsed JSON;
docs/versions.md lists every judgement.
"""

from gateway.versions.adapt import adapt_resource, is_mapped
from gateway.versions.adaptation import Adaptation, UnmappedResourceType, UnsupportedPathError, can_adapt
from gateway.versions.bundle import adapt_bundle, adapt_outcome
from gateway.versions.interaction import AdaptedInteraction, RequestOptions, adapt_interaction
from gateway.versions.statements import medication_statements_from_requests
from gateway.versions.type_names import adapt_type_name
from gateway.versions.version import FhirVersion

__all__ = [
    "Adaptation",
    "AdaptedInteraction",
    "FhirVersion",
    "RequestOptions",
    "UnmappedResourceType",
    "UnsupportedPathError",
    "adapt_bundle",
    "adapt_interaction",
    "adapt_outcome",
    "adapt_resource",
    "adapt_type_name",
    "can_adapt",
    "is_mapped",
    "medication_statements_from_requests",
]
