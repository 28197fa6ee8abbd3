import ast
import logging
import re
from pathlib import Path

import pytest

from gateway.telemetry import events
from gateway.telemetry.events import EVENTS, Seldom, caller_hash

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z-]+)` \| ([A-Z]+) \| (.*?) \| .* \|$", re.MULTILINE)
# Where events are written whose facts are gathered elsewhere: their names are keys of a dictionary there.
ELSEWHERE = {"fhir-access": "gateway/telemetry/access.py", "registry-change": "gateway/audit/trail.py"}


def documented() -> dict[str, tuple[str, list[str]]]:
    return {name: (level, re.findall(r"`(\w+)\??`", properties)) for name, level, properties in ROW.findall(DOCUMENT)}


def test_the_document_names_every_event_with_its_level_and_properties() -> None:
    described = documented()
    assert described.keys() == EVENTS.keys() | ELSEWHERE.keys()
    for name, event in EVENTS.items():
        assert described[name] == (logging.getLevelName(event.level), list(event.properties)), name


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_document_names_what_is_written_elsewhere(name: str) -> None:
    written = set()
    for node in ast.walk(ast.parse((ROOT / ELSEWHERE[name]).read_text(encoding="utf-8"))):
        keys = node.keys if isinstance(node, ast.Dict) else [node.slice] if isinstance(node, ast.Subscript) else []
        written |= {key.value for key in keys if isinstance(key, ast.Constant)}
    durations = {f"{hop}_ms" for hop in ("auth", "map", "upstream", "adapt", "total")}
    assert set(documented()[name][1]) - durations <= written


def test_every_event_is_written_with_exactly_its_properties() -> None:
    by_constant = {name: value for name, value in vars(events).items() if isinstance(value, events.Event)}
    written = set()
    for folder in ("gateway", "functions"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                    continue
                owner = node.func.value
                if node.func.attr == "log" and isinstance(owner, ast.Name) and owner.id in by_constant:
                    properties = [keyword.arg for keyword in node.keywords]
                    assert sorted(map(str, properties)) == sorted(by_constant[owner.id].properties), (path, owner.id)
                    written.add(owner.id)
    assert written == by_constant.keys()


def test_an_event_is_a_record_with_its_properties(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "gateway"):
        events.CIRCUIT_CLOSED.log(tenant="t", open_seconds=5.0)
    record = vars(caplog.records[0])
    assert (record["event"], record["tenant"], record["open_seconds"]) == ("circuit-closed", "t", 5.0)
    assert record["levelname"] == "INFO"


def test_seldom_lets_one_through_in_its_time_for_each_subject() -> None:
    at = 0.0
    seldom = Seldom(60, lambda: at)
    assert [seldom.allows("a"), seldom.allows("a"), seldom.allows("b")] == [True, False, True]
    at = 59.9
    assert not seldom.allows("a")
    at = 60.0
    assert seldom.allows("a")


def test_a_callers_address_is_not_in_its_hash() -> None:
    assert caller_hash("192.0.2.7") == caller_hash("192.0.2.7") != caller_hash("192.0.2.8")
    assert re.fullmatch(r"[0-9a-f]{16}", caller_hash("192.0.2.7"))
