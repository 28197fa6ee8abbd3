"""Between FHIR releases: resources, bundles and search parameters of one version in terms of another."""

from gateway.versions.version import FhirVersion

__all__ = ["FhirVersion"]
