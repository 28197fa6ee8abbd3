"""One event for every access to a FHIR resource.

No event holds a patient's data. Patients stand in it as keyed hashes: who knows a patient's id can compute the hash
(`python -m gateway audit patient-hash`) and find who looked at that patient; nobody can go the other way.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
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


@dataclass(slots=True, kw_only=True)
class Access:
    """The facts of one request to the FHIR route, or of one entry of its batch, filled in as they become known."""

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
        timing = access.timing
        if timing is not None:
            self._traffic.record(access.status, timing.seconds)
        if not _log.isEnabledFor(logging.INFO):
            return
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
            hashes, left_out = await self._hashes(access.tenant, access.patients)
            if hashes:
                facts["patients"] = " ".join(hashes)
            if left_out:
                facts["patients_left_out"] = left_out
        if timing is not None:
            for hop, name in _HOP_FACTS:
                facts[name] = round(timing.seconds.get(hop, 0.0) * 1000, 2)
            facts["total_ms"] = round(timing.total() * 1000, 2)
        # Logger.info would look for its caller on the stack, which is always this line.
        _log.handle(logging.makeLogRecord(_RECORD | facts))

    async def _hashes(self, tenant: Tenant, patients: Iterable[str]) -> tuple[list[str], int]:
        ids = list(dict.fromkeys(patients))
        try:
            pepper = await self._pepper()
        except Exception:  # noqa: BLE001  # whatever is wrong with the secret store, the request goes on
            return [], len(ids)
        shown = ids[:MOST_PATIENTS]
        return patient_hashes(pepper, tenant.tenant_id, shown), len(ids) - len(shown)
