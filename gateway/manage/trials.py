"""A hospital before it is one: what its FHIR server says of itself, and whether the gateway gets in."""

import time
from dataclasses import dataclass
from typing import Literal

import orjson

from gateway.errors import FhirError, Invalid
from gateway.manage.checks import Asks, Checks, Locked, Unreachable, stated_release
from gateway.registry import Tenant
from gateway.registry.models import NoAuth
from gateway.upstream import UpstreamResponse
from gateway.upstream.detection import software_of, system_of
from gateway.upstream.systems import accept
from gateway.versions import FhirVersion

_OK = 200
_UNAUTHORISED = (401, 403)
_SERVER_ERRORS = 500
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a server's metadata says. `version` is absent when it is `locked`: shown to those with a credential only.

    `system` is empty when it cannot be told, `software` is for people to read.
    """

    version: FhirVersion | None
    system: str
    software: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trial; `text` says what was found or what to do, in words for the operator."""

    name: Literal["inputs", "metadata", "patients"]
    state: Literal["pass", "warn", "fail", "skipped"]
    text: str = ""
    milliseconds: float = 0.0
    field: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """`tenant` with the version that the server states, where it does."""

    tenant: Tenant
    steps: tuple[Step, ...]
    discovery: Discovery | None = None

    @property
    def passed(self) -> bool:
        return not any(step.state in ("fail", "skipped") for step in self.steps)


class Trials:
    """Asks FHIR servers on behalf of tenants that need not be registered yet. Only reads."""

    def __init__(self, checks: Checks, upstream: Asks) -> None:
        self._checks = checks
        self._upstream = upstream

    async def discover(self, tenant: Tenant) -> Discovery:
        """Ask without the credential. Raises Invalid, which names the field, and Unreachable."""
        tenant = tenant.model_copy(update={"auth": NoAuth()})
        await self._checks.address("fhir_url", tenant.fhir_url)
        try:
            statement = await self._checks.statement(tenant)
        except Locked:
            return Discovery(None, system_of(None, tenant.fhir_url), locked=True)
        return Discovery(stated_release(statement), system_of(statement, tenant.fhir_url), software_of(statement))

    async def run(self, tenant: Tenant) -> Trial:
        """Addresses and secrets, then metadata, then one patient, each only when the one before it succeeded.

        Raises StorageUnavailable when the secret store does not answer, and nothing for what the server does.
        """
        steps: list[Step] = []
        discovery = None
        try:
            await self._checks.inputs(tenant)
            steps.append(Step("inputs", "pass"))
            began = time.perf_counter()
            statement = await self._checks.statement(tenant)
            found = stated_release(statement)
            taken = (time.perf_counter() - began) * 1000
            discovery = Discovery(found, system_of(statement, tenant.fhir_url), software_of(statement))
            tenant = tenant.model_copy(update={"fhir_version": found})
            steps.append(Step("metadata", "pass", f"FHIR {statement['fhirVersion']}", taken))
            steps.append(await self._patients(tenant))
        except Invalid as error:
            name: Literal["inputs", "metadata"] = "metadata" if steps else "inputs"
            steps.append(Step(name, "fail", error.public, field=error.field))
        except Unreachable as error:
            steps.append(Step("metadata", "fail", str(error)))
        order: tuple[Literal["inputs", "metadata", "patients"], ...] = ("inputs", "metadata", "patients")
        steps += [Step(name, "skipped") for name in order[len(steps) :]]
        return Trial(tenant, tuple(steps), discovery)

    async def _patients(self, tenant: Tenant) -> Step:
        began = time.perf_counter()
        try:
            answer = await self._upstream.send(tenant, "GET", "Patient?_count=1", {"accept": accept(tenant)})
        except FhirError as error:
            return Step("patients", "fail", error.public)
        state, text = _judged(answer)
        return Step("patients", state, text, (time.perf_counter() - began) * 1000)


def _judged(answer: UpstreamResponse) -> tuple[Literal["pass", "warn", "fail"], str]:
    status = answer.status
    if status == _OK:
        try:
            bundle = orjson.loads(answer.body)
        except ValueError:
            bundle = None
        if isinstance(bundle, dict) and bundle.get("resourceType") == "Bundle":
            return "pass", ""
        return "fail", "A search of patients was answered with something that is no FHIR Bundle in JSON."
    if status in _UNAUTHORISED:
        return "fail", f"The server refused the credential (status {status}): check it, and what it is allowed to read."
    if status == _NOT_FOUND or status >= _SERVER_ERRORS:
        return "fail", f"A search of patients was answered with status {status}."
    # Some servers search patients by name or identifier only.
    return "warn", f"The credential was taken, but a search of all patients was refused (status {status})."
