"""The path from one release to another, and what can go wrong on it."""

from dataclasses import dataclass

from gateway.versions.version import FhirVersion

_PATHS = frozenset(
    {
        (FhirVersion.R4, FhirVersion.STU3),
        (FhirVersion.R4, FhirVersion.DSTU2),
        (FhirVersion.STU3, FhirVersion.DSTU2),
        (FhirVersion.DSTU2, FhirVersion.STU3),
    }
)


class UnmappedResourceType(Exception):
    """The gateway has no mapping of this resource type on the path; `resource_type` is the source's name, or empty."""

    def __init__(self, resource_type: str) -> None:
        super().__init__(resource_type)
        self.resource_type = resource_type


class UnsupportedPathError(ValueError):
    """There is no way from the source release to the target (see `can_adapt`)."""


def can_adapt(source: FhirVersion, target: FhirVersion) -> bool:
    """Tell whether resources of the source release can be shown in the target release (always in their own)."""
    return source is target or (source, target) in _PATHS


@dataclass(frozen=True, slots=True)
class Adaptation:
    """From the upstream's release to the face's; made once per tenant and face, free to reuse and to share.

    `mrn_system`: the identifier system by which this tenant's medical record numbers are known. Raises
    `UnsupportedPathError` for a path that `can_adapt` denies.
    """

    source: FhirVersion
    target: FhirVersion
    mrn_system: str | None = None

    def __post_init__(self) -> None:
        if not can_adapt(self.source, self.target):
            raise UnsupportedPathError(f"no way from {self.source} to {self.target}")
