"""Reads a chart with the fhirclient of its FHIR release: JSON settings on standard input, JSON on standard output.

Its models refuse what is not valid STU3.
"""

import json
import sys

from fhirclient.client import FHIRClient
from fhirclient.models.allergyintolerance import AllergyIntolerance
from fhirclient.models.condition import Condition
from fhirclient.models.coverage import Coverage
from fhirclient.models.encounter import Encounter
from fhirclient.models.medicationrequest import MedicationRequest
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient

settings = json.load(sys.stdin)
smart = FHIRClient(
    settings={
        "app_id": settings["client_id"],
        "app_secret": settings["client_secret"],
        "api_base": settings["api_base"],
        "redirect_uri": "http://localhost/unused",
    }
)
server = smart.server
server.get_capability()
# This release knows the authorization code flow only; its own token request serves client credentials as well.
server.auth._request_access_token(server, {"grant_type": "client_credentials", "scope": settings["scope"]})

patient = Patient.read(settings["patient"], server)


def search(model: type, **parameters: str) -> list:
    return model.where({"patient": patient.id, **parameters}).perform_resources(server)


encounters = search(Encounter, **{"_sort:desc": "date", "_count": "1"})
orders = search(MedicationRequest)
json.dump(
    {
        "fhirVersion": server.capabilityStatement.fhirVersion,
        "family": patient.name[0].family,
        "identifiers": [identifier.value for identifier in patient.identifier],
        "practitioners": [reference.display for reference in patient.generalPractitioner or []],
        "vitals": sorted(
            found.code.coding[0].code for found in search(Observation, category="vital-signs", _count="100")
        ),
        "conditions": sorted(found.code.coding[0].display for found in search(Condition)),
        "clinical": sorted({found.clinicalStatus for found in search(Condition)}),
        "location": encounters[0].location[0].location.display,
        "allergies": sorted(found.code.text or found.code.coding[0].display for found in search(AllergyIntolerance)),
        "drugs": sorted(found.medicationCodeableConcept.text for found in orders if found.medicationCodeableConcept),
        "requesters": sorted({found.requester.agent.display for found in orders if found.requester}),
        "subscribers": sorted(found.subscriberId for found in search(Coverage)),
        "groups": sorted(found.grouping.groupDisplay for found in search(Coverage)),
    },
    sys.stdout,
)
