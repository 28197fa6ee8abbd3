import pytest

from gateway.conformance.abilities import Abilities, propose
from gateway.conformance.calls import Request
from gateway.conformance.evidence import Evidence, Exchange
from gateway.upstream.systems import Total
from gateway.versions import FhirVersion

ABLE = Abilities(
    batch=True,
    post_search=True,
    sort=True,
    contains=True,
    total=Total.NATIVE,
    without_count=frozenset(),
    statements=True,
)
POOR = Abilities(
    batch=False,
    post_search=False,
    sort=False,
    contains=False,
    total=Total.COUNTED,
    without_count=frozenset(),
    statements=False,
)


def evidence(software: str = "") -> Evidence:
    found = Evidence("server", FhirVersion.R4)
    request = Request("metadata", "GET", "metadata", "GET metadata")
    statement = {"resourceType": "CapabilityStatement", "software": {"name": software}}
    found.add(Exchange(request, 200, 1.0, resource=statement), found.place("metadata"))
    return found


@pytest.mark.parametrize(
    ("found", "configured", "software", "expected"),
    [
        (ABLE, "generic", "", "hapi"),
        (ABLE, "azure", "", "azure"),
        (ABLE, "generic", "Smile CDR", "hapi"),
        (ABLE, "generic", "Microsoft FHIR Server", "microsoft-fhir-server"),
        (POOR, "generic", "", "generic"),
        (POOR, "hapi", "", "generic"),
        (POOR, "epic", "", "epic"),
        (POOR, "generic", "HAPI FHIR Server", "generic"),
    ],
)
def test_a_profile_is_proposed(found: Abilities, configured: str, software: str, expected: str) -> None:
    assert propose(found, configured, evidence(software)).system == expected


def test_what_the_configured_profile_claims_too_much_is_told() -> None:
    assert propose(POOR, "hapi", evidence()).differences == (
        "batch: the profile says yes, the server does not",
        "POST Patient/_search: the profile says yes, the server does not",
        "_sort: the profile says yes, the server does not",
        ":contains: the profile says yes, the server does not",
        "Bundle.total: the profile says accurate, the server needs counted",
    )


def test_a_type_that_knows_no_count_is_told() -> None:
    found = Abilities(
        batch=None,
        post_search=None,
        sort=None,
        contains=None,
        total=None,
        without_count=frozenset({"Condition"}),
        statements=None,
    )
    assert propose(found, "generic", evidence()).differences == (
        "_count: the profile says yes for Condition, the server does not",
    )
