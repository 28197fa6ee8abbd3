"""The rows of the table: what is called, and which program does the work."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass

from jwt.algorithms import ECAlgorithm

from bench.load import Call
from bench.programs import HERE, Programs
from bench.resources import PATIENT
from bench.tenants import R4_TENANT, SLOW_TENANT, STU3_TENANT, Gateway, set_up
from local.function_host import HostName
from local.patients_app import chart_requests
from local.places import REPOSITORY
from local.ports import free_port
from local.processes import Running

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_READ = f"Patient/{PATIENT}"
_SEARCH = f"Observation?patient={PATIENT}&category=vital-signs"


@dataclass(frozen=True)
class Subject:
    """A row: `call` (which takes a file of tokens where `fresh`) loads `program`."""

    name: str
    program: Running
    call: Call
    fresh: bool = False


@dataclass(frozen=True)
class Site:
    """Everything that runs, and the rows that can be measured."""

    gateway: Gateway
    upstream: str
    programs: dict[str, Running]
    subjects: list[Subject]
    token: str
    """For the R4 tenant."""


@dataclass(frozen=True)
class Row:
    """What a row is called in the table, and the program whose work it shows."""

    title: str
    program: str


ROWS = {
    "noop": Row("empty function on the same host", "noop"),
    "same_size": Row("function that takes and sends what a token takes", "noop"),
    "direct": Row("2 KB read, straight from the upstream", "upstream"),
    "nginx": Row("2 KB read, nginx as a plain proxy", "nginx"),
    "read_pass_through": Row("2 KB read, pass-through function", "pass_through"),
    "node_read": Row("2 KB read, Node peer, token reused", "node"),
    "node_read_fresh": Row("2 KB read, Node peer, fresh token each", "node"),
    "node_token": Row("token, Node peer", "node"),
    "metadata": Row("capability statement", "gateway"),
    "token": Row("token", "gateway"),
    "token_anew": Row("token, each for a scope of its own", "gateway"),
    "read": Row("2 KB read, token reused", "gateway"),
    "read_fresh": Row("2 KB read, fresh token each", "gateway"),
    "adapted_read": Row("2 KB read, R4 shown as STU3", "gateway"),
    "search_direct": Row("searchset of 200, straight from the upstream", "upstream"),
    "search_nginx": Row("searchset of 200, nginx", "nginx"),
    "search_pass_through": Row("searchset of 200, pass-through function", "pass_through"),
    "search": Row("searchset of 200", "gateway"),
    "batch": Row("the app's batch of 7, upstream at once", "gateway"),
    "batch_slow": Row("the app's batch of 7, upstream after 100 ms", "gateway"),
}


def start_site(programs: Programs, host: HostName, wanted: Collection[str], report: Callable[[str], None]) -> Site:
    """Start upstream and gateway, and what else the rows `wanted` need."""
    report("starting what is measured…")
    needed = {ROWS[name].program for name in wanted}
    upstream_program, upstream = programs.upstream()
    port = free_port()
    gateway = set_up(programs.folder, port, programs.azurite(), upstream)
    running = {"upstream": upstream_program}
    running["gateway"], _ = programs.function_app(host, REPOSITORY, gateway.environment, "/health/ready", port)
    urls = {"upstream": upstream}
    if "noop" in needed:
        running["noop"], urls["noop"] = programs.function_app(host, HERE / "noop", {}, "/api/noop")
    if "pass_through" in needed:
        running["pass_through"], urls["pass_through"] = programs.function_app(
            host, HERE / "pass_through", {"UPSTREAM": upstream}, f"/api/r4/{_READ}"
        )
    if "node" in needed:
        running["node"], urls["node"] = programs.peer(_peer_settings(gateway, f"{upstream}/r4"))
    if "nginx" in needed and (nginx := programs.nginx(upstream)):
        running["nginx"], urls["nginx"] = nginx
    elif "nginx" in needed:
        report("nginx is not installed: its rows are left out (apt install nginx-light)")
    token = gateway.draw_token(R4_TENANT)
    calls = _calls(gateway, token, urls)
    subjects = [
        Subject(name, running[row.program], calls[name], name.endswith("_fresh"))
        for name, row in ROWS.items()
        if name in wanted and row.program in running
    ]
    return Site(gateway, upstream, running, subjects, token)


def _calls(gateway: Gateway, token: str, urls: dict[str, str]) -> dict[str, Call]:
    """The calls of the rows; those of programs that do not run lead nowhere."""
    bearer = {"Authorization": f"Bearer {token}"}
    form = gateway.form(R4_TENANT)
    fhir, token_url = f"{gateway.base_url}/fhir", f"{gateway.base_url}/oauth2/token"
    noop, node, nginx, through = (urls.get(name, "") for name in ("noop", "node", "nginx", "pass_through"))
    upstream = urls["upstream"]
    return {
        "noop": Call(f"{noop}/api/noop"),
        "same_size": Call(f"{noop}/api/same_size", "POST", _FORM, form),
        "direct": Call(f"{upstream}/r4/{_READ}"),
        "nginx": Call(f"{nginx}/r4/{_READ}"),
        "read_pass_through": Call(f"{through}/api/r4/{_READ}"),
        "node_read": Call(f"{node}/fhir/{_READ}", headers=bearer),
        "node_read_fresh": Call(f"{node}/fhir/{_READ}"),
        "node_token": Call(f"{node}/oauth2/token", "POST", _FORM, form),
        "metadata": Call(f"{fhir}/r4/metadata"),
        "token": Call(token_url, "POST", _FORM, form),
        "token_anew": Call(token_url, "POST", _FORM, form, scopes=True),
        "read": Call(f"{fhir}/r4/{_READ}", headers=bearer),
        "read_fresh": Call(f"{fhir}/r4/{_READ}"),
        "adapted_read": Call(f"{fhir}/stu3/MedicationRequest/medication-request-1", headers=bearer),
        "search_direct": Call(f"{upstream}/r4/{_SEARCH}"),
        "search_nginx": Call(f"{nginx}/r4/{_SEARCH}"),
        "search_pass_through": Call(f"{through}/api/r4/{_SEARCH}"),
        "search": Call(f"{fhir}/r4/{_SEARCH}", headers=bearer),
        "batch": _batch(gateway, STU3_TENANT),
        "batch_slow": _batch(gateway, SLOW_TENANT),
    }


def _batch(gateway: Gateway, tenant_id: str) -> Call:
    """What the app asks in one batch when a patient is opened: local/patients_app.py."""
    urls = chart_requests("stu3", PATIENT)
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    body = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})
    headers = {
        "Authorization": f"Bearer {gateway.draw_token(tenant_id)}",
        "Content-Type": "application/fhir+json",
        "Accept": "application/fhir+json",
    }
    return Call(f"{gateway.base_url}/fhir/stu3", "POST", headers, body, entries=len(urls))


def _peer_settings(gateway: Gateway, upstream: str) -> dict[str, object]:
    """The peer takes the gateway's own tokens, so that both check the very same ones."""
    key = gateway.signing_key()
    return {
        "issuer": gateway.environment["PUBLIC_BASE_URL"],
        "audience": f"{gateway.environment['PUBLIC_BASE_URL']}/fhir",
        "jwk": {**ECAlgorithm.to_jwk(key.private_key, as_dict=True), "kid": key.kid},
        "client_id": gateway.client_id,
        "client_secret": gateway.client_secret,
        "scope": R4_TENANT,
        "upstream": upstream,
    }
