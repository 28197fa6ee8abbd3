import pytest

from gateway.upstream.detection import software_of, system_of
from gateway.upstream.systems import PROFILES

type Statement = dict[str, object]

# The parts of statements that tell a server's maker: of HAPI, Epic and Oracle as public servers show them, of the
# others as their documents describe them.
STATEMENTS: dict[str, list[Statement]] = {
    "hapi": [
        {
            "publisher": "Not provided",
            "software": {"name": "HAPI FHIR Server", "version": "5.0.2"},
            "implementation": {"description": "HAPI FHIR", "url": "http://localhost/apis/fhir"},
        },
        {"software": {"name": "Smile CDR", "version": "2024.05"}},
    ],
    "epic": [
        {
            "copyright": "Copyright Epic 1979-2025",
            "software": {"name": "Epic", "version": "November 2025", "releaseDate": "2026-04-08"},
        },
    ],
    "oracle": [
        {"name": "Cerner Conformance Statement", "publisher": "Cerner", "description": "Describes this server"},
        {
            "name": "CernerCapabilityStatement",
            "title": "Cerner Capability Statement",
            "implementation": {"description": "Cerner implementation of FHIR on top of Millennium"},
        },
        {"publisher": "Oracle Health"},
    ],
    "microsoft-fhir-server": [
        {"publisher": "Microsoft", "software": {"name": "Microsoft FHIR Server", "version": "4.0.379"}},
    ],
    "azure": [
        {"publisher": "Microsoft", "software": {"name": "Azure API for FHIR", "version": "3.1"}},
        {"publisher": "Microsoft", "software": {"name": "Azure Healthcare APIs", "version": "4.0"}},
    ],
    "redox": [{"publisher": "Redox", "software": {"name": "Redox FHIR API"}}],
    "google": [{"software": {"name": "Google Cloud Healthcare API"}}],
    "athenahealth": [{"publisher": "athenahealth"}],
    "meditech": [{"publisher": "Medical Information Technology, Inc. (MEDITECH)"}],
    "meld": [{"software": {"name": "HAPI FHIR Server"}, "implementation": {"description": "Logica sandbox"}}],
}


@pytest.mark.parametrize(
    ("system", "statement"), [(system, one) for system, several in STATEMENTS.items() for one in several]
)
def test_a_statement_tells_its_maker(system: str, statement: dict[str, object]) -> None:
    assert system_of({"resourceType": "CapabilityStatement", **statement}) == system
    assert system in PROFILES


@pytest.mark.parametrize(
    "statement",
    [
        None,
        [],
        {},
        {"software": "Epic", "publisher": ["Cerner"], "implementation": {"description": 3}},
        {"software": {"name": "Sandbox EHR"}, "publisher": "Information Systems of an Epicentre"},
        {"implementation": {"description": "Our hospital informs about Oraclean"}},
    ],
)
def test_what_tells_nothing_is_no_system(statement: object) -> None:
    assert system_of(statement) == ""


@pytest.mark.parametrize(
    ("url", "system"),
    [
        ("https://ws-fhir.fhir.azurehealthcareapis.com", "azure"),
        ("https://healthcare.googleapis.com/v1/projects/p/fhir", "google"),
        ("https://api.redoxengine.com/fhir/R4/org/dev", "redox"),
        ("https://fhir-ehr.cerner.com/r4/tenant", "oracle"),
        ("https://evil.example/azurehealthcareapis.com", ""),
        ("https://notcerner.com/r4", ""),
    ],
)
def test_the_host_of_a_managed_service_tells_where_the_statement_does_not(url: str, system: str) -> None:
    assert system_of({}, url) == system


def test_the_statement_counts_before_the_host() -> None:
    statement = {"software": {"name": "HAPI FHIR Server"}}
    assert system_of(statement, "https://fhir.cerner.com/r4") == "hapi"


def test_the_software_is_shown_by_name_and_version() -> None:
    assert software_of({"software": {"name": "HAPI FHIR Server", "version": "7.4.0"}}) == "HAPI FHIR Server 7.4.0"
    assert software_of({"software": {"name": "Epic", "version": 8}}) == "Epic"
    assert software_of({"software": "HAPI"}) == ""
    assert len(software_of({"software": {"name": "x" * 1000}})) == 80
