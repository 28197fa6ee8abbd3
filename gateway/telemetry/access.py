"""One event for every access to a FHIR resource.

No event holds a patient's data. Patients stand in it as keyed hashes: who knows a patient's id can compute the hash
(`python -m gateway audit patient-hash`) and find who looked at that patient; nobody can go the other way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.exchange import HOPS, Timing
from gateway.registry import Tenant
from gateway.registry.secret_values import Pepper
from gateway.telemetry.patients import Pairs, patient_hashes, patients_of
from gateway.traffic import Traffic
from gateway.versions.type_names import ANY_RELEASE

ACCESS_LOGGER = "gateway.access"
MOST_PATIENTS = 100
"""In one event: Application Insights cuts a property off after 8192 characters."""

_log = logging.getLogger(ACCESS_LOGGER)
_RECORD: dict[str, object] = {
    "name": ACCESS_LOGGER,
    "levelno": logging.INFO,
    "levelname": logging.getLevelName(logging.INFO),
    "msg": "fhir access",
    "pathname": __file__,
    "filename": Path(__file__).name,
    "module": Path(__file__).stem,
    "funcName": "write",
}
_HOP_FACTS = tuple((hop, f"{hop}_ms") for hop in HOPS)


@dataclass(slots=True, kw_only=True, repr=False)
class Access:
    """The facts of one request to the FHIR route, or of one entry of its batch, filled in as they become known.

    Without a `repr`: it holds patients' ids, and asyncio logs what a callback that fails was called with.
    """

    correlation_id: str
    face: str
    timing: Timing | None = None
    client_id: str = ""
    credential: str = ""
    tenant: Tenant | None = None
    interaction: str = ""
    resource_type: str = ""
    status: int = 0
    count: int | None = None
    """Entries of the Bundle that was answered."""
    entry: int | None = None
    """Which entry of the batch, counted from 0; the batch as a whole has an event of its own, without it."""
    patients: list[str] = field(default_factory=list)

    def caller(self, client_id: str, credential: str, tenant: Tenant) -> None:
        self.client_id, self.credential, self.tenant = client_id, credential, tenant
        if self.timing is not None:
            self.timing.concerns(tenant.tenant_id, self.face)

    def about(self, interaction: str, resource_type: str) -> None:
        # A path's first segment is the caller's own word: only what FHIR has is repeated.
        known = not resource_type or resource_type in ANY_RELEASE
        self.interaction, self.resource_type = interaction, resource_type if known else "other"

    def shows(self, resource_id: str, pairs: Pairs, resource: object) -> None:
        """What was asked for, and what is answered: decoded search parameters, the resource as JSON."""
        if not _log.isEnabledFor(logging.INFO):
            return
        self.patients = patients_of(self.resource_type, resource_id, pairs, resource)
        if isinstance(resource, Mapping) and resource.get("resourceType") == "Bundle":
            entries = resource.get("entry")
            self.count = len(entries) if isinstance(entries, list) else 0

    def of_entry(self, number: int) -> "Access":
        """For an entry of this batch: the same caller and correlation id."""
        return replace(self, entry=number, timing=None, patients=[])


class AccessLog:
    """Writes the access events. Never fails a request: without a pepper, patients are left out and that is said."""

    def __init__(self, pepper: Callable[[], Awaitable[Pepper]], traffic: Traffic | None = None) -> None:
        self._pepper = pepper
        self._traffic = traffic or Traffic()

    async def write(self, access: Access) -> None:
        """Have the event written in the event loop's next turn, with those of all requests that end in this one: that
        takes half of the time that it takes amid a request (ADR 0016). `access` does not change any more.
        """
        timing, total = access.timing, 0.0
        if timing is not None:
            total = timing.total()
            self._traffic.record(access.status, timing.seconds)
        if _log.isEnabledFor(logging.INFO):
            pepper = await self._known_pepper() if access.patients else None
            # With the context of this request, by which the host and telemetry know whose line it is.
            asyncio.get_running_loop().call_soon(_write, access, total, pepper)

    async def _known_pepper(self) -> Pepper | None:
        try:
            return await self._pepper()
        except Exception:  # noqa: BLE001  # whatever is wrong with the secret store, the request goes on
            return None


def _write(access: Access, total: float, pepper: Pepper | None) -> None:
    facts: dict[str, object] = {
        "event": "fhir-access",
        "client_id": access.client_id,
        "credential": access.credential,
        "tenant": access.tenant.tenant_id if access.tenant else "",
        "face": access.face,
        "interaction": access.interaction,
        "resource_type": access.resource_type,
        "status": access.status,
        "correlation_id": access.correlation_id,
    }
    if access.count is not None:
        facts["count"] = access.count
    if access.entry is not None:
        facts["entry"] = access.entry
    if access.patients and access.tenant is not None:
        ids = list(dict.fromkeys(access.patients))
        shown = ids[:MOST_PATIENTS] if pepper else []
        if pepper:
            facts["patients"] = " ".join(patient_hashes(pepper, access.tenant.tenant_id, shown))
        if len(shown) < len(ids):
            facts["patients_left_out"] = len(ids) - len(shown)
    if access.timing is not None:
        seconds = access.timing.seconds
        for hop, name in _HOP_FACTS:
            facts[name] = round(seconds.get(hop, 0.0) * 1000, 2)
        facts["total_ms"] = round(total * 1000, 2)
    # Logger.info would look for its caller on the stack, which is always this line.
    _log.handle(logging.makeLogRecord(_RECORD | facts))
