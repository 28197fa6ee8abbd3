"""CPU time of a searchset of 200 Observations (about 294 KB) in the gateway, without transport.

    .venv/bin/python -m bench.searchset

An R4 server's answer goes through the whole FHIR route: parsed, held against what was asked, completed, its addresses
rewritten, its access event made, written out. Beside it: the JSON alone, the same on the STU3 face, and a read of a
Patient; each with the garbage collector at work and without. Prints microseconds of process time, the best of ROUNDS;
takes no port.
"""

import asyncio
import gc
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import orjson

from bench.resources import PATIENT, SEARCHSET_ENTRIES, observation, patient, searchset
from gateway.exchange import Request, Timing
from gateway.fhir.link_store import LinkStore
from gateway.fhir.paging import PageLinks
from gateway.pipeline import FhirEndpoint
from gateway.registry import Registry, Tenant
from gateway.secrets import open_secret_store
from gateway.settings import Settings
from gateway.telemetry.access import AccessLog
from gateway.tokens import AccessToken, Keys
from gateway.tokens.scopes import Scope
from gateway.upstream import Upstream, UpstreamResponse
from gateway.versions import FhirVersion

ROUNDS = 15
_SERVER = "https://fhir.example.org/r4"
_TENANT = Tenant(
    tenant_id="00000000-0000-0000-0000-000000000001",
    name="Example hospital",
    fhir_url=_SERVER,
    fhir_version=FhirVersion.R4,
)


class _Canned(Upstream):
    """An R4 server whose answers are in memory, by resource type."""

    def __init__(self, bodies: Mapping[str, bytes]) -> None:
        self._bodies = bodies

    async def send(
        self,
        tenant: Tenant,  # noqa: ARG002 - the class above names it
        method: str,  # noqa: ARG002 - likewise
        path_and_query: str,
        headers: Mapping[str, str],  # noqa: ARG002 - likewise
        body: bytes | None = None,  # noqa: ARG002 - likewise
    ) -> UpstreamResponse:
        resource_type = path_and_query.partition("?")[0].partition("/")[0]
        return UpstreamResponse(200, {"Content-Type": "application/fhir+json"}, self._bodies[resource_type])


class _AnyToken:
    async def verify(self, authorization: str | None) -> tuple[AccessToken, Tenant]:  # noqa: ARG002 - the protocol's
        return AccessToken("client", _TENANT.tenant_id, "secret", "key", "id", Scope(), time.time() + 3600), _TENANT


def request(path: str, query: str) -> Request:
    return Request("GET", path, query, {"accept": "application/fhir+json"}, b"", "benchmark")


async def microseconds(work: Callable[[], Awaitable[object]], times: int) -> float:
    """Process time of one call: the best of ROUNDS means over so many calls."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            await work()
        best = min(best, (time.process_time() - start) / times)
    return best * 1e6


async def run(settings: Settings) -> None:
    observations = [observation(number) for number in range(SEARCHSET_ENTRIES)]
    raw = orjson.dumps(searchset(_SERVER, observations))
    bodies = {"Observation": raw, "Patient": orjson.dumps(patient("r4", _SERVER))}
    registry, secrets = Registry.open(settings), open_secret_store(settings)
    keys = Keys(secrets)
    await keys.ensure()
    pages = PageLinks(keys, LinkStore(registry.storage))
    endpoint = FhirEndpoint(settings, _AnyToken(), _Canned(bodies), pages, AccessLog(keys.pepper))

    async def json_alone() -> None:
        orjson.dumps(orjson.loads(raw))

    def asking(path: str, query: str) -> Callable[[], Awaitable[object]]:
        asked = request(path, query)
        return lambda: endpoint.handle(asked, Timing())

    search = f"patient={PATIENT}&category=vital-signs"
    rows = [
        ("JSON alone", json_alone, 100),
        ("search, R4 face", asking("r4/Observation", search), 100),
        ("search, STU3 face", asking("stu3/Observation", search), 20),
        ("read, R4 face", asking(f"r4/Patient/{PATIENT}", ""), 1000),
    ]
    gc.collect()
    gc.freeze()
    print(f"{SEARCHSET_ENTRIES} Observations, {len(raw) // 1000} KB")
    print(f"{'':20}{'µs':>9}{'µs, no gc':>11}")
    for name, work, times in rows:
        await work()
        collected = await microseconds(work, times)
        gc.disable()
        uncollected = await microseconds(work, times)
        gc.enable()
        print(f"{name:20}{collected:9.0f}{uncollected:11.0f}")
    await registry.close()
    await secrets.close()


def main() -> None:
    # The access event is made, and written to nowhere.
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(
            run(
                Settings.model_validate(
                    {
                        "public_base_url": "http://127.0.0.1:7071",
                        "tables_connection": "UseDevelopmentStorage=true",
                        "local_keys_dir": str(Path(folder) / "keys"),
                        "allow_private_upstreams": True,
                    }
                )
            )
        )


if __name__ == "__main__":
    main()
