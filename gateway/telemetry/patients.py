"""Which patients an access is about, and what events say instead of their ids."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.registry.secret_values import Pepper

type Pairs = Iterable[tuple[str, str]]

_PURPOSE = "patient id"
_HASH_LENGTH = 32
_PATIENT_PARAMETERS = ("patient", "subject", "beneficiary")


def patient_hash(pepper: Pepper, tenant_id: str, patient_id: str, version: str | None = None) -> str:
    """What access events say instead of the id that a tenant's FHIR server gave a patient: 32 hexadecimal digits, keyed
    with the pepper of that version (absent: the newest). The same patient of another tenant has another hash.
    """
    return _hash(_key(pepper, version or pepper.newest), tenant_id, patient_id)


def patient_hashes(pepper: Pepper, tenant_id: str, patient_ids: Iterable[str]) -> list[str]:
    """`patient_hash` of each, with the newest key."""
    key = _key(pepper, pepper.newest)
    return [_hash(key, tenant_id, patient_id) for patient_id in patient_ids]


def patients_of(resource_type: str, resource_id: str, pairs: Pairs, resource: object) -> list[str]:
    """Ids of the patients that an access is about: the one that is read, those that a search names, and those whose
    Patient resources or references to them are in what was answered.
    """
    found: dict[str, None] = {}
    if resource_type == "Patient" and resource_id:
        found[resource_id] = None
    found |= _named(resource_type, pairs)
    literals: dict[str, None] = {}
    # Plain loops: this looks at every entry of every answer.
    for answered in _resources(resource):
        if answered.get("resourceType") == "Patient":
            found |= dict.fromkeys(_id(str(answered.get("id", ""))))
        for member in _PATIENT_PARAMETERS:
            reference = answered.get(member)
            if type(reference) is dict and type(literal := reference.get("reference")) is str:
                literals[literal] = None
    for literal in literals:
        if "Patient/" in literal:
            found |= dict.fromkeys(_id(literal))
    return list(found)


def _named(resource_type: str, pairs: Pairs) -> dict[str, None]:
    found: dict[str, None] = {}
    for name, value in pairs:
        plain, _, typed = name.partition(":")
        if plain in _PATIENT_PARAMETERS or (plain == "_id" and resource_type == "Patient"):
            for part in value.split(","):
                if plain in ("_id", "patient") or typed == "Patient" or "Patient/" in part:
                    found |= dict.fromkeys(_id(part))
    return found


def _resources(resource: object) -> list[Mapping[str, Any]]:
    if not isinstance(resource, Mapping):
        return []
    entries = resource.get("entry")
    if resource.get("resourceType") != "Bundle" or not isinstance(entries, list):
        return [resource]
    return [held for entry in entries if isinstance(entry, dict) and isinstance(held := entry.get("resource"), dict)]


def _id(reference: str) -> list[str]:
    """The logical id in `Patient/ID`, `Patient/ID/_history/1`, a URL that ends so, or a bare id."""
    below = reference.rpartition("Patient/")[2].partition("/")[0].strip()
    return [below] if below else []


def _key(pepper: Pepper, version: str) -> bytes:
    return pepper.derived(_PURPOSE, version)


def _hash(key: bytes, tenant_id: str, patient_id: str) -> str:
    return hmac.digest(key, f"{tenant_id}\n{patient_id}".encode(), hashlib.sha256).hex()[:_HASH_LENGTH]
