"""The check as an operation of the management API: bounded, since someone waits for the answer."""

import asyncio
from typing import Any, Literal

from pydantic import BaseModel, Field

from gateway.conformance.document import to_document
from gateway.conformance.run import Options, check_tenant
from gateway.errors import UpstreamTimeout
from gateway.pipeline import FhirEndpoint
from gateway.registry import Tenant
from gateway.secrets import SecretStore
from gateway.settings import Settings

# The Functions host ends a request after 230 s.
MOST_SECONDS = 200
_OPTIONS_SECONDS = 10


class CheckReport(BaseModel):
    """Would the Patients app work with this tenant's FHIR server? docs/conformance.md describes every field."""

    version: Literal[1]
    verdict: Literal["pass", "warn", "fail"]
    counts: dict[str, int]
    subject: dict[str, str]
    checks: list[dict[str, Any]] = Field(description="One object for each check, in the order of the run")
    system: dict[str, Any] = Field(description="What the server can do, and the dialect profile that fits")
    requests: dict[str, int]
    timing: dict[str, Any] = Field(description="All that differs between two runs on the same server")


class TenantChecks:
    """Checks tenants with the parts of the running service."""

    def __init__(self, settings: Settings, secrets: SecretStore, endpoint: FhirEndpoint) -> None:
        self._settings = settings
        self._secrets = secrets
        self._endpoint = endpoint

    async def run(self, tenant: Tenant) -> CheckReport:
        """The report, without patients' values. Raises UpstreamTimeout when it takes more than MOST_SECONDS."""
        options = Options(timeout_seconds=_OPTIONS_SECONDS)
        try:
            async with asyncio.timeout(MOST_SECONDS):
                report = await check_tenant(tenant, self._settings, self._secrets, self._endpoint, options)
        except TimeoutError:
            text = f"The check took more than {MOST_SECONDS} s; run `python -m gateway check` instead."
            raise UpstreamTimeout(text) from None
        return CheckReport.model_validate(to_document(report))
