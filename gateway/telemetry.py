"""Log events for machines: one JSON object a line, and one event for every access to a FHIR resource.

No event holds a patient's data. Patients stand in it as keyed hashes: who knows a patient's id can compute the hash
(`python -m gateway audit patient-hash`) and find who looked at that patient; nobody can go the other way.
"""

import hashlib
import hmac
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from gateway.exchange import HOPS, Timing
from gateway.registry import Tenant
from gateway.registry.secret_values import Pepper
from gateway.settings import Settings

type Pairs = Iterable[tuple[str, str]]

ACCESS_LOGGER = "gateway.access"
MOST_PATIENTS = 100
"""In one event: Application Insights cuts a property off after 8192 characters."""

_PURPOSE = "patient id"
_HASH_LENGTH = 32
_PATIENT_PARAMETERS = ("patient", "subject", "beneficiary")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_log = logging.getLogger(ACCESS_LOGGER)


class JsonFormatter(logging.Formatter):
    """A record and its `extra` as one line of JSON. Of an exception only the type and where it came from."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        event |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[0]:
            # An exception's own text may quote what a hospital sent.
            event["exception"] = record.exc_info[0].__name__
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                event["where"] = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        return json.dumps(event, ensure_ascii=False, default=str)


class _GatewayHandler(logging.StreamHandler[Any]):
    """Told apart from handlers of others, so that configuring twice adds no second one."""


def configure_logging(settings: Settings) -> None:
    """Let the service's loggers write at `LOG_LEVEL`. Where no Application Insights collects them, they go to standard
    error as JSON. Calling it again only changes the level.
    """
    logger = logging.getLogger("gateway")
    logger.setLevel(settings.log_level)
    if settings.applicationinsights_connection_string is not None:
        return  # the worker's own handler takes records, with their `extra`, to Application Insights
    if not any(isinstance(handler, _GatewayHandler) for handler in logger.handlers):
        handler = _GatewayHandler(sys.stderr)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)


def patient_hash(pepper: Pepper, tenant_id: str, patient_id: str, version: str | None = None) -> str:
    """What access events say instead of the id that a tenant's FHIR server gave a patient: 32 hexadecimal digits, keyed
    with the pepper of that version (absent: the newest). The same patient of another tenant has another hash.
    """
    key = pepper.derived(_PURPOSE, version or pepper.newest)
    return _hash(key, tenant_id, patient_id)


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

    def about(self, interaction: str, resource_type: str) -> None:
        self.interaction, self.resource_type = interaction, resource_type

    def shows(self, resource_id: str, pairs: Pairs, resource: object) -> None:
        """What was asked for, and what is answered: decoded search parameters, the resource as JSON."""
        self.patients = patients_of(self.resource_type, resource_id, pairs, resource)
        if isinstance(resource, Mapping) and resource.get("resourceType") == "Bundle":
            entries = resource.get("entry")
            self.count = len(entries) if isinstance(entries, list) else 0

    def of_entry(self, number: int) -> "Access":
        """For an entry of this batch: the same caller and correlation id."""
        return replace(self, entry=number, timing=None, patients=[])


class AccessLog:
    """Writes the access events. Never fails a request: without a pepper, patients are left out and that is said."""

    def __init__(self, pepper: Callable[[], Awaitable[Pepper]]) -> None:
        self._pepper = pepper

    async def write(self, access: Access) -> None:
        hashes, left_out = await self._hashes(access.tenant, access.patients)
        facts: dict[str, object] = {
            "event": "fhir-access",
            "client_id": access.client_id,
            "credential": access.credential,
            "tenant": access.tenant.tenant_id if access.tenant else "",
            "face": access.face,
            "interaction": access.interaction,
            "resource_type": access.resource_type,
            "status": access.status,
            "count": access.count,
            "entry": access.entry,
            "patients": " ".join(hashes) or None,
            "patients_left_out": left_out or None,
            "correlation_id": access.correlation_id,
        }
        if (timing := access.timing) is not None:
            durations = {hop: timing.seconds.get(hop, 0.0) for hop in HOPS} | {"total": timing.total()}
            facts |= {f"{hop}_ms": round(seconds * 1000, 2) for hop, seconds in durations.items()}
        _log.info("fhir access", extra={name: value for name, value in facts.items() if value is not None})

    async def _hashes(self, tenant: Tenant | None, patients: Iterable[str]) -> tuple[list[str], int]:
        ids = list(dict.fromkeys(patients))
        if tenant is None or not ids:
            return [], 0
        try:
            pepper = await self._pepper()
        except Exception:  # noqa: BLE001  # whatever is wrong with the secret store, the request goes on
            return [], len(ids)
        key = pepper.derived(_PURPOSE, pepper.newest)
        shown = ids[:MOST_PATIENTS]
        return [_hash(key, tenant.tenant_id, patient) for patient in shown], len(ids) - len(shown)


def patients_of(resource_type: str, resource_id: str, pairs: Pairs, resource: object) -> list[str]:
    """Ids of the patients that an access is about: the one that is read, those that a search names, and those whose
    Patient resources or references to them are in what was answered.
    """
    found: dict[str, None] = {}
    if resource_type == "Patient" and resource_id:
        found[resource_id] = None
    for name, value in pairs:
        plain = name.partition(":")[0]
        if plain in _PATIENT_PARAMETERS or (plain == "_id" and resource_type == "Patient"):
            typed = name.partition(":")[2]
            for part in value.split(","):
                if plain in ("_id", "patient") or typed == "Patient" or "Patient/" in part:
                    found |= dict.fromkeys(_id(part))
    literals: dict[str, None] = {}
    for answered in _resources(resource):
        if answered.get("resourceType") == "Patient":
            found |= dict.fromkeys(_id(str(answered.get("id", ""))))
        literals |= dict.fromkeys(_patient_references(answered))
    for literal in literals:
        found |= dict.fromkeys(_id(literal))
    return list(found)


def _patient_references(resource: Mapping[str, Any]) -> list[str]:
    held = [resource.get(member) for member in _PATIENT_PARAMETERS]
    literals = [str(reference.get("reference", "")) for reference in held if isinstance(reference, dict)]
    return [literal for literal in literals if "Patient/" in literal]


def _resources(resource: object) -> list[Mapping[str, Any]]:
    if not isinstance(resource, Mapping):
        return []
    entries = resource.get("entry")
    if resource.get("resourceType") != "Bundle" or not isinstance(entries, list):
        return [resource]
    held = [entry.get("resource") for entry in entries if isinstance(entry, dict)]
    return [item for item in held if isinstance(item, dict)]


def _id(reference: str) -> list[str]:
    """The logical id in `Patient/ID`, `Patient/ID/_history/1`, a URL that ends so, or a bare id."""
    below = reference.rpartition("Patient/")[2].partition("/")[0].strip()
    return [below] if below else []


def _hash(key: bytes, tenant_id: str, patient_id: str) -> str:
    return hmac.digest(key, f"{tenant_id}\n{patient_id}".encode(), hashlib.sha256).hex()[:_HASH_LENGTH]
