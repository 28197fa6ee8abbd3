"""Application Insights, by Azure Monitor's distribution of OpenTelemetry.

With `APPLICATIONINSIGHTS_AUTHENTICATION_STRING` (`Authorization=AAD;ClientId=…`) its exporters sign in with the managed
identity; they read that variable themselves.
"""

import logging
from importlib.metadata import entry_points

from azure.core.settings import settings as azure_settings
from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider

from gateway.settings import SettingsError
from gateway.telemetry.observing import Telemetry

LOGGER = "gateway"
_INSTRUMENTORS = "opentelemetry_instrumentor"


def open_telemetry(connection_string: str) -> Telemetry:
    """Send traces, metrics and the records of the service's loggers. Raises SettingsError.

    No library is instrumented: such spans hold the addresses that are asked, and a hospital's name patients. Where the
    Functions worker has configured the distribution before (`PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY`), what it
    instrumented is undone.
    """
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        _undo_instrumentation()
    else:
        names = {point.name for point in entry_points(group=_INSTRUMENTORS)} | {"azure_sdk"}
        try:
            configure_azure_monitor(
                connection_string=connection_string,
                logger_name=LOGGER,
                instrumentation_options={name: {"enabled": False} for name in sorted(names)},
                # It would show samples of what is sent anyway, for a request each second from every instance.
                enable_live_metrics=False,
            )
        except ValueError:
            raise SettingsError("APPLICATIONINSIGHTS_CONNECTION_STRING: is no connection string") from None
        # Its records have a handler of their own now: the root's would show, and the host collect, each a second time.
        logging.getLogger(LOGGER).propagate = False
    return Telemetry(trace.get_tracer_provider(), metrics.get_meter_provider())


def _undo_instrumentation() -> None:
    azure_settings.tracing_implementation = None
    for point in entry_points(group=_INSTRUMENTORS):
        try:
            instrumentor = point.load()()
        except ImportError:
            continue  # the library that it instruments is not here
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()
