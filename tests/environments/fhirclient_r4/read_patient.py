"""Reads a patient as a backend service: JSON settings on standard input, JSON on standard output."""

import json
import sys

from fhirclient.client import FHIRClient
from fhirclient.models.patient import Patient

settings = json.load(sys.stdin)
smart = FHIRClient(
    settings={
        "app_id": settings["client_id"],
        "app_secret": settings.get("client_secret"),
        "api_base": settings["api_base"],
        "scope": settings["scope"],
        "jwt_token": settings.get("assertion"),
    }
)
smart.wants_patient = False
smart.prepare()
smart.authorize()
patient = Patient.read(settings["patient"], smart.server)
json.dump({"id": patient.id, "family": patient.name[0].family}, sys.stdout)
