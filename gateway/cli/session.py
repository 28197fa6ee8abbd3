"""From a command to the operations: settings, connections, who it is, and what a failure means for the exit code."""

import asyncio
import getpass
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import typer

from gateway.cli.output import complain
from gateway.errors import GatewayError, InvalidFields
from gateway.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    # Each command imports what it needs when it runs: `--help` and lists shall not wait for the whole service.
    from gateway.audit import By
    from gateway.manage.operations import Operations
    from gateway.registry import Registry
    from gateway.service import Service

FAILED = 1
WRONG = 2

_SERVICE_URI = "TABLES_CONNECTION__tableServiceUri"
_STORAGE_SCOPE = "https://storage.azure.com/.default"


@dataclass(frozen=True, slots=True)
class Session:
    operations: "Operations"
    registry: "Registry"
    service: "Service"
    by: "By"


def run(work: Callable[[Session], Awaitable[None]]) -> None:
    """Carry out a command; a failure is one line on standard error and the exit code, never a traceback."""

    async def command() -> None:
        async with _opened(settings_of_this_machine()) as session:
            await work(session)

    _run(command)


def run_on_registry(work: Callable[["Registry"], Awaitable[None]]) -> None:
    """As `run`, for a command that only reads tenants and clients: it need not wait for the whole service."""

    async def command() -> None:
        from gateway.registry import Registry

        settings = settings_of_this_machine()
        registry = _connected(Registry.open, settings)
        try:
            if settings.tables_connection is not None:
                await registry.ensure_tables()
            await work(registry)
        finally:
            await registry.close()

    _run(command)


def _run(command: Callable[[], Coroutine[None, None, None]]) -> None:
    try:
        asyncio.run(command())
    except InvalidFields as error:
        for field, text in error.problems:
            complain(f"{field} {text}.")
        raise typer.Exit(WRONG) from None
    except SettingsError as error:
        complain(f"{error} (settings come from the environment, or from .local/ of a running stack: make up)")
        raise typer.Exit(WRONG) from None
    except GatewayError as error:
        complain(error.public, error.detail)
        raise typer.Exit(FAILED) from None


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Session]:
    from gateway.audit import By
    from gateway.service import Service

    service = _connected(Service, settings)
    try:
        if settings.tables_connection is not None:
            # An empty Azurite is nobody's mistake; in Azure, reading must not need the right to create tables.
            await prepare(service)
        by = By(await _actor(settings), "cli", str(uuid4()))
        yield Session(service.operations, service.registry, service, by)
    finally:
        await service.close()


def _connected[T](open_: Callable[[Settings], T], settings: Settings) -> T:
    try:
        return open_(settings)
    except ValueError:
        raise SettingsError("TABLES_CONNECTION: is no connection string of Table Storage") from None


def settings_of_this_machine() -> Settings:
    """The environment's settings; what it does not say comes from the stack that runs here, if one does.

    Raises SettingsError.
    """
    folder = Path(os.environ.get("PATIENTS_GATEWAY_LOCAL") or ".local").resolve()
    try:
        stack = json.loads((folder / "stack.json").read_text(encoding="utf-8"))
        found = {
            "PUBLIC_BASE_URL": str(stack["base_url"]),
            "LOCAL_KEYS_DIR": str(folder / "keys"),
            "ALLOW_PRIVATE_UPSTREAMS": "true",
        }
        if stack["storage_connection_string"] and not os.environ.get(_SERVICE_URI):
            found["TABLES_CONNECTION"] = str(stack["storage_connection_string"])
    except (OSError, ValueError, KeyError, TypeError):
        found = {}
    if os.environ.get("TABLES_CONNECTION") or os.environ.get(_SERVICE_URI):
        # Another storage than the stack's: nothing of the stack belongs to it.
        found = found if os.environ.get("TABLES_CONNECTION") == found.get("TABLES_CONNECTION") else {}
    for name, value in found.items():
        if not os.environ.get(name):
            os.environ[name] = value
    return load_settings()


async def prepare(service: "Service") -> None:
    """Create the tables, the signing key and the pepper that are not there yet. Raises StorageUnavailable."""
    await service.registry.ensure_tables()
    await service.keys.ensure()


async def _actor(settings: Settings) -> str:
    """Who works here: in Azure the identity that storage sees, locally the account of the shell."""
    if settings.tables_connection is not None:
        return f"{getpass.getuser()} (shell)"
    import jwt
    from azure.core.exceptions import AzureError
    from azure.identity.aio import DefaultAzureCredential

    async with DefaultAzureCredential(managed_identity_client_id=settings.tables_connection_client_id) as credential:
        try:
            token = await credential.get_token(_STORAGE_SCOPE)
        except AzureError as error:
            raise SettingsError(f"no Azure identity is signed in ({type(error).__name__}): run az login") from None
    # Our own token, so there is nobody to deceive: storage verifies it.
    claims = jwt.decode(token.token, options={"verify_signature": False})
    name = claims.get("upn") or claims.get("preferred_username") or claims.get("appid") or "unnamed"
    return f"{name} ({claims.get('oid', 'no object id')})"
