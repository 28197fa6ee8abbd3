"""The requests of a run, in the order of the app's use: metadata, the patient list, charts, pages, references, batch.

What is asked depends on the answers, never on their speed, so two runs ask the same of the same server.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from gateway.conformance.allowance import RequestLimitReached
from gateway.conformance.calls import ChartSearch, Pairs, Request, chart_searches, contains, id_parameter, shown_pairs
from gateway.conformance.evidence import Evidence, Exchange
from gateway.conformance.paths import Resource, values
from gateway.conformance.sides import Side
from gateway.upstream.bundles import next_link
from gateway.versions import FhirVersion

LIST_COUNT = 20
UNKNOWN_ID = "conformance-check-unknown"
_REFUSED = (401, 403)
_LEAST_LETTERS = 3
_PARTS = 3
_REFERENCES = (
    "generalPractitioner.reference",
    "careProvider.reference",
    "location.location.reference",
    "medicationReference.reference",
    "requester.reference",
    "requester.agent.reference",
    "prescriber.reference",
)
_COUNTED_KINDS = ("condition", "medication")


@dataclass(frozen=True, slots=True)
class Depth:
    """How far a survey goes: patients of the sample, and pages until it stops walking a long list."""

    sample: int = 5
    pages: int = 25


class Survey:
    """Asks one side everything and fills its evidence. `tick` is called with what is being looked at."""

    def __init__(self, side: Side, evidence: Evidence, depth: Depth, tick: Callable[[str], None]) -> None:
        self._side = side
        self._evidence = evidence
        self._depth = depth
        self._tick = tick
        evidence.most_pages = depth.pages

    async def metadata(self) -> Exchange | None:
        """The capability statement, asked without a token (interface §1.4)."""
        self._tick("metadata")
        return await self._ask(Request("metadata", "GET", "metadata", "GET metadata", anonymous=True))

    async def run(self) -> None:
        """Everything but the metadata. Where the side refuses the credential it stops: the rest would be refused."""
        self._tick("patient list")
        first = await self._list()
        if first is None or first.bundle is None:
            return
        found = first.matches("Patient")
        identified = [patient for patient in found if isinstance(patient.get("id"), str)]
        self._evidence.patients = sorted(identified, key=lambda patient: str(patient["id"]))[: self._depth.sample]
        self._tick("patient searches, pages")
        await asyncio.gather(self._searches(), self._pages(len(found), first), self._total(first), self._reads())
        self._tick("charts")
        await asyncio.gather(*(self._chart(patient) for patient in self._evidence.patients))
        self._tick("references, batch")
        await asyncio.gather(self._counts(), self._references(), self._batch(), self._resources())

    async def _ask(self, request: Request) -> Exchange | None:
        place = self._evidence.place(request.probe)
        try:
            exchange = await self._side.send(request)
        except RequestLimitReached:
            self._evidence.limit_reached = True
            return None
        self._evidence.add(exchange, place)
        return exchange

    async def _list(self) -> Exchange | None:
        pairs = (("_count", str(LIST_COUNT)),)
        posted = await self._ask(_patients("list-post", pairs, by_post=True))
        if posted is None or posted.bundle is not None or posted.status in _REFUSED:
            return posted
        if self._evidence.side == "gateway":
            return posted  # the app only posts, so nothing else helps it
        return await self._ask(_patients("list-get", pairs, by_post=False))

    async def _patients(self, probe: str, pairs: Pairs) -> Exchange | None:
        return await self._ask(_patients(probe, pairs, by_post=not self._evidence.of("list-get")))

    async def _total(self, first: Exchange) -> None:
        if self._evidence.side == "server" and not isinstance((first.bundle or {}).get("total"), int):
            await self._patients("total-accurate", (("_count", str(LIST_COUNT)), ("_total", "accurate")))

    async def _pages(self, found: int, first: Exchange) -> None:
        """Walk the patient list in pages that are small enough for there to be some."""
        if not next_link(first.bundle or {}) and found <= 1:
            return
        size = LIST_COUNT if next_link(first.bundle or {}) else -(-found // _PARTS)
        page = await self._patients("page", (("_count", str(size)),))
        visited: set[str] = set()
        for _ in range(self._depth.pages - 1):
            address = next_link(page.bundle or {}) if page is not None else None
            path = self._side.below(address) if address else None
            if not address or path is None or path in visited:
                return
            visited.add(path)
            page = await self._ask(Request("page", "GET", path, "GET Patient (next page)"))

    async def _searches(self) -> None:
        version, side = self._evidence.version, self._evidence.side
        asked: list[tuple[str, str, str | None]] = [
            ("id", id_parameter(side), _first(self._evidence.patients, "id")),
            ("family", contains("family", version, side), _part(self._evidence.patients, "name.family")),
            ("given", contains("given", version, side), _part(self._evidence.patients, "name.given")),
            ("birthdate", "birthdate", _first(self._evidence.patients, "birthDate")),
            ("gender", "gender", _first(self._evidence.patients, "gender")),
            ("identifier", "identifier", mrn(self._evidence.patients, self._evidence.mrn_system)),
        ]
        if version is FhirVersion.DSTU2:
            asked.append(("name", contains("name", version, side), _part(self._evidence.patients, "name.family")))
        await asyncio.gather(
            *(
                self._patients(f"search-{name}", ((parameter, value), ("_count", "100")))
                for name, parameter, value in asked
                if value
            )
        )

    async def _chart(self, patient: Resource) -> None:
        searches = chart_searches(self._evidence.version, self._evidence.side)
        requests = [self._chart_request(search.kind, search, str(patient["id"])) for search in searches]
        encounter = next(search for search in searches if search.kind == "encounter")
        last = replace(encounter, further=(encounter.further[0], ("_count", "1")))
        requests.append(self._chart_request("encounter-last", last, str(patient["id"])))
        await asyncio.gather(*(self._ask(request) for request in requests))

    def _chart_request(self, probe: str, search: ChartSearch, patient: str) -> Request:
        resource_type = self._evidence.resource_type(search.kind)
        shown = f"GET {resource_type}?{search.patient}={{patient}}"
        if search.further:
            shown += f"&{shown_pairs(search.further)}"
        query = ((search.patient, patient), *search.further)
        return Request(probe, "GET", resource_type, shown, query=query, patient=patient)

    async def _counts(self) -> None:
        """`_count=1` where there is more than one to give."""
        requests = []
        for kind in _COUNTED_KINDS:
            resource_type = self._evidence.resource_type(kind)
            full = next((one for one in self._evidence.of(kind) if len(one.matches(resource_type)) > 1), None)
            if full is not None:
                search = ChartSearch(kind, "patient", (("_count", "1"),))
                requests.append(self._chart_request(f"count-{kind}", search, full.request.patient))
        if self._evidence.side == "server" and self._evidence.patients:
            query = (("patient", str(self._evidence.patients[0]["id"])),)
            shown = "GET MedicationStatement?patient={patient}"
            requests.append(Request("statement", "GET", "MedicationStatement", shown, query=query))
        await asyncio.gather(*(self._ask(request) for request in requests))

    async def _reads(self) -> None:
        requests = [Request("read-unknown", "GET", f"Patient/{UNKNOWN_ID}", "GET Patient/{unknown-id}")]
        for patient in self._evidence.patients[:1]:
            path = f"Patient/{quote(str(patient['id']), safe='')}"
            requests.append(Request("read-patient", "GET", path, "GET Patient/{id}", patient=str(patient["id"])))
        await asyncio.gather(*(self._ask(request) for request in requests))

    async def _resources(self) -> None:
        """One resource of every kind of the chart, by its id (interface §3)."""
        paths = {}
        for search in chart_searches(self._evidence.version, self._evidence.side):
            ids = [one["id"] for one in self._evidence.resources(search.kind) if isinstance(one.get("id"), str)]
            if ids:
                paths[self._evidence.resource_type(search.kind)] = min(ids)
        await asyncio.gather(
            *(
                self._ask(Request("read", "GET", f"{name}/{quote(one, safe='')}", f"GET {name}/{{id}}"))
                for name, one in paths.items()
            )
        )

    async def _references(self) -> None:
        """What resources point to where the app reads a display: one of every type."""
        kinds = ("patient", "encounter", "medication")
        paths: dict[str, str] = {}
        for resource in (one for kind in kinds for one in self._evidence.resources(kind)):
            for path in filter(None, map(self._side.below, _references(resource))):
                name, _, rest = path.partition("/")
                if rest and "/" not in rest and name.isalpha():
                    paths[name] = min(paths.get(name, path), path)
        await asyncio.gather(
            *(
                self._ask(Request("reference", "GET", path, f"GET {name}/{{referenced-id}}"))
                for name, path in sorted(paths.items())
            )
        )

    async def _batch(self) -> None:
        """One patient's chart in one batch (interface §3)."""
        for patient in self._evidence.patients[:1]:
            urls = [f"Patient/{quote(str(patient['id']), safe='')}"]
            for search in chart_searches(self._evidence.version, self._evidence.side):
                query = urlencode(((search.patient, str(patient["id"])), *search.further), safe=":")
                urls.append(f"{self._evidence.resource_type(search.kind)}?{query}")
            body = {
                "resourceType": "Bundle",
                "type": "batch",
                "entry": [{"request": {"method": "GET", "url": url}} for url in urls],
            }
            shown = f"POST batch of {len(urls)} GETs: the patient and the searches of the chart"
            await self._ask(Request("batch", "POST", "", shown, body=body, patient=str(patient["id"])))


def mrn(patients: Iterable[Resource], mrn_system: str | None) -> str | None:
    """A medical record number of the sample: typed MR, else of the tenant's MRN system, else any identifier."""
    paths = ["identifier.where(type.coding.code='MR').value"]
    if mrn_system:
        paths.append(f"identifier.where(system='{mrn_system}').value")
    paths.append("identifier.value")
    held = list(patients)
    return next((value for path in paths if (value := _first(held, path))), None)


def _patients(probe: str, pairs: Pairs, *, by_post: bool) -> Request:
    shown = shown_pairs(pairs)
    if by_post:
        return Request(probe, "POST", "Patient/_search", f"POST Patient/_search {shown}", form=pairs)
    return Request(probe, "GET", "Patient", f"GET Patient?{shown}", query=pairs)


def _first(patients: Iterable[Resource], path: str) -> str | None:
    return next((value for patient in patients for value in values(patient, path) if isinstance(value, str)), None)


def _part(patients: Iterable[Resource], path: str) -> str | None:
    """All but the first letter of the first name that is long enough: found only where a search looks inside."""
    names = (value for patient in patients for value in values(patient, path) if isinstance(value, str))
    return next((name[1:] for name in names if len(name) > _LEAST_LETTERS and name.isalpha()), None)


def _references(resource: Resource) -> list[str]:
    found = [value for path in _REFERENCES for value in values(resource, path)]
    return [value for value in found if isinstance(value, str) and not value.startswith(("#", "urn:"))]
