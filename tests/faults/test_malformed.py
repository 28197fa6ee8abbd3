"""Ten thousand malformed requests to every route."""

import asyncio
import re
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.manage.operators import issue_operator_token
from tests.faults.app import App, open_app, tell
from tests.faults.malformed import Known, Maker, Malformed
from tests.faults.rig import Storage, Worker, Workers, open_service, register, settings_for
from tests.upstreams.server import emulate

pytestmark = pytest.mark.e2e

SEED = 20261125
REQUESTS = 10_000
AT_A_TIME = 32
WARM_UP = 2_000
GROWTH_BYTES = 30_000_000
"""What eight thousand requests may add: caches fill up to their bounds. Four kilobytes a request would show."""
HANG_SECONDS = 10.0
UNFINISHED_SECONDS = 0.3


async def test_malformed_requests(storage: Storage, workers: Workers, tmp_path: Path) -> None:
    variables = settings_for(storage, tmp_path, UPSTREAM_TIMEOUT_SECONDS="3")
    async with emulate() as hospital:
        async with open_service(variables) as service:
            client, (tenant,) = await register(service, [hospital.base_url])
            victim, victims = await register(service, [hospital.base_url])
            operator = await issue_operator_token(service.secrets)
        worker = await asyncio.to_thread(workers.start, variables)
        async with open_app(client, worker.base_url) as app:
            token = await app.token(tenant)
            assert token is not None
            credentials = client.client_id, client.secret, tenant, token, operator
            known = Known(routes(worker), *credentials, [victim.client_id, *victims])
            await fire(app, worker, Maker(SEED, known), tenant)


def routes(worker: Worker) -> list[str]:
    """Every route that the host serves, as it lists them at its start."""
    found = re.findall(r"\] http://[^/]+/(\S*)$", Path(worker.program.log).read_text(), re.MULTILINE)
    assert "oauth2/token" in found
    return found


async def fire(app: App, worker: Worker, maker: Maker, tenant: str) -> None:
    port = int(worker.base_url.rpartition(":")[2])
    statuses: Counter[int] = Counter()
    lost: list[str] = []
    began, warm = time.monotonic(), 0
    requests = iter([maker.next() for _ in range(REQUESTS)])
    sent = 0

    async def send_some() -> None:
        nonlocal sent, warm
        for request in requests:
            status = await send(port, request)
            statuses[status] += 1
            sent += 1
            if status not in range(600) or status in (500, 501, 505) or (status == 0 and request.must_be_answered):
                lost.append(f"{status}: {request.what} {len(request.wire)}")
            if sent == WARM_UP:
                warm = worker.resident_bytes
            if sent % 1000 == 0 and (drawn := await app.token(tenant)) is not None:
                await app.read(tenant, "p1", drawn)

    await asyncio.gather(*(send_some() for _ in range(AT_A_TIME)))
    took, grown = time.monotonic() - began, worker.resident_bytes - warm
    await app.token(tenant)
    lost += [f"a valid request meanwhile: {each}" for each in app.account if each.lost]
    told = ", ".join(f"{count} times {status or 'closed'}" for status, count in sorted(statuses.items()))
    tell("malformed requests", f"{sent} in {took:.0f} s: {told}; memory {grown / 1e6:+.0f} MB", lost)
    assert grown < GROWTH_BYTES


async def send(port: int, request: Malformed) -> int:
    """The status of the answer, 0 when the connection was closed without one; 999 when neither comes."""
    try:
        async with asyncio.timeout(HANG_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000_000)
            try:
                writer.write(request.wire)
                if not request.whole:
                    with suppress(TimeoutError):
                        return await asyncio.wait_for(answer(reader, request), UNFINISHED_SECONDS)
                    writer.write_eof()  # the server waits for the rest of the request: there is none
                return await answer(reader, request)
            finally:
                writer.close()
    except (ConnectionError, asyncio.IncompleteReadError):
        return 0
    except TimeoutError:
        return 999


async def answer(reader: asyncio.StreamReader, request: Malformed) -> int:
    """Read one answer to its end."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if status is None:
            return 998
        if int(status[1]) >= 200:
            if length is not None and not request.wire.startswith(b"HEAD"):
                await reader.readexactly(int(length[1]))
            return int(status[1])
