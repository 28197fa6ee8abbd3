"""The gateway before FHIR servers that this project did not write: what it hands out is what the files hold."""

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gateway.registry import Tenant
from tests.functions.harness import Gateway, open_gateway
from tests.gateway.upstream.keys import ec_key, pem, rsa_key
from tests.upstreams.key_sets import key_set_server
from tests.upstreams.sekmet import Sekmet, running_sekmet, shared_resources

pytestmark = pytest.mark.e2e

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SECRET = {"kind": "client-secret-post", "client_id": "by-secret", "secret": "sekmet"}
TYPES = (
    "Patient",
    "Encounter",
    "Condition",
    "Coverage",
    "AllergyIntolerance",
    "Organization",
    "Practitioner",
    "Location",
)
OBSERVATIONS = 300

type Resources = list[dict[str, Any]]


def part_of(version: str) -> Resources:
    """What a server is loaded with: all but most of the observations, which take it long."""
    folder = DATA / version
    if not folder.is_dir():
        pytest.skip(f"the test data is not there: {folder}")
    everything = shared_resources(folder)
    observations = (each for each in everything if each["resourceType"] == "Observation")
    return [each for each in everything if each["resourceType"] in TYPES] + list(islice(observations, OBSERVATIONS))


@pytest.fixture(scope="module", params=["r4", "stu3"])
def hospital(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Sekmet, str, Resources]]:
    version: str = request.param
    resources = part_of(version)
    clients = [{"client_id": "by-secret", "client_secret": "sekmet-secret", "scopes": "system/*.rs"}]
    with running_sekmet(tmp_path_factory.mktemp(version), clients) as server:
        server.load(resources)
        yield server, version, resources


@pytest.fixture
async def gateway(tables_connection: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(tables_connection, tmp_path) as opened:
        await opened.service.secrets.set("sekmet", "sekmet-secret")
        yield opened


@pytest.mark.parametrize("system", ["generic", "hapi", "oracle", "infor"])
async def test_a_tenant_with_a_client_secret_is_read(
    gateway: Gateway, hospital: tuple[Sekmet, str, Resources], system: str
) -> None:
    server, version, resources = hospital
    tenant = await gateway.tenant(server.base_url, version, system=system, auth=SECRET)

    men = {each["id"] for each in resources if each["resourceType"] == "Patient" and each.get("gender") == "male"}
    found = await gateway.search(tenant, f"/fhir/{version}/Patient/_search", [("gender", "male"), ("_count", "2")])
    assert found.status == 200
    assert found.json["total"] == len(men)
    assert len(found.resources) == min(2, len(men))

    for patient in men:
        read = await gateway.ask(tenant, f"/fhir/{version}/Patient/{patient}")
        assert read.json["id"] == patient
        starts = {
            each["id"]: each["period"]["start"]
            for each in resources
            if each["resourceType"] == "Encounter" and about(each, patient) and "start" in each.get("period", {})
        }
        latest = await gateway.ask(tenant, f"/fhir/{version}/Encounter?patient={patient}&_sort=-date&_count=1")
        assert latest.status == 200
        assert [starts[each["id"]] for each in latest.resources] == ([max(starts.values())] if starts else [])


async def test_a_batch_brings_every_search_of_the_app(
    gateway: Gateway, hospital: tuple[Sekmet, str, Resources]
) -> None:
    server, version, resources = hospital
    tenant = await gateway.tenant(server.base_url, version, auth=SECRET)
    patient = next(each["id"] for each in resources if each["resourceType"] == "Patient")
    urls = [f"{name}?patient={patient}" for name in ("Condition", "AllergyIntolerance", "Encounter")]
    answer = await gateway.batch(tenant, f"/{version}", urls)
    assert [entry["response"]["status"][:3] for entry in answer.json["entry"]] == ["200", "200", "200"]
    for url, entry in zip(urls, answer.json["entry"], strict=True):
        wanted = {
            each["id"] for each in resources if each["resourceType"] == url.partition("?")[0] and about(each, patient)
        }
        shown = {each["resource"]["id"] for each in entry["resource"].get("entry", [])}
        assert shown <= wanted
        assert bool(shown) == bool(wanted)


def about(resource: dict[str, Any], patient: str) -> bool:
    holder = resource.get("subject") or resource.get("patient") or {}
    return str(holder.get("reference", "")).endswith(f"Patient/{patient}")


@pytest.mark.parametrize("alg", ["RS384", "ES384"])
async def test_a_server_checks_assertions_by_the_key_set_that_the_gateway_hosts(
    gateway: Gateway, tmp_path: Path, alg: str
) -> None:
    """The server fetches the gateway's key set, checks signature, audience, life and that no assertion comes twice."""
    tenant_id = str(uuid4())
    await gateway.service.secrets.set("upstream-key", pem(rsa_key() if alg == "RS384" else ec_key()))
    async with key_set_server(gateway) as origin:
        url = f"{origin}/oauth2/upstream-jwks/{tenant_id}"
        folder = tmp_path / "server"
        folder.mkdir()
        with running_sekmet(folder, [{"client_id": "gw", "jwks_url": url, "scopes": "system/*.rs"}]) as server:
            server.load([{"resourceType": "Patient", "id": "p1"}])
            auth = {"kind": "private-key-jwt", "client_id": "gw", "key": "upstream-key", "alg": alg}
            row = {"tenant_id": tenant_id, "name": "Sekmet", "fhir_url": server.base_url, "fhir_version": "r4"}
            await gateway.service.registry.add_tenant(Tenant.model_validate({**row, "auth": auth}))
            answer = await gateway.ask(tenant_id, "/fhir/r4/Patient/p1")
            assert (answer.status, answer.json["id"]) == (200, "p1")
