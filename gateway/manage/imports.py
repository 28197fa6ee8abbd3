"""Many tenants at once, from a file: everything is checked first, then made; what is there already is skipped, so that
an import that was cut short is simply run again.
"""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gateway.audit import By
from gateway.errors import GatewayError, Invalid, InvalidFields, RegistryError
from gateway.manage.documents import TenantNew, validated
from gateway.manage.tenants import Tenants, same_tenant
from gateway.registry import Registry, Stored, Tenant

_AT_ONCE = 64
_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}
_LARGEST_FILE = 100_000_000

type Done = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One tenant of a file; `line` is where it stands, counted from 1 (in JSON: which one it is)."""

    line: int
    document: object


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    field: str
    reason: str


@dataclass(slots=True)
class Plan:
    """What an import will do once everything was checked."""

    add: list[tuple[int, Tenant]] = field(default_factory=list)
    replace: list[tuple[int, Stored[Tenant], Tenant]] = field(default_factory=list)
    unchanged: int = 0
    bad: list[BadRow] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: list[BadRow] = field(default_factory=list)


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file (its columns are field names, nested ones dotted) or of a JSON file (an array, or an
    object whose `value` is one). Raises Invalid when the file as a whole cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise Invalid(f"{path.name} is larger than {_LARGEST_FILE} bytes.")
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path.name} cannot be read: {error.strerror}.") from None
    if path.suffix.lower() == ".json":
        return _json_rows(content)
    if path.suffix.lower() == ".csv":
        return _csv_rows(content)
    raise Invalid("The file's name must end in .csv or .json.")


async def plan(registry: Registry, tenants: Tenants, rows: Sequence[Row], *, update: bool, done: Done) -> Plan:
    """Check every row, and compare it with what is there. `done` is called once a row.

    Raises StorageUnavailable.
    """
    planned = Plan()
    wanted = _well_formed(rows, planned)
    existing = {
        stored.value.tenant_id: stored async for stored in registry.tenants() if stored.value.tenant_id in wanted
    }

    async def look(tenant_id: str) -> None:
        line, new = wanted[tenant_id]
        stored = existing.get(tenant_id)
        try:
            if stored is not None and same_tenant(stored.value, new):
                planned.unchanged += 1
            elif stored is None:
                planned.add.append((line, await tenants.prepared(new)))
            elif update:
                tenant = (await tenants.prepared(new)).model_copy(update={"created": stored.value.created})
                planned.replace.append((line, stored, tenant))
            else:
                reason = "exists already with other values; --update overwrites them"
                planned.bad.append(BadRow(line, "tenant_id", reason))
        except RegistryError as error:
            planned.bad.append(BadRow(line, error.field, error.public))
        done()

    await _each(look, wanted)
    planned.bad.sort(key=lambda bad: bad.line)
    return planned


async def carry_out(tenants: Tenants, by: By, planned: Plan, *, done: Done) -> Result:
    """Make and replace what is planned; `done` is called once a row. A row that fails is in the result, the others go
    on; raises StorageUnavailable when storage fails, and running the import again resumes it.
    """
    result = Result(unchanged=planned.unchanged, bad=list(planned.bad))

    async def add(item: tuple[int, Tenant]) -> None:
        line, tenant = item
        try:
            await tenants.add(by, tenant)
            result.added += 1
        except RegistryError as error:
            result.bad.append(BadRow(line, error.field, error.public))
        done()

    async def replace(item: tuple[int, Stored[Tenant], Tenant]) -> None:
        line, stored, tenant = item
        try:
            await tenants.replace(by, stored, tenant)
            result.updated += 1
        except RegistryError as error:
            result.bad.append(BadRow(line, error.field, error.public))
        done()

    await _each(add, planned.add)
    await _each(replace, planned.replace)
    result.bad.sort(key=lambda bad: bad.line)
    return result


async def _each[T](work: Callable[[T], Awaitable[None]], items: Iterable[T]) -> None:
    """Some at a time: audit rows that wait together are written together, and storage is not flooded."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(worker())
    except* GatewayError as errors:
        raise errors.exceptions[0] from None


def _well_formed(rows: Sequence[Row], planned: Plan) -> dict[str, tuple[int, TenantNew]]:
    wanted: dict[str, tuple[int, TenantNew]] = {}
    for row in rows:
        try:
            new = validated(TenantNew, row.document)
        except InvalidFields as error:
            planned.bad += [BadRow(row.line, name, text) for name, text in error.problems]
            continue
        if new.tenant_id in wanted:
            reason = f"stands in line {wanted[new.tenant_id][0]} already"
            planned.bad.append(BadRow(row.line, "tenant_id", reason))
            continue
        wanted[new.tenant_id] = (row.line, new)
    return wanted


def _json_rows(content: bytes) -> list[Row]:
    try:
        document = orjson.loads(content)
    except ValueError as error:
        raise Invalid(f"The file is not JSON: {error}.") from None
    if isinstance(document, dict):
        document = document.get("value")
    if not isinstance(document, list):
        raise Invalid("The file must hold a JSON array of tenants, or an object whose value is one.")
    return [Row(number, _without_times(item)) for number, item in enumerate(document, start=1)]


def _without_times(item: Any) -> Any:  # noqa: ANN401  # JSON of a stranger
    # What `tenant list --json` exports says when a tenant was made; an imported one is made now.
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in item.items() if name not in ("created", "updated")}


def _csv_rows(content: bytes) -> list[Row]:
    try:
        # utf-8-sig: spreadsheets put a byte order mark first.
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        columns = [name.strip() for name in next(reader, [])]
        if not columns or "tenant_id" not in columns:
            raise Invalid("The first line of the file must name its columns, tenant_id among them.")
        rows, start = [], reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(Row(start, _csv_document(columns, cells)))
            start = reader.line_num + 1
    except UnicodeDecodeError:
        raise Invalid("The file is not UTF-8 text.") from None
    except csv.Error as error:
        raise Invalid(f"The file is not CSV: {error}.") from None
    return rows


def _csv_document(columns: list[str], cells: list[str]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, cell in zip(columns, cells, strict=False):
        if cell.strip():
            # One level: what follows may be the name of a header, which may hold a dot.
            outer, dot, inner = name.partition(".")
            group = document.setdefault(outer, {}) if dot else None
            if isinstance(group, dict):
                group[inner] = _csv_value(name, cell.strip())
            else:
                # Also where a column is named like a group: then neither is a field, which its validation says.
                document[name] = _csv_value(name, cell.strip())
    if len(cells) > len(columns):
        document["more cells than columns"] = len(cells)
    return document


def _csv_value(name: str, cell: str) -> object:
    if name == "enabled" and cell.lower() in _TRUE | _FALSE:
        return cell.lower() in _TRUE
    return int(cell) if name == "max_concurrency" and cell.isascii() and cell.isdecimal() else cell
