import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from gateway.errors import BadRequest, GatewayError, MethodNotAllowed, TooCostly
from gateway.fhir.interactions import Interaction, Kind, parse_interaction
from gateway.fhir.outcome import error_outcome
from gateway.versions import FhirVersion

_REASONS = {int(status): status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One request of a batch: an interaction, or the error that it is."""

    interaction: Interaction | None
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    error: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    status: int
    resource: Any
    etag: str = ""
    last_modified: str = ""
    retry_after: str = ""


def read_batch(body: bytes, limit: int, own_base: str) -> list[BatchEntry]:
    """The entries of a batch Bundle (http.html#transaction). `own_base` is the face's address at the gateway.

    Raises BadRequest when the body is no batch, TooCostly beyond `limit` entries. A wrong entry is an entry with an
    error: the others are still answered.
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
    return [_read_entry(entry, own_base) for entry in entries]


def _read_entry(entry: object, own_base: str) -> BatchEntry:
    try:
        request = entry["request"]  # type: ignore[index]  # a stranger's JSON: what is wrong raises TypeError
        method, url = request["method"], request["url"]
        if not isinstance(method, str) or not isinstance(url, str):
            raise TypeError
    except (KeyError, TypeError):
        return BatchEntry(None, error=BadRequest("A batch entry needs request.method and request.url."))
    try:
        path, query = _relative(url, own_base)
        interaction = parse_interaction(method.upper(), path)
        if interaction.kind is Kind.BATCH:
            raise BadRequest("A batch may not hold another one.")
        if method.upper() not in ("GET", "HEAD"):
            raise MethodNotAllowed("In a batch the gateway answers reads and searches by GET.", "GET, HEAD")
    except GatewayError as error:
        return BatchEntry(None, error=error)
    headers = tuple(
        (header, request[key])
        for key, header in (("ifNoneMatch", "if-none-match"), ("ifModifiedSince", "if-modified-since"))
        if isinstance(request.get(key), str)
    )
    return BatchEntry(interaction, query, headers)


def _relative(url: str, own_base: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        if not url.startswith(f"{own_base}/"):
            raise BadRequest("An absolute address in a batch must be one of this service's.")
        parts = urlsplit(url.removeprefix(own_base))
    return unquote(parts.path).lstrip("/"), parts.query


async def run_batch(
    entries: list[BatchEntry], answer: Callable[[BatchEntry], Awaitable[EntryAnswer]], version: FhirVersion
) -> tuple[dict[str, Any], str]:
    """Answer every entry, in order, into a batch-response; also the longest Retry-After of its entries, or empty.

    `answer` runs for entries with an interaction and bounds its own concurrency.
    """

    async def one(entry: BatchEntry) -> EntryAnswer:
        try:
            if entry.error is not None:
                raise entry.error
            return await answer(entry)
        except GatewayError as error:
            return EntryAnswer(
                error.status, error_outcome(error, version), retry_after=error.headers.get("Retry-After", "")
            )

    answers = await asyncio.gather(*(one(entry) for entry in entries))
    retry_after = max((answer.retry_after for answer in answers if answer.retry_after.isdigit()), key=int, default="")
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "batch-response"}
    if answers:
        bundle["entry"] = [_entry(answer) for answer in answers]
    return bundle, retry_after


def _entry(answer: EntryAnswer) -> dict[str, Any]:
    response = {"status": f"{answer.status} {_REASONS.get(answer.status, '')}".strip()}
    if answer.etag:
        response["etag"] = answer.etag
    entry: dict[str, Any] = {}
    if answer.resource is not None:
        entry["resource"] = answer.resource
    entry["response"] = response
    return entry
