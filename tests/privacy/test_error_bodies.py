"""Errors tell nobody more than they must: not what a hospital's server lets slip, not what the caller wrote."""

from collections.abc import AsyncIterator, Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
import pytest_asyncio

from gateway.upstream import circuit, transport
from tests.functions.harness import BASE_URL, FORM, Gateway, Recorder, open_gateway, recorder
from tests.privacy.every_process import recording

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENT = "Zebulon Quackenbush"
BORN = "1901-02-03"
TRACE = "at ca.uhn.fhir.Secret(Secret.java:12)"
TOLD = f"{PATIENT}, {BORN}: {TRACE}"
LOGGERS = ("gateway", "functions", "azure_functions_runtime", "aiohttp", "asyncio", "azure", "local")
PATHS = {
    "read": "/Patient/p1",
    "vread": "/Patient/p1/_history/1",
    "history": "/Patient/p1/_history",
    "search": "/Patient?family=x",
    "encounters": "/Encounter?patient=p1&_sort=-date&_count=1",
    "content": "/Binary/b1",
}
# What servers and the proxies before them say when something goes wrong; {url} is the server's own address.
STRANGE = {
    "html": ("text/html", f"<html><body><pre>{TOLD} {{url}}</pre></body></html>"),
    "text": ("text/plain", f"{TOLD} {{url}}"),
    "xml": ("application/fhir+xml", f"<OperationOutcome><text>{TOLD} {{url}}</text></OperationOutcome>"),
    "json": ("application/json", f'{{{{"error": "{TOLD}", "path": "{{url}}"}}}}'),
    "problem": ("application/problem+json", f'{{{{"detail": "{TOLD} {{url}}"}}}}'),
    "broken": ("application/fhir+json", f'{{{{"resourceType": "Patient", "name": "{TOLD} {{url}}"'),
    "list": ("application/fhir+json", f'["{TOLD} {{url}}"]'),
    "html as json": ("application/fhir+json", f"<html>{TOLD} {{url}}</html>"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(azurite_accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with open_gateway(next(azurite_accounts), tmp_path_factory.mktemp("keys"), LOG_LEVEL="DEBUG") as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[Recorder]:
    async with recorder() as running:
        yield running


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Path]:
    with recording.start(tmp_path / "records", "tests", ours=LOGGERS):
        yield tmp_path / "records"


def lines(logged: Path) -> str:
    (path,) = logged.glob("*.log")
    return path.read_text(encoding="utf-8")


def silent(text: str) -> bool:
    return not any(part in text for part in (PATIENT, BORN, TRACE, "Quackenbush", "<html"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second try, which would bring the same, and no pause after many failures, which would hide the rest."""
    monkeypatch.setattr(transport, "ATTEMPTS", 1)
    monkeypatch.setattr(circuit, "FAILURES", 1000)


@pytest.mark.parametrize("status", [200, 401, 404, 410, 500, 503])
async def test_what_is_no_fhir_is_never_handed_on(
    gateway: Gateway, server: Recorder, logged: Path, status: int
) -> None:
    tenant = await gateway.tenant(server.base)
    for (content_type, text), (kind, path) in product(STRANGE.values(), PATHS.items()):
        if kind == "content" and status == 200:
            continue  # a document is handed on as it is
        for target in {path, path.partition("?")[0]}:
            server.says(target, text.format(url=f"{server.base}{path}").encode(), status, content_type=content_type)
        answer = await gateway.ask(tenant, f"/fhir/r4{path}")
        assert answer.status >= 400, (path, text)
        assert answer.json["resourceType"] == "OperationOutcome"
        assert silent(answer.body.decode() + repr(answer.headers)), (path, text)
    urls = [path.removeprefix("/") for kind, path in PATHS.items() if kind != "content"]
    batch = await gateway.batch(tenant, "/r4", urls)
    assert all(int(entry["response"]["status"][:3]) >= 400 for entry in batch.json["entry"])
    assert silent(batch.body.decode() + repr(batch.headers))
    assert silent(lines(logged))
    assert "fhir access" in lines(logged)


@pytest.mark.parametrize("face", ["dstu2", "stu3", "r4"])
@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_servers_own_outcome_reaches_its_caller_without_its_address_and_never_a_log(
    gateway: Gateway, server: Recorder, logged: Path, face: str, status: int
) -> None:
    tenant = await gateway.tenant(server.base)
    text = f"{TOLD} {server.base}/Patient/p1 on {server.origin} ({server.origin.removeprefix('http://')})"
    issue = {"severity": "error", "code": "exception", "diagnostics": text, "details": {"text": text}}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue], "text": {"status": "generated", "div": text}}
    for target in {path.partition("?")[0] for path in PATHS.values()}:
        server.says(target, outcome, status, Location=f"{server.base}/secret", Set_Cookie="a=b", Server="Tomcat")
    for path in PATHS.values():
        # `ask` looks for the server's host in all that comes back.
        answer = await gateway.ask(tenant, f"/fhir/{face}{path}")
        assert answer.status == status
        assert answer.json["resourceType"] == "OperationOutcome"
        assert answer.headers.get("location", BASE_URL).startswith(BASE_URL)
    assert silent(lines(logged))


CANARY = "Quackenbush-1901-02-03"
WRITTEN = quote(CANARY)
PATHS_OF_CALLERS = [
    f"/fhir/r4/{WRITTEN}",
    f"/fhir/r4/Patient/{WRITTEN}!",
    f"/fhir/r4/Patient/p1/{WRITTEN}",
    f"/fhir/r4/Patient/p1/_history/{WRITTEN}!",
    f"/fhir/r4/Patient/${WRITTEN}",
    f"/fhir/r4/${WRITTEN}",
    f"/fhir/{WRITTEN}/Patient",
    f"/fhir/r4/Patient?_page={WRITTEN}",
    f"/fhir/r4/Patient?_page=s.{WRITTEN}",
    f"/fhir/r4/Patient?_format={WRITTEN}",
    f"/fhir/r4/Patient?birthdate={WRITTEN}",
    f"/fhir/r4/Patient?_count={WRITTEN}",
    f"/fhir/r4/Encounter?patient=p1&_sort={WRITTEN}",
    f"/fhir/r4/Observation?date={WRITTEN}",
    f"/fhir/dstu2/MedicationOrder?datewritten={WRITTEN}",
    f"/fhir/r4/Patient?name:{WRITTEN}=x",
    f"/fhir/r4/Patient?identifier=%00{WRITTEN}%ff",
    f"/fhir/stu3/Condition?clinical-status={WRITTEN}&patient={WRITTEN}",
]


@pytest.mark.parametrize("target", PATHS_OF_CALLERS, ids=lambda target: str(target).replace(CANARY, "…"))
@pytest.mark.parametrize("prefer", ["", "handling=strict"])
async def test_an_error_does_not_repeat_the_request(
    gateway: Gateway, server: Recorder, logged: Path, target: str, prefer: str
) -> None:
    tenant = await gateway.tenant(server.base)
    for method in ("GET", "DELETE"):
        answer = await gateway.ask(tenant, target, method=method, headers={"prefer": prefer} if prefer else None)
        if answer.status >= 400:
            assert CANARY not in answer.body.decode() + repr(answer.headers)
    assert answer.status >= 400
    assert CANARY not in lines(logged)


BATCHES: list[Any] = [
    CANARY,
    [CANARY],
    {"resourceType": CANARY},
    {"resourceType": "Bundle", "type": CANARY},
    {"resourceType": "Bundle", "type": "batch", "entry": CANARY},
    {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": CANARY, "url": "Patient/p1"}}]},
    *(
        {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": url}}]}
        for url in (
            CANARY,
            f"https://{CANARY}/Patient",
            f"//{CANARY}/Patient",
            f"http://[{CANARY}/",
            f"Patient/../{CANARY}",
            f"Patient?_page={CANARY}",
            f"Patient?_format={CANARY}",
        )
    ),
]


@pytest.mark.parametrize("body", BATCHES, ids=range(len(BATCHES)))
async def test_an_error_in_a_batch_does_not_repeat_it(
    gateway: Gateway, server: Recorder, logged: Path, body: object
) -> None:
    tenant = await gateway.tenant(server.base)
    headers = {"content-type": "application/fhir+json"}
    answer = await gateway.ask(tenant, "/fhir/r4", method="POST", headers=headers, body=orjson.dumps(body))
    statuses = [answer.status, *(int(one["response"]["status"][:3]) for one in answer.json.get("entry", []))]
    assert max(statuses) >= 400
    assert CANARY not in answer.body.decode() + repr(answer.headers)
    assert CANARY not in lines(logged)


@pytest.mark.parametrize(
    ("target", "headers", "form"),
    [
        ("/oauth2/token", {}, {"grant_type": CANARY}),
        ("/oauth2/token", {}, {"grant_type": "client_credentials", "client_id": CANARY, "client_secret": CANARY}),
        ("/oauth2/token", {"authorization": f"Basic {CANARY}"}, {"grant_type": "client_credentials"}),
        (
            "/oauth2/token",
            {},
            {
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": f"eyJhbGciOiJFUzI1NiJ9.{CANARY}.x",
            },
        ),
        ("/oauth2/token", {}, {"grant_type": "client_credentials", CANARY: "1", "scope": CANARY}),
        ("/oauth2/token", {"content-type": CANARY}, {"grant_type": "client_credentials"}),
        ("/oauth2/revoke", {}, {"token": CANARY, "client_id": CANARY}),
        ("/oauth2/authorize", {}, {"state": CANARY, "redirect_uri": f"https://{CANARY}.example"}),
        ("/fhir/r4/Patient/_search", {"authorization": f"Bearer {CANARY}"}, {"family": CANARY}),
        ("/fhir/r4/Patient/_search", {"authorization": f"{CANARY} {CANARY}"}, {"family": CANARY}),
        ("/fhir/r4/Patient/_search", {}, {"family": CANARY}),
        ("/fhir/r4/Patient/_search", {"x-request-id": f"{CANARY} {CANARY}", "accept": CANARY}, {"family": CANARY}),
        ("/manage/v1/tenants", {"authorization": f"Bearer {CANARY}"}, {"name": CANARY}),
        (f"/manage/v1/{CANARY}", {}, {"name": CANARY}),
        ("/portal/sign-in", {"cookie": f"session={CANARY}"}, {"code": CANARY}),
        (f"/portal/{CANARY}", {"cookie": f"session={CANARY}"}, {"csrf": CANARY}),
        (f"/{CANARY}", {}, {"family": CANARY}),
    ],
)
async def test_a_refusal_without_a_token_does_not_repeat_the_request(
    gateway: Gateway, logged: Path, target: str, headers: dict[str, str], form: dict[str, str]
) -> None:
    sent = {"content-type": FORM, **headers}
    answer = await gateway.caller.request("POST", target, headers=sent, body=urlencode(form).encode())
    assert answer.status >= 400 or answer.status in (302, 303)
    assert CANARY not in answer.body.decode() + repr(answer.headers)
    assert CANARY not in lines(logged)


async def test_a_defect_says_where_it_is_and_no_more(
    gateway: Gateway, server: Recorder, logged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError(f"Invalid isoformat string: {TOLD}")

    monkeypatch.setattr("gateway.fhir.visit.passed_headers", broken)
    tenant = await gateway.tenant(server.base)
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1")
    assert answer.status == 500
    assert silent(answer.body.decode() + repr(answer.headers))
    assert silent(lines(logged))
    assert "ValueError" in lines(logged)


async def test_what_another_tenant_has_is_not_even_hinted_at(gateway: Gateway, server: Recorder) -> None:
    """An id that only the other hospital has, and one that nobody has: the same answer but for its times and ids."""
    theirs = server
    async with recorder() as ours:
        theirs.says("/Patient/theirs", {"resourceType": "Patient", "id": "theirs", "name": [{"family": PATIENT}]})
        other, tenant = await gateway.tenant(theirs.base), await gateway.tenant(ours.base)
        assert (await gateway.ask(other, "/fhir/r4/Patient/theirs")).status == 200
        answers = [await gateway.ask(tenant, f"/fhir/r4/Patient/{one}") for one in ("theirs", "nobodys")]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].body == answers[1].body
    assert len(theirs.seen) == 1
