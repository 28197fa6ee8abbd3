"""No sequence of tokens, page addresses, batch entries, headers and URLs reads another tenant's data."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.isolation.machine import Callers
from tests.isolation.world import World, open_world


@pytest.fixture(scope="module")
def place(
    azurite_accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, asyncio.Runner]]:
    with open_world(next(azurite_accounts), tmp_path_factory.mktemp("keys")) as opened:
        yield opened


def explore(place: tuple[World, asyncio.Runner], profile: settings) -> int:
    """How many requests were made."""
    world, runner = place
    requests, shown = world.requests, world.shown

    class Here(Callers):
        pass

    Here.world, Here.runner = place
    run_state_machine_as_test(Here, settings=profile)
    runner.run(world.service.uses.settle())
    # Were all refused, the machine would show nothing.
    assert world.shown - shown > (world.requests - requests) / 4
    return world.requests - requests


def _profile(examples: int, steps: int, **more: Any) -> settings:  # noqa: ANN401  # settings' own
    calm = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=calm, **more)


def test_no_sequence_of_requests_reads_another_tenants_data(place: tuple[World, asyncio.Runner]) -> None:
    assert explore(place, _profile(12, 20, derandomize=True, database=None)) > 200


@pytest.mark.e2e
def test_no_long_sequence_either(place: tuple[World, asyncio.Runner]) -> None:
    assert explore(place, _profile(80, 50)) > 4000
