from collections.abc import Mapping

import orjson
import pytest

from gateway.errors import FhirError, UpstreamBroken
from gateway.manage.checks import Checks, Unreachable
from gateway.manage.trials import Trials
from gateway.registry import Tenant
from gateway.registry.models import HeaderAuth
from gateway.secrets import FileSecretStore
from gateway.settings import Settings
from gateway.upstream import UpstreamResponse
from gateway.versions import FhirVersion

STATEMENT = {"resourceType": "Conformance", "fhirVersion": "1.0.2", "publisher": "Cerner"}
BUNDLE = {"resourceType": "Bundle", "type": "searchset"}
TENANT = Tenant(
    tenant_id="11111111-2222-4333-8444-555555555555",
    name="North Clinic",
    fhir_url="https://ehr.example/fhir",
    fhir_version=FhirVersion.R4,
)


class Server:
    """Answers by path: JSON with status 200, a status, or an error."""

    def __init__(self, metadata: object, patients: object = BUNDLE) -> None:
        self._answers = {"metadata": metadata, "Patient?_count=1": patients}
        self.asked: list[str] = []

    async def send(
        self, _tenant: Tenant, method: str, path_and_query: str, headers: Mapping[str, str]
    ) -> UpstreamResponse:
        assert method == "GET"
        assert "json" in headers["accept"]
        self.asked.append(path_and_query)
        answer = self._answers[path_and_query]
        if isinstance(answer, FhirError):
            raise answer
        if isinstance(answer, int):
            return UpstreamResponse(answer, {}, b"")
        return UpstreamResponse(200, {}, answer if isinstance(answer, bytes) else orjson.dumps(answer))


def trials(server: Server, settings: Settings, secrets: FileSecretStore) -> Trials:
    return Trials(Checks(settings.model_copy(update={"allow_private_upstreams": True}), secrets, server), server)


async def test_a_server_tells_what_it_is(settings: Settings, secrets: FileSecretStore) -> None:
    found = await trials(Server(STATEMENT), settings, secrets).discover(TENANT)
    assert (found.version, found.system, found.locked) == (FhirVersion.DSTU2, "oracle", False)


@pytest.mark.parametrize("status", [401, 403])
async def test_hidden_metadata_is_no_failure(settings: Settings, secrets: FileSecretStore, status: int) -> None:
    azure = TENANT.model_copy(update={"fhir_url": "https://x.fhir.azurehealthcareapis.com"})
    found = await trials(Server(status), settings, secrets).discover(azure)
    assert (found.version, found.system, found.locked) == (None, "azure", True)


@pytest.mark.parametrize("answer", [404, 500, b"<html>", {"no": "version"}, UpstreamBroken("It cannot be reached.")])
async def test_what_is_no_fhir_server_is_said(settings: Settings, secrets: FileSecretStore, answer: object) -> None:
    with pytest.raises(Unreachable):
        await trials(Server(answer), settings, secrets).discover(TENANT)


@pytest.mark.parametrize(
    ("patients", "state", "passed"),
    [
        (BUNDLE, "pass", True),
        (400, "warn", True),
        (422, "warn", True),
        (401, "fail", False),
        (403, "fail", False),
        (404, "fail", False),
        (503, "fail", False),
        (b"<html>", "fail", False),
        ({"resourceType": "OperationOutcome"}, "fail", False),
        (UpstreamBroken("The FHIR server cannot be reached."), "fail", False),
    ],
)
async def test_a_search_shows_whether_the_gateway_gets_in(
    settings: Settings, secrets: FileSecretStore, patients: object, state: str, passed: bool
) -> None:
    trial = await trials(Server(STATEMENT, patients), settings, secrets).run(TENANT)
    assert [step.state for step in trial.steps] == ["pass", "pass", state]
    assert trial.passed is passed
    assert trial.tenant.fhir_version is FhirVersion.DSTU2


async def test_nothing_is_asked_with_a_secret_that_is_not_there(settings: Settings, secrets: FileSecretStore) -> None:
    server = Server(STATEMENT)
    tenant = TENANT.model_copy(update={"auth": HeaderAuth(name="X-Key", secret="not-there")})
    trial = await trials(server, settings, secrets).run(tenant)
    assert [(step.name, step.state) for step in trial.steps] == [
        ("inputs", "fail"),
        ("metadata", "skipped"),
        ("patients", "skipped"),
    ]
    assert (trial.steps[0].field, trial.passed, server.asked) == ("auth.secret", False, [])


async def test_a_version_that_nobody_speaks_ends_the_trial(settings: Settings, secrets: FileSecretStore) -> None:
    server = Server(STATEMENT | {"fhirVersion": "5.0.0"})
    trial = await trials(server, settings, secrets).run(TENANT)
    assert [step.state for step in trial.steps] == ["pass", "fail", "skipped"]
    assert server.asked == ["metadata"]
