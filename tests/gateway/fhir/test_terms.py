from uuid import uuid4

import pytest

from gateway.fhir import terms
from gateway.fhir.faces import FACES
from gateway.fhir.terms import Dictionary
from gateway.registry import Tenant
from gateway.versions import FhirVersion


def tenant() -> Tenant:
    return Tenant(
        tenant_id=str(uuid4()), name="T", fhir_url="https://ehr.example.org/fhir", fhir_version=FhirVersion.R4
    )


def test_terms_are_made_once_for_a_tenant_and_face() -> None:
    dictionary, one = Dictionary("https://gateway.example/fhir"), tenant()
    made = {version: dictionary.terms(one, FACES[version], f"/{version}") for version in FhirVersion}
    for version in FhirVersion:
        assert dictionary.terms(one, FACES[version], f"/{version}") is made[version]
    changed = one.model_copy(update={"mrn_system": "urn:mrn"})
    assert dictionary.terms(changed, FACES[FhirVersion.R4], "/r4") is not made[FhirVersion.R4]


def test_only_the_last_that_spoke_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "_KEPT", 10)
    dictionary, often = Dictionary("https://gateway.example/fhir"), tenant()
    r4 = FACES[FhirVersion.R4]
    first = dictionary.terms(often, r4, "")
    for _ in range(50):
        dictionary.terms(tenant(), r4, "")
        assert dictionary.terms(often, r4, "") is first
    assert len(dictionary._known) == 10
