"""The Patients app in small: draws tokens, reads patients, and keeps an exact account of every answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import aiohttp
import orjson

from tests.faults.rig import Client

PATIENCE_SECONDS = 15.0
"""Whoever waits longer for an answer calls it a hang."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request. `status` 0: no answer, and `text` says why. `right`: the answer is in the form of its route, and a
    200 is what was asked for. Times are of `time.monotonic`.
    """

    kind: Literal["token", "read"]
    tenant: str
    began: float
    seconds: float
    status: int
    right: bool
    text: str
    retry_after: str = ""

    @property
    def lost(self) -> bool:
        return self.status != 200 or not self.right

    def __str__(self) -> str:
        return f"{self.kind} {self.status} {'' if self.right else 'WRONG '}{self.text[:200]}"


@dataclass
class App:
    """Asks one instance after the other. `account` holds every answer."""

    session: aiohttp.ClientSession
    instances: list[str]
    client: Client
    account: list[Outcome] = field(default_factory=list)
    _turn: "count[int]" = field(default_factory=count)

    async def token(self, tenant: str, *, at: str | None = None, form: Mapping[str, str] | None = None) -> str | None:
        """A token, None when there was none. `form` replaces the client's own secret."""
        credential = form or {"client_id": self.client.client_id, "client_secret": self.client.secret}
        content = {"grant_type": "client_credentials", "scope": tenant, **credential}
        status, text, body, retry, began, seconds = await self._ask("POST", "/oauth2/token", at, data=content)
        if status == 200:
            right = body.get("scope") == tenant and "access_token" in body
        else:
            right = "error" in body and "access_token" not in body
        self.account.append(Outcome("token", tenant, began, seconds, status, right, text, retry))
        return body.get("access_token")

    async def read(self, tenant: str, patient: str, token: str, *, at: str | None = None) -> Outcome:
        """Read a patient with a token."""
        path, header = f"/fhir/r4/Patient/{patient}", {"Authorization": f"Bearer {token}"}
        status, text, body, retry, began, seconds = await self._ask("GET", path, at, headers=header)
        if status == 200:
            right = (body.get("resourceType"), body.get("id")) == ("Patient", patient)
        else:
            right = body.get("resourceType") == "OperationOutcome"
        outcome = Outcome("read", tenant, began, seconds, status, right, text, retry)
        self.account.append(outcome)
        return outcome

    async def ready(self, *, at: str | None = None) -> str:
        """`/health/ready` in a line: its status, what it says as a whole, and what is down, since when if it tells."""
        status, _, body, *_ = await self._ask("GET", "/health/ready", at)
        dependencies = body.get("dependencies", {})
        down = [name for name in ("tables", "keys") if dependencies.get(name, {}).get("status") == "unavailable"]
        told = "".join(f", {name} down{' since' if dependencies[name].get('since') else ''}" for name in down)
        return f"{status} {body.get('status')}{told}"

    async def _ask(
        self,
        method: str,
        path: str,
        at: str | None,
        **request: Any,  # noqa: ANN401  # what aiohttp takes
    ) -> tuple[int, str, dict[str, Any], str, float, float]:
        base = at or self.instances[next(self._turn) % len(self.instances)]
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                async with self.session.request(method, base + path, **request) as answer:
                    raw, status, retry = await answer.read(), answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, f"{type(error).__name__} {error}", {}, "", began, time.monotonic() - began
        try:
            body = orjson.loads(raw)
        except ValueError:
            body = None
        seconds = time.monotonic() - began
        # The text of a success holds a token or a patient: nothing for a test's output.
        text = "" if status == 200 else raw.decode(errors="replace")
        return status, text, body if isinstance(body, dict) else {}, retry, began, seconds


@asynccontextmanager
async def open_app(client: Client, *instances: str) -> AsyncIterator[App]:
    """Its connections are its own; no limit to their number."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield App(session, list(instances), client)


@asynccontextmanager
async def under_load(
    ask: Callable[[int], Awaitable[object]], *, callers: int, rest: float = 0.0
) -> AsyncIterator[None]:
    """While the block runs, `callers` call `ask` with consecutive numbers, each again as soon as it is answered and
    `rest` seconds have passed. Requests under way at the end are answered before this returns.
    """
    numbers, going = count(), True

    async def call() -> None:
        while going:
            await ask(next(numbers))
            await asyncio.sleep(rest)

    tasks = [asyncio.ensure_future(call()) for _ in range(callers)]
    try:
        yield
    finally:
        going = False
        await asyncio.gather(*tasks)


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float, what: str) -> float:
    """Seconds until it holds; fails when it does not in `seconds`."""
    began = time.monotonic()
    while not await holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)
    return time.monotonic() - began


def p95(outcomes: Iterable[Outcome]) -> float:
    """Seconds within which 95 of 100 were answered."""
    ordered = sorted(each.seconds for each in outcomes)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]


def tell(fault: str, tried: str, lost: Iterable[object]) -> None:
    """One line for who runs the tests with `-s`; fails when anything was lost."""
    losses = [str(each) for each in lost]
    print(f"\n{fault}: {tried}; lost: {len(losses) or 'nothing'}")  # noqa: T201  # what these tests are to say
    assert not losses, losses[:5]
