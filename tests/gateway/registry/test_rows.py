import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from gateway.errors import Invalid, StorageUnavailable
from gateway.registry import Registry
from gateway.registry.rows import Kind, encode_key, property_text
from gateway.registry.table import Table

FORBIDDEN = set("/\\#?%") | {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}


class Ward(BaseModel):
    ward_id: str
    beds: int
    floor: int


def beds_are_counted(document: dict[str, Any]) -> dict[str, Any]:
    return {"ward_id": document["ward_id"], "beds": len(document["beds"])}


def floors_are_known(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "floor": 0}


FIRST: Kind[Ward] = Kind("ward", Ward, "ward_id")
THIRD: Kind[Ward] = Kind("ward", Ward, "ward_id", (beds_are_counted, floors_are_known))


@given(st.text(max_size=60))
def test_a_key_holds_nothing_that_azure_or_azurite_refuses(value: str) -> None:
    assert not FORBIDDEN & set(encode_key(value))


@given(st.lists(st.text(max_size=20), unique=True, max_size=5))
def test_two_values_never_share_a_key(values: list[str]) -> None:
    assert len({encode_key(value) for value in values}) == len(values)


def test_a_guid_is_its_own_key() -> None:
    guid = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    assert encode_key(guid) == guid


async def test_azurite_takes_odd_keys(registry: Registry) -> None:
    wards = Table(registry.storage.table("tenants"), THIRD)
    odd = "a/b\\c#d?e%f=g h'i\u00e9\x01"
    await wards.add(Ward(ward_id=odd, beds=1, floor=2))
    found = await wards.find(odd)
    assert found is not None
    assert found.value.ward_id == odd
    await wards.remove(odd, found.etag)
    assert await wards.find(odd) is None


async def test_an_old_row_is_read_in_its_new_form_and_rewritten_when_changed(registry: Registry) -> None:
    client = registry.storage.table("tenants")
    old = {"ward_id": "w", "beds": ["1a", "1b"]}
    await client.create_entity({"PartitionKey": "w", "RowKey": "ward", "schema": 1, "document": json.dumps(old)})
    wards = Table(client, THIRD)
    found = await wards.find("w")
    assert found is not None
    assert found.value == Ward(ward_id="w", beds=2, floor=0)
    await wards.replace(found.value, found.etag)
    row = await client.get_entity("w", "ward")
    assert (row["schema"], json.loads(row["document"])) == (3, {"ward_id": "w", "beds": 2, "floor": 0})


def test_migration_starts_at_the_rows_own_schema() -> None:
    row = {"PartitionKey": "w", "schema": 2, "document": '{"ward_id": "w", "beds": 2}'}
    assert THIRD.read(row) == Ward(ward_id="w", beds=2, floor=0)


@pytest.mark.parametrize(
    "row",
    [
        {"schema": 2, "document": '{"ward_id": "w", "beds": 2, "floor": 1}'},
        {"schema": 1, "document": '{"ward_id": "w", "beds": "private", "floor": 1}'},
        {"schema": 1, "document": '{"ward_id": "w"'},
        {"schema": 1, "document": "null"},
        {"document": "{}"},
    ],
)
def test_a_row_that_is_not_understood_is_named_without_its_content(row: dict[str, Any]) -> None:
    with pytest.raises(StorageUnavailable) as error:
        FIRST.read({"PartitionKey": "the-ward", **row})
    assert "ward the-ward" in error.value.detail
    assert "private" not in error.value.detail


def test_a_property_is_measured_in_utf_16() -> None:
    overhead = len('{"t":""}')
    property_text({"t": "\N{SMILING FACE WITH SUNGLASSES}" * ((32_768 - overhead) // 2)}, "It")
    with pytest.raises(Invalid, match="It takes 32770 characters"):
        property_text({"t": "\N{SMILING FACE WITH SUNGLASSES}" * ((32_768 - overhead) // 2 + 1)}, "It")
