"""How models stand in Table Storage rows, and how older rows become newer ones."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from gateway.registry.models import Client, Tenant

type Row = dict[str, Any]
type Document = dict[str, Any]

SCHEMA = 1
MIGRATIONS: dict[int, Callable[[Document], Document]] = {}
"""By schema number of the row read: its document in the next schema. Rows are rewritten when next changed."""

# Azure refuses a string property above 64 KiB of UTF-16; Azurite does not, so it is enforced here.
_MAX_DOCUMENT_CHARACTERS = 32_768


class RowTooLarge(Exception):
    pass


def encode_key(value: str) -> str:
    """A key without `/ \\ # ?`, control characters and `%`, which Azure and Azurite treat differently."""
    return quote(value, safe=" !$&'()*+,;=:@-._~").replace("%", "=")


def to_row(partition: str, row_key: str, document: Mapping[str, Any]) -> Row:
    """Raises RowTooLarge when the service would refuse the row."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode("utf-16-le")) // 2 > _MAX_DOCUMENT_CHARACTERS:
        raise RowTooLarge(f"a document of {len(text)} characters exceeds the limit of {_MAX_DOCUMENT_CHARACTERS}")
    return {
        "PartitionKey": encode_key(partition),
        "RowKey": encode_key(row_key),
        "schema": SCHEMA,
        "document": text,
    }


def from_row(row: Mapping[str, Any]) -> Document:
    document: Document = json.loads(row["document"])
    for schema in range(int(row["schema"]), SCHEMA):
        document = MIGRATIONS[schema](document)
    return document


def tenant_row(tenant: Tenant) -> Row:
    return to_row(tenant.tenant_id, "tenant", tenant.model_dump(mode="json"))


def client_row(client: Client) -> Row:
    return to_row(client.client_id, "client", client.model_dump(mode="json"))
