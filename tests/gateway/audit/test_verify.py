import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.audit import AuditTrail, By, Change, verify
from gateway.audit.entries import HEAD, PARTITION, row_key, state_of
from gateway.registry import Registry, Tenant
from gateway.registry.secret_values import Pepper
from gateway.versions import FhirVersion

TENANT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
LATER = datetime.now(UTC) + timedelta(minutes=10)


def tenant(name: str) -> Tenant:
    return Tenant(
        tenant_id=TENANT, name=name, fhir_url="https://ehr.example/fhir", fhir_version=FhirVersion.R4, created=LATER
    )


def state(name: str) -> str:
    return state_of(tenant(name).model_dump(mode="json"))


@pytest.fixture
async def history(trail: AuditTrail, registry: Registry, by: By) -> None:
    """A tenant made and renamed twice, six entries in all."""
    async with trail.recorded(by, Change("tenant.create", TENANT, after={"name": "A"}, state=state("A"))):
        stored = await registry.add_tenant(tenant("A"))
    for name in ("B", "C"):
        await trail.append(by, Change("key.rotate", after={"kid": name}))
        async with trail.recorded(by, Change("tenant.update", TENANT, state=state(name))):
            stored = await registry.update_tenant(tenant(name), stored.etag)
    await trail.append(by, Change("key.retire", before={"kid": "A"}))


@pytest.fixture
def findings(trail: AuditTrail, registry: Registry, pepper: Pepper) -> Callable[[], Awaitable[list[str]]]:
    async def find() -> list[str]:
        report = await verify(trail, registry, pepper, at=LATER)
        return [finding.text for finding in report.findings]

    return find


type Findings = Callable[[], Awaitable[list[str]]]
pytestmark = pytest.mark.usefixtures("history")


async def test_an_untouched_trail_fits(trail: AuditTrail, registry: Registry, pepper: Pepper) -> None:
    report = await verify(trail, registry, pepper, at=LATER)
    assert (report.entries, report.findings, report.head.sequence) == (6, (), 6)


@pytest.mark.parametrize(
    "alter",
    [
        lambda row: row | {"after": json.dumps({"name": "Z"})},
        lambda row: row | {"entry": row["entry"].replace("a.operator", "b.operator")},
        lambda row: row | {"at": "2020-01-01T00:00:00.000Z"},
        lambda row: row | {"tenant_id": ""},
        lambda row: row | {"client_id": TENANT},
        lambda row: row | {"entry": "{}"},
        lambda row: row | {"hash": "0" * 64},
    ],
)
async def test_an_altered_entry_is_found(
    registry: Registry, findings: Findings, alter: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    table = registry.storage.table("audit")
    row = dict(await table.get_entity(PARTITION, row_key(1)))
    await table.update_entity(alter(row), mode="replace")
    assert any("altered" in text for text in await findings())


@pytest.mark.parametrize(
    ("removed", "text"),
    [
        ([3], "The entries from 3 to 3 were removed."),
        ([2, 3, 4], "The entries from 2 to 4 were removed."),
        ([1], "The oldest entries are missing."),
        ([6], "The entries from 6 to 6 were removed."),
        ([1, 2, 3, 4, 5, 6], "The oldest entries are missing."),
    ],
)
async def test_a_removed_entry_is_found(registry: Registry, findings: Findings, removed: list[int], text: str) -> None:
    for sequence in removed:
        await registry.storage.table("audit").delete_entity(PARTITION, row_key(sequence))
    assert text in await findings()


async def test_a_trail_cut_short_with_its_head_set_back_is_found(registry: Registry, findings: Findings) -> None:
    table = registry.storage.table("audit")
    earlier = await table.get_entity(PARTITION, row_key(4))
    head = dict(await table.get_entity(PARTITION, HEAD))
    for sequence in (5, 6):
        await table.delete_entity(PARTITION, row_key(sequence))
    await table.update_entity(head | {"sequence": 4, "hash": earlier["hash"]}, mode="replace")
    assert "The chain's head was altered or set back." in await findings()


async def test_a_whole_trail_put_back_from_a_copy_is_found_by_the_anchor(
    trail: AuditTrail, registry: Registry, pepper: Pepper, by: By
) -> None:
    table = registry.storage.table("audit")
    copy = dict(await table.get_entity(PARTITION, HEAD))
    last = await trail.append(by, Change("key.rotate"))
    await table.delete_entity(PARTITION, row_key(7))
    await table.update_entity(copy, mode="replace")
    assert (await verify(trail, registry, pepper, at=LATER)).findings == ()
    report = await verify(trail, registry, pepper, anchor=(last.sequence, last.hash), at=LATER)
    assert [finding.sequence for finding in report.findings] == [7]


async def test_an_entry_made_without_the_key_is_found(registry: Registry, findings: Findings) -> None:
    table = registry.storage.table("audit")
    forged = dict(await table.get_entity(PARTITION, row_key(6)))
    await table.create_entity(forged | {"RowKey": "zzz"})
    forged["entry"] = forged["entry"].replace("key.retire", "key.rotate")
    await table.update_entity(forged, mode="replace")
    assert "This entry was altered." in await findings()


async def test_another_key_fits_no_entry(trail: AuditTrail, registry: Registry) -> None:
    report = await verify(trail, registry, Pepper({"1": b"other" * 7}), at=LATER)
    assert len(report.findings) == 7


async def test_a_tenant_changed_behind_the_trails_back_is_found(registry: Registry, findings: Findings) -> None:
    found = await registry.find_tenant(TENANT)
    assert found is not None
    await registry.update_tenant(tenant("D"), found.etag)
    assert await findings() == [f"The tenant {TENANT} was changed without an audit entry."]
    await registry.remove_tenant(TENANT)
    assert await findings() == [f"The tenant {TENANT} was removed without an audit entry."]


async def test_a_tenant_made_behind_the_trails_back_is_found(registry: Registry, findings: Findings) -> None:
    other = tenant("X").model_copy(update={"tenant_id": "00000000-0000-0000-0000-00000000000a"})
    await registry.add_tenant(other)
    assert await findings() == [f"The tenant {other.tenant_id} was made without an audit entry."]


async def test_a_change_that_failed_leaves_the_earlier_state(trail: AuditTrail, by: By, findings: Findings) -> None:
    entry = await trail.append(by, Change("tenant.remove", TENANT))
    assert await findings() == [f"The tenant {TENANT} was changed without an audit entry."]
    await trail.append(by, Change("tenant.remove", TENANT), outcome="failed", of=entry.sequence)
    assert await findings() == []


async def test_an_uncertain_change_may_have_happened_or_not(
    trail: AuditTrail, registry: Registry, by: By, findings: Findings
) -> None:
    entry = await trail.append(by, Change("tenant.update", TENANT, state=state("D")))
    await trail.append(by, Change("tenant.update", TENANT), outcome="uncertain", of=entry.sequence)
    assert await findings() == []
    found = await registry.find_tenant(TENANT)
    assert found is not None
    await registry.update_tenant(tenant("D"), found.etag)
    assert await findings() == []
