"""A caller's batch as a batch of the server's, where the server's profile says that it can."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import orjson
from yarl import URL

from gateway.errors import GatewayError, UpstreamBroken
from gateway.registry import Tenant
from gateway.upstream import Upstream, UpstreamResponse
from gateway.upstream.extra_parameters import without_extras

_CONDITIONS = (("if-none-match", "ifNoneMatch"), ("if-modified-since", "ifModifiedSince"))
_OK = 200


@dataclass(frozen=True, slots=True)
class _Waiting:
    target: str
    headers: Mapping[str, str]
    answer: "asyncio.Future[UpstreamResponse | None]"


class BatchingUpstream(Upstream):
    """An Upstream for the entries of one batch: reads that are asked for in the same moment go out as one request.

    Everything else is as with `upstream`, and so are the reads themselves when the server makes nothing of the batch:
    then each is sent by itself.
    """

    def __init__(self, upstream: Upstream) -> None:  # no connection of its own, so nothing for the base class to do
        self.budget_seconds = upstream.budget_seconds
        self._upstream = upstream
        self._waiting: list[_Waiting] = []
        self._flushes: set[asyncio.Task[None]] = set()

    async def send(
        self,
        tenant: Tenant,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> UpstreamResponse:
        if method != "GET":
            return await self._upstream.send(tenant, method, path_and_query, headers, body)
        loop = asyncio.get_running_loop()
        one = _Waiting(path_and_query, headers, loop.create_future())
        if not self._waiting:
            # Runs when every entry that is ready now has asked.
            loop.call_soon(self._start_flush, tenant)
        self._waiting.append(one)
        got = await one.answer
        return got if got is not None else await self._upstream.send(tenant, "GET", path_and_query, headers)

    async def fetch(self, tenant: Tenant, url: URL, headers: Mapping[str, str]) -> UpstreamResponse:
        return await self._upstream.fetch(tenant, url, headers)

    async def close(self) -> None:
        for task in self._flushes:
            task.cancel()
        await asyncio.gather(*self._flushes, return_exceptions=True)

    def _start_flush(self, tenant: Tenant) -> None:
        waiting, self._waiting = self._waiting, []
        task = asyncio.create_task(self._flush(tenant, waiting))
        self._flushes.add(task)
        task.add_done_callback(self._flushes.discard)

    async def _flush(self, tenant: Tenant, waiting: list[_Waiting]) -> None:
        answers: list[UpstreamResponse | None] = [None] * len(waiting)
        try:
            if len(waiting) > 1:
                answers = await self._ask(tenant, waiting)
        except UpstreamBroken:
            pass  # each by itself then
        except GatewayError as error:
            # Too late or too many: more requests would make it worse.
            for one in waiting:
                if not one.answer.done():
                    one.answer.set_exception(error)
        finally:
            for one, answer in zip(waiting, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)

    async def _ask(self, tenant: Tenant, waiting: list[_Waiting]) -> list[UpstreamResponse | None]:
        nothing: list[UpstreamResponse | None] = [None] * len(waiting)
        entries = [{"request": _request(tenant, one)} for one in waiting]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        accept = waiting[0].headers.get("accept", "")
        headers = {"accept": accept, "content-type": accept.partition(",")[0]}
        if "x-request-id" in waiting[0].headers:
            headers["x-request-id"] = waiting[0].headers["x-request-id"]
        got = await self._upstream.send(tenant, "POST", "", headers, orjson.dumps(bundle))
        answered = _entries(got)
        return [_response(entry) for entry in answered] if len(answered) == len(waiting) else nothing


def _request(tenant: Tenant, one: _Waiting) -> dict[str, str]:
    conditions = {key: one.headers[name] for name, key in _CONDITIONS if name in one.headers}
    # Of the tenant's fixed parameters, those of the batch's own address count: a caller's must not contradict them.
    return {"method": "GET", "url": without_extras(tenant, one.target), **conditions}


def _entries(got: UpstreamResponse) -> list[Any]:
    try:
        bundle = orjson.loads(got.body) if got.status == _OK else None
    except ValueError:
        return []
    entries = bundle.get("entry") if isinstance(bundle, dict) and bundle.get("type") == "batch-response" else None
    return entries if isinstance(entries, list) else []


def _response(entry: object) -> UpstreamResponse | None:
    """An entry as the response that it stands for; None when it is none."""
    response = entry.get("response") if isinstance(entry, dict) else None
    status = str(response.get("status", "")).partition(" ")[0] if isinstance(response, dict) else ""
    if not isinstance(entry, dict) or not isinstance(response, dict) or not status.isdecimal():
        return None
    headers = {"Content-Type": "application/fhir+json"}
    if isinstance(response.get("etag"), str):
        headers["ETag"] = response["etag"]
    if modified := _http_date(response.get("lastModified")):
        headers["Last-Modified"] = modified
    resource = entry.get("resource") or response.get("outcome")
    return UpstreamResponse(int(status), headers, orjson.dumps(resource) if resource else b"")


def _http_date(instant: object) -> str:
    try:
        return format_datetime(datetime.fromisoformat(str(instant)).astimezone(UTC), usegmt=True) if instant else ""
    except ValueError:
        return ""
