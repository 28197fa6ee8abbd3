"""The queries that people are told to run, and the alerts and workbook, ask for properties that the service writes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"^\| `([a-z-]+)` \| [A-Z]+ \| (.*?) \| .* \|$", re.MULTILINE)
PROPERTIES = {
    event: set(re.findall(r"`(\w+)\??`", properties))
    for event, properties in ROW.findall((ROOT / "docs" / "observability.md").read_text(encoding="utf-8"))
}


def on_call() -> list[str]:
    document = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    section = document.partition("\n## On call\n")[2].partition("\n## ")[0]
    return re.findall(r"```kusto\n(.*?)```", section, re.DOTALL)


def elsewhere() -> list[str]:
    bicep = (ROOT / "infra" / "modules" / "alerts.bicep").read_text(encoding="utf-8")
    accesses = re.search(r"^var accesses = '(.*)'$", bicep, re.MULTILINE)
    assert accesses is not None
    alerts = [
        query.replace("${accesses}", accesses[1]) for query in re.findall(r"^    query: '(.*)'$", bicep, re.MULTILINE)
    ]
    workbook = (ROOT / "infra" / "workbook.json").read_text(encoding="utf-8")
    return [query.replace("\\'", "'") for query in alerts + re.findall(r'"query": "(.*)"', workbook)]


def test_there_are_the_queries_that_an_operator_needs() -> None:
    events = [set(re.findall(r"'([a-z-]+-[a-z-]+)'", query)) for query in on_call()]
    assert events == [
        {"fhir-access", "circuit-opened", "circuit-closed"},
        {"fhir-access"},
        {"fhir-access"},
        {"authentication-failed"},
    ]


@pytest.mark.parametrize("query", on_call() + elsewhere())
def test_a_query_asks_for_what_is_written(query: str) -> None:
    named = set(re.findall(r"'([a-z-]+)'", query)) & PROPERTIES.keys()
    assert set(re.findall(r"Properties\.event (?:==|in) \(?'([a-z-]+)'", query)) <= PROPERTIES.keys()
    asked = set(re.findall(r"Properties\.(\w+)", query)) - {"event"}
    assert named or not asked
    written: set[str] = set().union(*(PROPERTIES[event] for event in named))
    assert asked <= written
    assert not asked or "AppTraces" in query


@pytest.mark.parametrize("query", on_call())
def test_a_query_has_its_brackets_and_quotes_in_pairs(query: str) -> None:
    for left, right in ("()", "[]"):
        assert query.count(left) == query.count(right)
    assert query.count("'") % 2 == 0
