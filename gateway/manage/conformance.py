"""The check as an operation of the management API: bounded, since someone waits for the answer."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from gateway.errors import UpstreamTimeout
from gateway.pipeline import FhirEndpoint
from gateway.registry import Tenant
from gateway.secrets import SecretStore
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.conformance import Report
    from gateway.conformance.page import Say

# The Functions host ends a request after 230 s.
MOST_SECONDS = 200
_OPTIONS_SECONDS = 10
# Some 200 KB each.
_REMEMBERED = 20


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


@dataclass(frozen=True, slots=True)
class CheckFiles:
    """One report: as data, and as an HTML file that needs nothing else."""

    report: CheckReport
    made: "Report"
    _pages: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def html(self, language: str, say: "Say") -> str:
        """The file in that language (BCP 47), into which `say` puts the report's English; made once a language."""
        from gateway.conformance.page import to_html  # noqa: PLC0415  # Jinja2, which most processes never need

        if language not in self._pages:
            self._pages[language] = to_html(self.made, language, say)
        return self._pages[language]


class TenantChecks:
    """Checks tenants with the parts of the running service."""

    def __init__(self, settings: Settings, secrets: SecretStore, endpoint: FhirEndpoint) -> None:
        self._settings = settings
        self._secrets = secrets
        self._endpoint = endpoint
        self._last: OrderedDict[str, CheckFiles] = OrderedDict()

    async def run(self, tenant: Tenant) -> CheckReport:
        """The report, without patients' values. Raises UpstreamTimeout when it takes more than MOST_SECONDS."""
        return _document(await self._report(tenant))

    async def run_to_files(self, tenant: Tenant) -> CheckFiles:
        """As `run`, and as an HTML file; remembered for `last`. Raises UpstreamTimeout."""
        report = await self._report(tenant)
        files = self._last[tenant.tenant_id] = CheckFiles(_document(report), report)
        self._last.move_to_end(tenant.tenant_id)
        while len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        return files

    def last(self, tenant_id: str) -> CheckFiles | None:
        """What this instance found last, while it remembers it."""
        return self._last.get(tenant_id)

    async def _report(self, tenant: Tenant) -> "Report":
        # Imported here: much code, which most processes never run.
        from gateway.conformance import Options, check_tenant  # noqa: PLC0415

        options = Options(timeout_seconds=_OPTIONS_SECONDS)
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await check_tenant(tenant, self._settings, self._secrets, self._endpoint, options)
        except TimeoutError:
            text = f"The check took more than {MOST_SECONDS} s; run `python -m gateway check` instead."
            raise UpstreamTimeout(text) from None


def _document(report: "Report") -> CheckReport:
    from gateway.conformance import to_document  # noqa: PLC0415  # as above

    return CheckReport.model_validate(to_document(report))
