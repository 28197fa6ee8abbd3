from pathlib import Path

import pytest

from gateway.registry import Tenant
from gateway.upstream.systems import (
    PROFILES,
    Contains,
    MedicationSource,
    Order,
    SystemProfile,
    Total,
    accept,
    profile_of,
)
from tests.gateway.upstream.conftest import TENANT_ID

DOCUMENT = Path(__file__).parents[3] / "docs" / "upstream-systems.md"
# contract.md §5 names these for `--system`.
NAMED = {
    *("generic", "hapi", "azure", "microsoft-fhir-server", "redox", "infor"),
    *("corolar", "datica", "meld", "epic", "oracle"),
}


def tenant(system: str, version: str = "r4") -> Tenant:
    return Tenant.model_validate(
        {
            "tenant_id": TENANT_ID,
            "name": "T",
            "fhir_url": "https://ehr.example.org/fhir",
            "fhir_version": version,
            "system": system,
        }
    )


def row(profile: SystemProfile) -> str:
    """The profile's line in the document."""

    def yes(ability: bool) -> str:  # what a profile says
        return "yes" if ability else "no"

    cells = [
        f"`{profile.name}`",
        profile.title,
        yes(profile.batch),
        yes(profile.post_search),
        yes(profile.sort),
        profile.contains,
        profile.total,
        str(profile.page_size),
        profile.encounter_order,
        profile.next_link,
        profile.medications,
        "system and value" if profile.qualified_mrn else "value",
    ]
    return f"| {' | '.join(cells)} |"


def test_every_system_of_the_contract_has_a_profile() -> None:
    assert set(PROFILES) >= NAMED


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_the_document_says_what_the_profile_says(profile: SystemProfile) -> None:
    assert row(profile) in DOCUMENT.read_text(encoding="utf-8").splitlines()


def test_the_document_names_no_other_systems() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    named = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert named == list(PROFILES)


def test_generic_trusts_nothing() -> None:
    generic = PROFILES["generic"]
    assert (generic.batch, generic.post_search, generic.sort) == (False, False, False)
    assert generic.contains is Contains.TRIED
    assert generic.total is Total.COUNTED
    assert generic.encounter_order is Order.UNKNOWN


def test_an_unknown_system_is_generic() -> None:
    assert profile_of(tenant("some-new-ehr")) is PROFILES["generic"]


def test_epic_answers_statements_from_requests() -> None:
    assert PROFILES["epic"].medications is MedicationSource.REQUESTS
    assert PROFILES["epic"].statements_from_requests


@pytest.mark.parametrize(
    ("system", "version", "first"),
    [
        ("generic", "r4", "application/fhir+json"),
        ("generic", "stu3", "application/fhir+json"),
        ("generic", "dstu2", "application/json+fhir"),
        ("oracle", "r4", "application/json"),
    ],
)
def test_the_accept_header_begins_with_the_systems_own_type(system: str, version: str, first: str) -> None:
    types = accept(tenant(system, version)).split(", ")
    assert types[0] == first
    assert {each.partition(";")[0] for each in types} == {
        "application/fhir+json",
        "application/json+fhir",
        "application/json",
    }
