"""Everything that a caller can try, in any order."""

import asyncio
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, multiple, rule

from tests.isolation.hospitals import PATIENT
from tests.isolation.world import BASE_URL, Token, World, forged, spliced

FACES = ("", "/dstu2", "/stu3", "/r4")
TYPES = ("Patient", "Encounter", "Practitioner")
# In place of a link where an answer has none: how many there are must not depend on what was answered, since hypothesis
# takes up earlier sequences anew.
DEAD = f"{BASE_URL}/fhir/r4/Patient?_page=1.none"

_faces = st.sampled_from(FACES)
_numbers = st.integers(0, 2)
_apps = st.sampled_from(("all", "only-a", "b-and-c"))
# Where a request could be led astray; {b} is a hospital's FHIR base, {host} its host, {t} its tenant id.
_astray = st.sampled_from(
    (
        "Patient/../../r4c/Patient",
        "../../r4c/Patient",
        "..%2f..%2fr4c%2fPatient",
        "Patient/%2e%2e/%2e%2e/r4c/Patient/" + PATIENT,
        "Patient/..%252f..%252fr4c%252fPatient",
        "Patient%2F" + PATIENT,
        "Patient/" + PATIENT + "%00",
        "Patient\\" + PATIENT,
        "{b}/Patient/" + PATIENT,
        "//{host}/fhir/r4c/Patient",
        "http:{b}/Patient",
        "{t}/Patient",
        "Patient;tenant={t}",
        "r4c/Patient",
        "r4/r4/Patient",
        "?tenant={t}",
        "@{host}/Patient",
        "Patient/" + PATIENT + "@{host}",
        "Patient?_id={b}/Patient/" + PATIENT,
        "Patient?{b}",
        "Encounter?patient={b}/Patient/" + PATIENT,
        "Encounter?patient.organization.tenant={t}",
        "$everything?tenant={t}",
    )
)
_queries = st.sampled_from(
    (
        "",
        "?tenant={t}",
        "?scope={t}",
        "?tenant_id={t}&_count=1",
        "?access_token={token}",
        "?p=1",
        "?_format=json&tid={t}",
    )
)
_headers = st.sampled_from(
    (
        {},
        {"x-forwarded-host": "{host}", "x-forwarded-proto": "http"},
        {"forwarded": "host={host};proto=http"},
        {"host": "{host}"},
        {"x-original-url": "/fhir/r4c/Patient", "x-rewrite-url": "/fhir/r4c/Patient"},
        {"x-waws-unencoded-url": "/fhir/r4c/Patient"},
        {"cookie": "session=other; tenant={t}"},
        {"x-tenant-id": "{t}", "x-ms-tenant-id": "{t}", "tenant": "{t}"},
        {"x-hospital-key": "stolen"},
        {"x-http-method-override": "POST"},
        {"x-ms-client-principal-id": "{t}", "x-ms-token-aad-access-token": "{token}"},
        {"proxy-authorization": "Bearer {token}", "x-authorization": "Bearer {token}"},
        {"accept-encoding": "gzip"},
        {"if-none-match": '"1"', "prefer": "handling=strict"},
    )
)


class Callers(RuleBasedStateMachine):
    """Rules make tokens and page addresses, spoil them, and send them; `World.check` judges every answer."""

    world: World
    runner: asyncio.Runner

    tokens = Bundle("tokens")
    links = Bundle("links")

    def run(self, work: Any) -> Any:  # noqa: ANN401  # whatever the coroutine returns
        return self.runner.run(work)

    def filled(self, text: str, number: int, token: Token) -> str:
        hospital = self.world.hospitals[number]
        origin = self.world.ward.origin
        return (
            text.replace("{b}", origin + hospital.base)
            .replace("{host}", origin.removeprefix("http://"))
            .replace("{t}", hospital.tenant_id)
            .replace("{token}", token.text)
        )

    @initialize(target=tokens)
    def one_token_for_each(self) -> Any:  # noqa: ANN401  # hypothesis' own type
        app = self.world.apps["all"]
        drawn = [(hospital, self.run(self.world.grant(app, hospital.tenant_id))) for hospital in self.world.hospitals]
        assert [status for _, (status, _) in drawn] == [200, 200, 200]
        return multiple(*(Token(text, app, hospital) for hospital, (_, text) in drawn))

    @rule(
        target=tokens, name=_apps, number=_numbers, narrowed=st.sampled_from(("", "system/Patient.rs", "system/*.read"))
    )
    def draw(self, name: str, number: int, narrowed: str) -> Any:  # noqa: ANN401
        app, hospital = self.world.apps[name], self.world.hospitals[number]
        status, text = self.run(self.world.grant(app, f"{hospital.tenant_id} {narrowed}".strip()))
        allowed = {"all": "abc", "only-a": "a", "b-and-c": "bc"}[name]
        assert status == (200 if hospital.name in allowed else 400)
        return Token(text, app, hospital) if text else multiple()

    @rule(target=tokens, name=_apps, scopes=st.lists(_numbers, min_size=2, max_size=3, unique=True))
    def draw_for_several(self, name: str, scopes: list[int]) -> Any:  # noqa: ANN401
        scope = " ".join(self.world.hospitals[number].tenant_id for number in scopes)
        status, _ = self.run(self.world.grant(self.world.apps[name], scope))
        assert status == 400
        return multiple()

    @rule(target=tokens, token=tokens, other=tokens, how=st.sampled_from(("tenant", "splice", "none", "cut", "scope")))
    def alter(self, token: Token, other: Token, how: str) -> Any:  # noqa: ANN401
        if token.text.count(".") != 2 or other.text.count(".") != 2 or "x" * 9 in token.text + other.text:
            return multiple()
        aim = (other.hospital or self.world.hospitals[0]).tenant_id
        match how:
            case "tenant":
                text = forged(token.text, tenant=aim)
            case "scope":
                text = forged(token.text, scope=aim, tenant=aim, client_id=other.client.client_id)
            case "splice":
                text = spliced(token.text, other.text)
            case "none":
                text = f"eyJhbGciOiJub25lIn0.{forged(token.text, tenant=aim).split('.')[1]}."
            case _:
                text = token.text[:-9] + "x" * 9
        # Putting a token together from itself spoils nothing.
        known = (one for one in (token, other) if one.text == text)
        return next(known, Token(text, token.client, None))

    @rule(token=consumes(tokens))
    def revoke(self, token: Token) -> None:
        self.run(self.world.revoke(token))
        answer = self.run(self.world.ask(Token(token.text, token.client, None), f"/fhir/r4/Patient/{PATIENT}"))
        assert answer.status == 401

    @rule(target=links, token=tokens, face=_faces, kind=st.sampled_from(TYPES), query=_queries, number=_numbers)
    def search(self, token: Token, face: str, kind: str, query: str, number: int) -> str:
        answer = self.run(self.world.ask(token, f"/fhir{face}/{kind}{self.filled(query, number, token)}"))
        self.refused(token, answer.status)
        return next(iter(answer.links), DEAD)

    @rule(token=tokens, face=_faces, kind=st.sampled_from(TYPES), headers=_headers, number=_numbers, other=tokens)
    def read(  # its draws
        self, token: Token, face: str, kind: str, headers: dict[str, str], number: int, other: Token
    ) -> None:
        sent = {name: self.filled(value, number, other) for name, value in headers.items()}
        self.run(self.world.ask(token, f"/fhir{face}/{kind}/{PATIENT}", sent))

    @rule(target=links, token=tokens, link=links, headers=_headers, number=_numbers)
    def follow(self, token: Token, link: str, headers: dict[str, str], number: int) -> str:
        sent = {name: self.filled(value, number, token) for name, value in headers.items()}
        answer = self.run(self.world.ask(token, link, sent))
        self.refused(token, answer.status)
        return next(iter(answer.links), DEAD)

    @rule(
        token=tokens, link=links, other=links, how=st.sampled_from(("face", "type", "splice", "flip", "post", "batch"))
    )
    def bend(self, token: Token, link: str, other: str, how: str) -> None:
        address, _, page = link.partition("?_page=")
        other_page = other.partition("?_page=")[2]
        match how:
            case "face":
                address = address.replace("/r4/", "/stu3/").replace("/dstu2/", "/r4/")
            case "type":
                address = address.rpartition("/")[0] + "/Practitioner"
            case "splice":
                page = page[: len(page) // 2] + other_page[len(other_page) // 2 :]
            case "flip":
                page = page[:-3] + ("A" if page[-3:-2] != "A" else "B") + page[-2:]
            case "batch":
                urls = [f"{address.rpartition('/')[2]}?_page={page}", link, f"Patient?_page={other_page}"]
                self.run(self.world.batch(token, "/r4", urls))
                return
            case _:
                form = {"content-type": "application/x-www-form-urlencoded"}
                body = f"_page={quote(page)}&_page={quote(other_page)}".encode()
                self.run(self.world.ask(token, f"{address}/_search", form, method="POST", body=body))
                return
        self.run(self.world.ask(token, f"{address}?_page={page}"))

    @rule(token=tokens, face=_faces, path=_astray, number=_numbers, headers=_headers)
    def stray(self, token: Token, face: str, path: str, number: int, headers: dict[str, str]) -> None:
        sent = {name: self.filled(value, number, token) for name, value in headers.items()}
        self.run(self.world.ask(token, f"/fhir{face}/{self.filled(path, number, token)}", sent))

    @rule(target=links, token=tokens, face=_faces, paths=st.lists(_astray, min_size=1, max_size=4), number=_numbers)
    def stray_in_a_batch(self, token: Token, face: str, paths: list[str], number: int) -> str:
        urls = [self.filled(path, number, token) for path in paths]
        urls += [f"Patient/{PATIENT}", "Encounter?_count=1", f"{BASE_URL}/fhir{face}/Patient/{PATIENT}"]
        answer = self.run(self.world.batch(token, face, urls))
        self.refused(token, answer.status)
        return next(iter(answer.links), DEAD)

    @rule(first=tokens, second=tokens, third=tokens, kind=st.sampled_from(TYPES))
    def all_at_once(self, first: Token, second: Token, third: Token, kind: str) -> None:
        async def together() -> None:
            targets = (f"/fhir/r4/{kind}/{PATIENT}", f"/fhir/r4/{kind}", f"/fhir/stu3/{kind}/{PATIENT}")
            asked = [self.world.ask(token, target) for target in targets for token in (first, second, third)]
            asked += [self.world.batch(token, "/r4", [f"{kind}/{PATIENT}"] * 3) for token in (first, second, third)]
            await asyncio.gather(*asked)

        self.run(together())

    def refused(self, token: Token, status: int) -> None:
        if token.hospital is None:
            assert status == 401
