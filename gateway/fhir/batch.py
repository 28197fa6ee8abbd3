"""Batch Bundles: their entries as interactions, and the answers to them as a batch-response."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from gateway.errors import BadRequest, GatewayError, TooCostly
from gateway.fhir.answers import Answer
from gateway.fhir.interactions import Interaction, Kind, parse_interaction
from gateway.fhir.outcome import error_outcome
from gateway.fhir.urls import OwnAddresses
from gateway.versions import FhirVersion

_REASONS = {int(status): status.phrase for status in HTTPStatus}
_ERRORS_FROM = 400
# Of one batch; the tenant's own limit counts besides. The app asks for eight types at once.
_AT_ONCE = 8
_CONDITIONS = (("ifNoneMatch", "if-none-match"), ("ifModifiedSince", "if-modified-since"))


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One request of a batch."""

    interaction: Interaction
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def read_batch(body: bytes, limit: int, own: OwnAddresses) -> list[BatchEntry | GatewayError]:
    """The entries of a batch Bundle (http.html#transaction), in order.

    Raises BadRequest when the body is no batch, TooCostly beyond `limit` entries. A wrong entry is an error in the
    list: the others are still answered.
    """
    try:
        bundle = orjson.loads(body)
    except ValueError:
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise BadRequest("The body must be a Bundle of type batch.")
    if bundle.get("type") == "transaction":
        raise BadRequest("Transactions are not supported: send the requests as a Bundle of type batch.")
    if bundle.get("type") != "batch":
        raise BadRequest("The Bundle's type must be batch.")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise BadRequest("Bundle.entry must be a list.")
    if len(entries) > limit:
        raise TooCostly(f"A batch may have at most {limit} entries; split it.")
    return [_read_entry(entry, own) for entry in entries]


def _read_entry(entry: object, own: OwnAddresses) -> BatchEntry | GatewayError:
    held = entry.get("request") if isinstance(entry, dict) else None
    request = held if isinstance(held, dict) else {}
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        return BadRequest("A batch entry needs request.method and request.url.")
    try:
        path, query = _relative(url, own)
        interaction = parse_interaction(method.upper(), path)
        if interaction.kind is Kind.BATCH:
            raise BadRequest("A batch may not hold another one.")
    except GatewayError as error:
        return error
    conditions = {header: request[key] for key, header in _CONDITIONS if isinstance(request.get(key), str)}
    return BatchEntry(interaction, query, conditions)


def _relative(url: str, own: OwnAddresses) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            below = own.relative(url)
            if below is None:
                raise BadRequest("An absolute address in a batch must be one of this face of this service.")
            parts = urlsplit(below)
    except ValueError:
        raise BadRequest("The entry's request.url is no address.") from None
    return unquote(parts.path).lstrip("/"), parts.query


async def run_batch(
    entries: Sequence[BatchEntry | GatewayError],
    answer: Callable[[int, BatchEntry], Awaitable[Answer]],
    version: FhirVersion,
) -> tuple[dict[str, Any], str]:
    """Answer the entries, at most eight at once, into a batch-response in their order. `answer` is given the number of
    an entry, from 0, and the entry; errors answer themselves. Returns also the longest Retry-After in seconds that one
    of them came back with, or empty.
    """
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int, entry: BatchEntry | GatewayError) -> Answer:
        try:
            if isinstance(entry, GatewayError):
                raise entry
            async with slots:
                return await answer(number, entry)
        except GatewayError as error:
            return Answer(error.status, error.headers, error_outcome(error, version))

    # A task group: when the caller's request is given up, nothing runs on.
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number, entry)) for number, entry in enumerate(entries)]
    answers = [task.result() for task in tasks]
    waits = [answer.headers.get("Retry-After", "") for answer in answers]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "batch-response"}
    if answers:
        bundle["entry"] = [_entry(answer, version) for answer in answers]
    return bundle, max((wait for wait in waits if wait.isdecimal()), key=int, default="")


def _entry(answer: Answer, version: FhirVersion) -> dict[str, Any]:
    entry = answer.entry()
    entry["response"] = {"status": f"{answer.status} {_REASONS.get(answer.status, '')}".strip(), **entry["response"]}
    # Where the release has a place for outcomes of entries, clients look there; others look at the body (DSTU2).
    if answer.status >= _ERRORS_FROM and version is not FhirVersion.DSTU2 and answer.resource is not None:
        entry["response"]["outcome"] = answer.resource
    return entry
