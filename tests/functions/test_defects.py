import logging

import azure.functions as func
import orjson
import pytest

from functions.app import App
from gateway.exchange import Request, Response, Timing
from gateway.settings import Settings

SETTINGS = Settings.model_validate(
    {"public_base_url": "https://g.example", "tables_connection": "UseDevelopmentStorage=true"}
)


async def fail(_request: Request, _timing: Timing) -> Response:
    raise LookupError("Featherstone, born 1950")


async def test_a_defect_is_500_without_the_exceptions_text_and_an_event(caplog: pytest.LogCaptureFixture) -> None:
    http = func.HttpRequest("GET", "https://g.example/fhir/Patient", headers={"x-request-id": "c0ffee"}, body=b"")
    answer = await App(SETTINGS).answer(http, fail)
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (500, "c0ffee")
    assert orjson.loads(answer.get_body()) == {"error": "internal_error"}
    (record,) = caplog.records
    event = vars(record)
    assert (record.levelno, event["event"], event["error"]) == (logging.ERROR, "request-failed", "LookupError")
    assert "test_defects.py:" in event["where"]
    assert event["correlation_id"] == "c0ffee"
    assert record.exc_info is None
    assert "Featherstone" not in str(event)
