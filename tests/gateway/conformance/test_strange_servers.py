"""Servers that answer with anything at all: a report comes in every case."""

import random
from typing import Any

import pytest

from gateway.conformance import to_document
from tests.gateway.conformance import faults
from tests.gateway.conformance.conftest import Checked
from tests.gateway.conformance.fake_server import Asked, Fault, Given
from tests.gateway.conformance.in_chinese import untold

JUNK: tuple[Any, ...] = (None, 1, -1.5, True, "", "x", "../x?y#z", [], {}, [1], ["x", None], {"a": [{}]}, [[{}]])


def strange(seed: int, share: float) -> Fault:
    """Some of the nodes of every answer are something else."""
    chance = random.Random(seed)  # noqa: S311  # the same strangeness each time

    def spoil(node: Any) -> Any:  # noqa: ANN401  # JSON
        if chance.random() < share:
            return chance.choice(JUNK)
        if isinstance(node, dict):
            return {name: spoil(value) for name, value in node.items()}
        return [spoil(value) for value in node] if isinstance(node, list) else node

    def after(_asked: Asked, given: Given) -> None:
        if isinstance(given.json, dict):
            given.json = {name: value if name == "resourceType" else spoil(value) for name, value in given.json.items()}

    return Fault(after=after)


@pytest.mark.parametrize("name", ["northfield", "lakeside", "riverbend"])
@pytest.mark.parametrize("share", [0.003, 0.03])
async def test_junk_in_the_answers_ends_in_a_report(checked: Checked, name: str, share: float) -> None:
    for seed in range(4):
        report = await checked(strange(seed, share), name)
        assert to_document(report)["checks"]
        assert untold(report) == []


@pytest.mark.parametrize(
    "address", ["http://[", "http://localhost:99999999/fhir", "//", "not an address", "\x00", "javascript:alert(1)"]
)
async def test_a_next_link_that_is_none_ends_in_a_report(checked: Checked, address: str) -> None:
    fault = faults.changed(faults.next_to(address), faults.search("Patient"))
    report = await checked(fault)
    assert [result.check.id for result in report.results if result.status == "fail"] == ["patient.pages"]
