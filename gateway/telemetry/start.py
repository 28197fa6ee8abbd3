"""Switches telemetry on, where there is somewhere to send it to. What costs start-up time is imported only then."""

from typing import TYPE_CHECKING

from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.telemetry.observing import Telemetry


def start_telemetry(settings: Settings) -> "Telemetry | None":
    """Traces, metrics and the service's log records to Application Insights; None without its connection string.
    Raises SettingsError for a connection string that is none.
    """
    if settings.applicationinsights_connection_string is None:
        return None
    from gateway.telemetry.azure import open_telemetry  # noqa: PLC0415  # a third of a second

    return open_telemetry(settings.applicationinsights_connection_string.get_secret_value())
