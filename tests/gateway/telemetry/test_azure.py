import logging
from importlib.metadata import entry_points
from typing import Any

import pytest
from azure.identity import ManagedIdentityCredential
from azure.monitor.opentelemetry.exporter.export import _base
from opentelemetry import trace
from opentelemetry.trace import ProxyTracerProvider

from gateway.settings import Settings, SettingsError
from gateway.telemetry import azure
from gateway.telemetry.observing import Telemetry
from gateway.telemetry.start import start_telemetry

CONNECTION = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://ingestion.example/"


def settings(**fields: str) -> Settings:
    return Settings.model_validate(
        {"public_base_url": "https://g.example", "tables_connection": "UseDevelopmentStorage=true", **fields}
    )


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the distribution is configured with; it would start threads that send."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(azure, "configure_azure_monitor", lambda **options: calls.append(options))
    return calls


def test_without_a_connection_string_there_is_no_telemetry() -> None:
    assert start_telemetry(settings()) is None


def test_every_library_stays_as_it_is(configured: list[dict[str, Any]]) -> None:
    assert isinstance(trace.get_tracer_provider(), ProxyTracerProvider)
    assert isinstance(start_telemetry(settings(applicationinsights_connection_string=CONNECTION)), Telemetry)
    (options,) = configured
    assert options["connection_string"] == CONNECTION
    assert options["logger_name"] == "gateway"
    assert "credential" not in options
    assert not logging.getLogger("gateway").propagate
    switched = {name: option["enabled"] for name, option in options["instrumentation_options"].items()}
    installed = {point.name for point in entry_points(group="opentelemetry_instrumentor")}
    assert {"requests", "urllib3", "azure_sdk"} <= installed | {"azure_sdk"} <= switched.keys()
    assert not any(switched.values())


def test_a_wrong_connection_string_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ValueError("Invalid connection string")

    monkeypatch.setattr(azure, "configure_azure_monitor", refuse)
    with pytest.raises(SettingsError, match=r"^APPLICATIONINSIGHTS_CONNECTION_STRING: "):
        start_telemetry(settings(applicationinsights_connection_string="nonsense"))


def test_the_exporters_sign_in_with_the_managed_identity_that_the_app_setting_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The exporter reads it by itself, so nothing of this service would notice if it stopped."""
    monkeypatch.setenv("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "ClientId=the-id;Authorization=AAD")
    assert isinstance(_base._get_authentication_credential(), ManagedIdentityCredential)
    monkeypatch.delenv("APPLICATIONINSIGHTS_AUTHENTICATION_STRING")
    assert _base._get_authentication_credential() is None


def test_what_the_worker_instrumented_is_undone(
    monkeypatch: pytest.MonkeyPatch, configured: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor  # noqa: PLC0415  # only this test needs it
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    instrumentor = URLLib3Instrumentor()
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    instrumentor.instrument(skip_dep_check=True)
    try:
        with caplog.at_level(logging.WARNING):
            azure.open_telemetry(CONNECTION)
        assert not instrumentor.is_instrumented_by_opentelemetry
    finally:
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()
    assert configured == []
