"""The one module that touches Microsoft's worker package, which ships no types."""

import itertools
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime
from azure_functions_runtime import handle_event
from azure_functions_runtime.bindings.datumdef import Datum as _Datum
from azure_functions_runtime.native_invocation import invocation_request_native

from local.worker.errors import HostError

Datum: Callable[[Any, str], Any] = _Datum
# (ok, return value, output bindings, exception text, traceback text)
type Outcome = tuple[bool, Any, list[Any], str | None, str | None]
invoke: Callable[..., Awaitable[Outcome]] = invocation_request_native
start_threads: Callable[[], None] = azure_functions_runtime.start_threadpool_executor
stop_threads: Callable[[], None] = azure_functions_runtime.stop_threadpool_executor
_init: Callable[[Any], Awaitable[Any]] = azure_functions_runtime.worker_init_request

SCRIPT = "function_app.py"
_loads = itertools.count(1)


class AppImportError(HostError):
    """The app raised while it was loaded; the app's exception is the cause."""


@dataclass(frozen=True, slots=True)
class IndexedFunction:
    """A function as the worker reports it; each binding is an object of the kind function.json held."""

    name: str
    function_id: str
    bindings: tuple[dict[str, Any], ...]


class _StatusResult:
    """Stands for the protobuf message; keeps the app's exception, which the runtime is handling just then."""

    Success = "success"
    Failure = "failure"

    def __init__(self, status: str, exception: object = None) -> None:
        self.status = status
        self.raised = sys.exception() if exception is not None else None


_MESSAGES = SimpleNamespace(
    BindingInfo=type("BindingInfo", (SimpleNamespace,), {"inout": 2, "out": 1}),
    RpcException=SimpleNamespace,
    RpcFunctionMetadata=SimpleNamespace,
    RpcRetryOptions=SimpleNamespace,
    StatusResult=_StatusResult,
    WorkerInitResponse=SimpleNamespace,
    WorkerMetadata=SimpleNamespace,
)


async def index(app_dir: Path) -> list[IndexedFunction]:
    """Import the app and return its functions; call it on the loop that will run them, as the worker does.

    Several apps can be indexed in one process: each load gets function ids of its own. The app's directory
    stays on ``sys.path``. Raises AppImportError if the app fails to load.
    """
    directory = _importable(app_dir)
    init = SimpleNamespace(capabilities={}, function_app_directory=directory)
    response = await _init(
        SimpleNamespace(
            request=SimpleNamespace(worker_init_request=init),
            properties={"host": "127.0.0.1", "protos": _MESSAGES},
        )
    )
    if response.result.status != _StatusResult.Success:
        raise AppImportError(
            f"{SCRIPT} failed to load: {_one_line(response.result.raised)}"
        ) from response.result.raised
    if "HttpUri" in response.capabilities:
        raise HostError("the local host does not serve the HTTP streaming extension")
    # The runtime's registry is one for the process: a second app's function would replace its namesake.
    registry: dict[str, Any] = getattr(handle_event, "_functions")._functions  # noqa: B009, SLF001 (no public way)
    load = next(_loads)
    indexed = []
    for metadata in handle_event._metadata_result or ():  # noqa: SLF001 (no public way)
        function_id = f"{metadata.function_id}.{load}"
        registry[function_id] = registry.pop(metadata.function_id)
        bindings = tuple(json.loads(binding) for binding in metadata.raw_bindings)
        indexed.append(IndexedFunction(metadata.name, function_id, bindings))
    return indexed


def _importable(app_dir: Path) -> str:
    directory = str(app_dir.resolve())
    sys.path[:] = [directory, *(entry for entry in sys.path if entry != directory)]
    sys.modules.pop("function_app", None)
    return directory


def _one_line(raised: BaseException) -> str:
    """Return an exception's message; the type is added where Python's own messages need it."""
    # The runtime appends its search path to an import error; the first sentence says what is missing.
    text = str(raised.__context__ if isinstance(raised, ImportError) and raised.__context__ else raised)
    message = " ".join(text.split())
    kind = type(raised)
    speaks_for_itself = kind.__module__ != "builtins" or isinstance(raised, ValueError | RuntimeError)
    return message if message and speaks_for_itself else f"{kind.__name__}: {message}"
