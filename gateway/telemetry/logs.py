"""Where log records go, and in which form."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.settings import Settings
from gateway.telemetry.events import place_of

THIRD_PARTIES = (
    "aiohttp",
    "asyncio",
    "azure.core",
    "azure.data",
    "azure.identity",
    "azure.keyvault",
    "azure.monitor",
    "httptools",
    "jwt",
    "msal",
    "opentelemetry",
    "requests",
    "urllib3",
)
"""Libraries whose lines below WARNING tell URLs, headers or what a coroutine was called with."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record and its `extra` as one line of JSON. Of an exception only the type and where it came from."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        event |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[0]:
            event["exception"] = record.exc_info[0].__name__
            if where := place_of(record.exc_info[2]):
                event["where"] = where
        return orjson.dumps(event, default=str).decode()


class _GatewayHandler(logging.StreamHandler[Any]):
    """Told apart from handlers of others, so that configuring twice adds no second one."""


def configure_logging(settings: Settings) -> None:
    """Let the service's loggers write at `LOG_LEVEL`, and nobody else's below WARNING. Where no Application Insights
    collects them, the service's lines go to standard error as JSON, and nowhere else: whatever the host does with its
    root logger, no line comes twice. Calling it again only changes the level.
    """
    for name in THIRD_PARTIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logger = logging.getLogger("gateway")
    logger.setLevel(settings.log_level)
    if settings.applicationinsights_connection_string is not None:
        return  # `gateway.telemetry.azure` takes the records there
    logger.propagate = False
    if not any(isinstance(handler, _GatewayHandler) for handler in logger.handlers):
        handler = _GatewayHandler(sys.stderr)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
