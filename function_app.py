"""The composition root: settings, then the routes. Nothing is contacted before the first request."""

import azure.functions as func

from functions import discovery, fhir, health, manage, oauth, portal, upstream_jwks
from functions.app import App
from gateway.settings import load_settings
from gateway.telemetry.logs import configure_logging
from gateway.telemetry.start import start_telemetry

_settings = load_settings()
configure_logging(_settings)
_app = App(_settings, start_telemetry(_settings))

# Anonymous for the host: its function keys would take FHIR's `?code=` for themselves. Every route authenticates itself.
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for family in (discovery, fhir, health, manage, oauth, portal, upstream_jwks):
    app.register_functions(family.blueprint(_app))
