"""Writes down what a process logs, at the most verbose, and the secrets that it makes or sends.

Only the standard library: it runs in programs of other environments too.
"""

import base64
import http.client
import logging
import os
import re
import secrets
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

FOLDER_VARIABLE = "PRIVACY_RECORDS"

# Random, but made to be seen: the first part of tokens' ids, and the page keys in the sandbox's links.
_NOT_SECRET = frozenset({"gateway.tokens.issuer", "local.sandbox.searches"})
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SENT = re.compile(r"(?:client_secret|client_assertion|access_token|token|password)=([^&\s]+)")
_LEAST_CHARACTERS = 16


class Records:
    """`<program>.<process>.log` and `.secrets` in a folder; both are there from the start: none can be missed."""

    def __init__(self, folder: Path, program: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{program}.{os.getpid()}-{uuid4().hex[:8]}"
        self._log = (folder / f"{name}.log").open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
        self._secrets = (folder / f"{name}.secrets").open("a", buffering=1, encoding="utf-8")
        self._known: set[str] = set()
        # Tracebacks with the exceptions' texts, as the Functions worker writes them.
        self._formatter = logging.Formatter("%(levelname)s %(name)s: %(message)s")

    def log(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        self._log.write(f"{self._formatter.format(record)} {extra or ''}\n")

    def secret(self, value: str) -> None:
        if len(value) >= _LEAST_CHARACTERS and value not in self._known:
            self._known.add(value)
            self._secrets.write(value + "\n")

    def close(self) -> None:
        self._log.close()
        self._secrets.close()


def start(folder: Path, program: str, *, ours: tuple[str, ...] = ("",)) -> ExitStack:
    """Record until the result is closed, or until the process ends. `ours` are the first words of the names of the
    loggers that count; every logger by default, and none of any when empty.
    """
    records, undo = Records(folder, program), ExitStack()
    undo.callback(records.close)
    _log_everything(records, undo, ours)
    _note_secrets(records, undo)
    return undo


def _log_everything(records: Records, undo: ExitStack, ours: tuple[str, ...]) -> None:
    hand_on = logging.Logger.callHandlers

    def recorded(self: logging.Logger, record: logging.LogRecord) -> None:
        if any(not first or record.name.partition(".")[0] == first for first in ours):
            records.log(record)
        hand_on(self, record)

    undo.enter_context(patch.object(logging.Logger, "callHandlers", recorded))
    if ours != ("",):
        for name in ours:
            logger = logging.getLogger(name)
            undo.callback(logging.Logger.setLevel, logger, logger.level)
            logger.setLevel(logging.DEBUG)
        return
    logging.getLogger().setLevel(logging.DEBUG)

    def only_lower(self: logging.Logger, level: int | str) -> None:
        """A program's wish to hear less of a library is not granted."""

    undo.enter_context(patch.object(logging.Logger, "setLevel", only_lower))


def _note_secrets(records: Records, undo: ExitStack) -> None:
    for name in ("token_urlsafe", "token_hex", "token_bytes"):
        undo.enter_context(patch.object(secrets, name, _noted(getattr(secrets, name), records)))
    connection = http.client.HTTPConnection
    put_header, send = connection.putheader, connection.send

    def putheader(self: http.client.HTTPConnection, header: str, *values: bytes | str) -> None:
        if str(header).lower() == "authorization":
            for value in values:
                text = value.decode("latin-1") if isinstance(value, bytes) else value
                records.secret(text.partition(" ")[2])
        put_header(self, header, *values)

    def sent(self: http.client.HTTPConnection, data: object) -> None:
        if isinstance(data, bytes):
            for value in _SENT.findall(data.decode("latin-1")):
                records.secret(value)
        send(self, data)  # type: ignore[arg-type]  # as it was given

    undo.enter_context(patch.object(connection, "putheader", putheader))
    undo.enter_context(patch.object(connection, "send", sent))


def _noted[T: (str, bytes)](make: Callable[[int | None], T], records: Records) -> Callable[[int | None], T]:
    def noted(nbytes: int | None = None) -> T:
        value = make(nbytes)
        if sys._getframe(1).f_globals.get("__name__") not in _NOT_SECRET:  # who asked for it
            for text in _written(value):
                records.secret(text)
        return value

    return noted


def _written(value: str | bytes) -> tuple[str, ...]:
    """In the forms in which a secret may be written down."""
    if isinstance(value, str):
        return (value,)
    return value.hex(), base64.urlsafe_b64encode(value).rstrip(b"=").decode()
