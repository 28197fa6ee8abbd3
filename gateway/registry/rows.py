"""How documents stand in rows of Table Storage, and how older rows become newer ones."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from gateway.errors import Invalid, StorageUnavailable

type Row = dict[str, Any]
type Document = dict[str, Any]

# Azure refuses a string property above 64 KiB of UTF-16; Azurite does not, so it is enforced here.
MAX_PROPERTY_CHARACTERS = 32_768


@dataclass(frozen=True)
class Kind[M: BaseModel]:
    """What one table holds: a model, the field that is its key, and how its older documents become newer ones.

    The first schema is 1; `migrations[n]` turns a document of schema n + 1 into the next. A row is rewritten in the
    newest schema when it is next changed, not before.
    """

    name: str
    model: type[M]
    key: str
    migrations: tuple[Callable[[Document], Document], ...] = ()

    @property
    def schema(self) -> int:
        return 1 + len(self.migrations)

    def row(self, value: M) -> Row:
        """Raises Invalid when the service would refuse the row for its size."""
        key = encode_key(getattr(value, self.key))
        text = property_text(value.model_dump(mode="json"), f"The {self.name}")
        return {"PartitionKey": key, "RowKey": self.name, "schema": self.schema, "document": text}

    def stored(self, row: Mapping[str, Any]) -> Document:
        """The document as it stands in the row. Raises StorageUnavailable when there is none."""
        try:
            document = json.loads(row["document"])
        except (KeyError, TypeError, ValueError):
            document = None
        if not isinstance(document, dict):
            raise StorageUnavailable(f"{self.name} {row['PartitionKey']} holds no document")
        return document

    def read(self, row: Mapping[str, Any]) -> M:
        """Raises StorageUnavailable, which names the row, when it is not one that this version understands."""
        try:
            schema = int(row["schema"])
            if schema > self.schema:
                raise StorageUnavailable(
                    f"{self.name} {row['PartitionKey']} has schema {schema}; this version knows {self.schema}"
                )
            document: Document = json.loads(row["document"])
            for migrate in self.migrations[schema - 1 :]:
                document = migrate(document)
            return self.model.model_validate(document)
        except (KeyError, TypeError, ValueError) as error:
            # The error's own text quotes the row, which may hold what no log should.
            reason = type(error).__name__
            raise StorageUnavailable(f"{self.name} {row['PartitionKey']} is unreadable: {reason}") from None


def encode_key(value: str) -> str:
    r"""A key without `/ \ # ?`, control characters and `%`, which Azure and Azurite treat differently.

    Two values never share a key: what is not safe, `=` included, becomes `=` and two hexadecimal digits a byte.
    """
    return quote(value, safe=" !$&'()*+,;:@-._~").replace("%", "=")


def property_text(document: Mapping[str, Any], what: str) -> str:
    """The document as JSON in one property. Raises Invalid when it is longer than a property may be."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode("utf-16-le")) // 2
    if size > MAX_PROPERTY_CHARACTERS:
        raise Invalid(f"{what} takes {size} characters of storage; at most {MAX_PROPERTY_CHARACTERS} are possible.")
    return text
