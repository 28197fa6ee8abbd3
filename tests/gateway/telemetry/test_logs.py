import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from azure.core.pipeline.policies import HttpLoggingPolicy

from gateway.settings import Settings
from gateway.telemetry.logs import THIRD_PARTIES, JsonFormatter, configure_logging

QUERY = "Patient?name=Featherstone"


def settings(**fields: str) -> Settings:
    return Settings.model_validate(
        {"public_base_url": "https://g.example", "tables_connection": "UseDevelopmentStorage=true", **fields}
    )


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """The service's loggers as in a fresh process, and nothing left of what a test did."""
    loggers = [logging.getLogger(name) for name in ("gateway", "", *THIRD_PARTIES)]
    before = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    loggers[0].handlers = []
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_configuring_twice_writes_once() -> None:
    logger = logging.getLogger("gateway")
    configure_logging(settings(log_level="WARNING"))
    configure_logging(settings(log_level="WARNING"))
    assert len(logger.handlers) == 1
    assert logger.level == logging.WARNING


def test_a_root_handler_does_not_write_a_line_again(capsys: pytest.CaptureFixture[str]) -> None:
    root = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(root))
    configure_logging(settings())
    logging.getLogger("gateway.events").info("once", extra={"event": "test"})
    lines = [line for line in capsys.readouterr().err.splitlines() if "once" in line]
    assert [json.loads(line)["event"] for line in lines] == ["test"]
    assert root.getvalue() == ""


def test_with_application_insights_nothing_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(applicationinsights_connection_string="InstrumentationKey=x"))
    logging.getLogger("gateway.events").info("elsewhere")
    assert capsys.readouterr().err == ""


async def test_the_most_verbose_run_tells_no_address_of_what_libraries_ask() -> None:
    told = io.StringIO()
    root = logging.getLogger()
    root.addHandler(logging.StreamHandler(told))
    root.setLevel(logging.DEBUG)
    configure_logging(settings(log_level="DEBUG"))
    async with _server() as origin, aiohttp.ClientSession() as session, session.get(f"{origin}/{QUERY}") as answer:
        assert answer.status == 200
    # What the Azure SDK logs requests with; aiohttp, urllib3 and msal have their own names.
    for name in ("azure.core.pipeline.policies.http_logging_policy", "urllib3.connectionpool", "msal.application"):
        logging.getLogger(name).debug("GET /%s", QUERY)
        logging.getLogger(name).info("GET /%s", QUERY)
    assert HttpLoggingPolicy.__module__.startswith("azure.core.")
    assert "Featherstone" not in told.getvalue()


class _server:  # noqa: N801  # reads as the server it is
    def __init__(self) -> None:
        application = web.Application()
        application.router.add_get("/{path:.*}", _ok)
        self._runner = web.AppRunner(application)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def _ok(_: web.Request) -> web.Response:
    return web.Response()


def test_an_exceptions_text_stays_out_of_the_log() -> None:
    try:
        int("Featherstone, born 1950")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    event = json.loads(JsonFormatter().format(record))
    assert event["exception"] == "ValueError"
    assert f"{Path(__file__).name}:" in event["where"]
    assert "Featherstone" not in str(event)
