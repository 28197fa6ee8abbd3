from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from gateway.audit import AuditTrail, By
from gateway.registry import Registry
from gateway.registry.secret_values import Pepper
from gateway.settings import Settings

PEPPER = Pepper({"1": b"k" * 32})


async def pepper_of_tests() -> Pepper:
    return PEPPER


@pytest.fixture
def pepper() -> Pepper:
    return PEPPER


@pytest.fixture
async def registry(tables_connection: str) -> AsyncIterator[Registry]:
    values = {"public_base_url": "https://gateway.example", "tables_connection": tables_connection}
    registry = Registry.open(Settings.model_validate(values))
    await registry.ensure_tables()
    yield registry
    await registry.close()


@pytest.fixture
def trail(registry: Registry) -> AuditTrail:
    return AuditTrail(registry.storage, pepper_of_tests)


@pytest.fixture
def second_instance(registry: Registry) -> AuditTrail:
    return AuditTrail(registry.storage, pepper_of_tests)


@pytest.fixture
def by() -> By:
    return By("a.operator@hospital.example", "api", str(uuid4()))
