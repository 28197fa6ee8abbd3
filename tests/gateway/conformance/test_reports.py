"""What leaves the process: the same every time, in the documented shape, and nothing out of a patient's record."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zlib import crc32

import jsonschema_rs
import pytest
from rich.console import Console

import gateway.conformance
from gateway.conformance import Options, Report, Status, to_document
from gateway.conformance.calls import Request
from gateway.conformance.document import SCHEMA
from gateway.conformance.evidence import Exchange
from gateway.conformance.page import to_html
from gateway.conformance.terminal import print_report, progress
from tests.gateway.conformance import faults
from tests.gateway.conformance.conftest import Checked
from tests.gateway.conformance.fake_server import Asked, Fault, resources_of

SOURCE = Path(gateway.conformance.__file__).parent
SHORTEST = 3
# Everything goes wrong at once, so that every text of a failing check is written.
_EVERYTHING = (
    faults.lacking("Patient", "name.given", "name.use"),
    faults.each("Patient", faults.family_as_list),
    faults.each("Condition", faults.wrong_date),
    faults.lacking("Encounter", "type"),
)


def spoiled(resources: dict[str, list[dict[str, Any]]]) -> None:
    for fault in _EVERYTHING:
        fault.data(resources)


SPOILED = Fault(
    data=spoiled,
    after=faults.changed(faults.stranger, faults.search("Condition")).after,
    before=faults.ignored("gender", "Patient").before,
)


def terminal(report: Report) -> str:
    written = io.StringIO()
    print_report(report, Console(file=written, width=400, highlight=False))
    return written.getvalue()


def texts(report: Report) -> dict[str, str]:
    return {"terminal": terminal(report), "json": json.dumps(to_document(report)), "html": to_html(report)}


def leaves(node: Any) -> Iterator[str]:  # noqa: ANN401  # JSON
    match node:
        case dict():
            for name, value in node.items():
                if name != "resourceType":
                    yield from leaves(value)
        case list():
            for value in node:
                yield from leaves(value)
        case str():
            yield node


def secrets_of(name: str) -> set[str]:
    """Every string of the records, but the words that the check's own source is written with."""
    vocabulary = " ".join(path.read_text() for path in SOURCE.rglob("*") if path.suffix in (".py", ".j2", ".json"))
    found = {text for resource_type in resources_of(name).values() for one in resource_type for text in leaves(one)}
    return {text for text in found if len(text) >= SHORTEST and text not in vocabulary}


@pytest.mark.parametrize("name", ["northfield", "lakeside", "riverbend"])
@pytest.mark.parametrize("fault", [Fault(), SPOILED], ids=["clean", "spoiled"])
async def test_no_report_holds_a_string_of_a_patients_record(checked: Checked, name: str, fault: Fault) -> None:
    if fault is SPOILED and name == "lakeside":
        fault = Fault(after=SPOILED.after, before=SPOILED.before)
    report = await checked(fault, name)
    hidden = secrets_of(name)
    assert len(hidden) > 100
    for form, text in texts(report).items():
        # As a word of its own: a short code may stand inside the name of a style or an address.
        leaked = {one for one in hidden if one in text and re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text)}
        assert not leaked, form


async def test_values_are_shown_where_they_are_asked_for(checked: Checked) -> None:
    report = await checked(Fault(), options=Options(show_values=True))
    born = resources_of("northfield")["Patient"][0]["birthDate"]
    for form, text in texts(report).items():
        assert born in text, form


async def test_every_check_of_an_answer_says_what_was_sent(checked: Checked) -> None:
    report = await checked(Fault(), secret="right")
    silent = {result.check.id for result in report.results if result.status is Status.PASS and not result.server.sent}
    assert silent == {"dns", "tcp", "tls.used", "media-type", "pace", "rate"}


async def test_a_request_is_shown_with_placeholders(checked: Checked) -> None:
    report = await checked(Fault())
    sent = {one for result in report.results for one in result.server.sent}
    assert "POST Patient/_search family:contains={family}&_count=100" in sent
    assert "GET Observation?patient={patient}&category=vital-signs&_sort=-date" in sent
    assert "GET Encounter?patient={patient}&_sort=-date&_count=1" in sent


@pytest.mark.parametrize("fault", [Fault(), SPOILED], ids=["clean", "spoiled"])
async def test_the_document_follows_its_schema(checked: Checked, fault: Fault) -> None:
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()), validate_formats=True)
    for options in (Options(), Options(show_values=True)):
        validator.validate(to_document(await checked(fault, options=options)))


def test_the_schema_refuses_another_document() -> None:
    assert not jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).is_valid({"version": 1})


@pytest.mark.parametrize("fault", [Fault(), SPOILED], ids=["clean", "spoiled"])
async def test_two_runs_differ_in_times_only(checked: Checked, fault: Fault) -> None:
    """Even where the answers arrive in another order."""

    def scattered(asked: Asked) -> float:
        return crc32(f"{asked.path}?{asked.query}".encode()) % 20 / 1000

    first = to_document(await checked(replace(fault, seconds=scattered)))
    second = to_document(await checked(replace(fault, seconds=lambda asked: 0.02 - scattered(asked))))
    for document in (first, second):
        document["subject"].pop("fhir_url")  # the port is another one
        del document["timing"]
    assert first == second


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]


async def test_the_page_stands_by_itself(checked: Checked) -> None:
    report = await checked(SPOILED)
    html = to_html(report)
    page = _Page()
    page.feed(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert page.addresses == []
    assert "url(" not in html
    assert 'name="viewport"' in html
    assert "@media print" in html
    assert page.tags.count("details") == len(report.results)


async def test_a_tenants_name_is_no_markup(checked: Checked) -> None:
    report = await checked(Fault())
    named = _renamed(report, '<b onclick="x">[red]Bobby[/]')
    assert "<b onclick" not in to_html(named)
    assert "[red]Bobby[/]" in terminal(named)


async def test_the_terminal_shows_what_fails_first(checked: Checked) -> None:
    report = await checked(SPOILED)
    lines = terminal(report).splitlines()
    signs = [line[0] for line in lines if line[:2] in ("✘ ", "! ", "✔ ", "- ")]
    assert signs == sorted(signs, key="✘!✔-".index)
    assert report.verdict is Status.FAIL
    assert "The Patients app does not work with this server yet." in terminal(report)


def test_progress_leaves_nothing_on_the_screen() -> None:
    written = io.StringIO()
    with progress(Console(file=written, force_terminal=False)) as tick:
        tick("server: metadata")
    assert "metadata" not in written.getvalue()


def test_an_answer_is_described_without_what_it_says() -> None:
    request = Request("x", "GET", "Patient", "GET Patient")
    exchange = Exchange(request, 200, 1.0, resource={"resourceType": "Chalmers"})
    assert exchange.described() == "200 another resource"


def _renamed(report: Report, name: str) -> Report:
    return replace(report, subject=replace(report.subject, name=name))
