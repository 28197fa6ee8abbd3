"""A FHIR STU3 server on fhirstarter: `python serve.py FOLDER PORT KEY` serves the NDJSON files of a folder by type.

The framework routes, parses searches, validates every resource that it hands out and
makes the capability statement. Of searches it is told the ones below; it neither sorts nor pages nor counts, and every
request but `/metadata` needs the key in the header X-Api-Key.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from secrets import compare_digest
from typing import Any

os.environ["FHIR_SEQUENCE"] = "STU3"

import uvicorn
from fastapi import Depends
from fhir.resources.STU3.bundle import Bundle
from fhir.resources.STU3.patient import Patient
from fhirstarter import FHIRProvider, FHIRStarter, InteractionContext
from fhirstarter.exceptions import FHIRResourceNotFoundError, FHIRUnauthorizedError
from starlette.requests import Request

FOLDER, PORT, KEY = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

type Resources = dict[str, dict[str, Any]]


def checked(request: Request) -> None:
    if not compare_digest(request.headers.get("X-Api-Key", ""), KEY):
        raise FHIRUnauthorizedError("The key is missing or wrong.")


provider = FHIRProvider(dependencies=[Depends(checked)])


def searchset(found: list[dict[str, Any]]) -> Bundle:
    entries = [{"resource": each, "search": {"mode": "match"}} for each in found]
    return Bundle.model_validate({"type": "searchset", **({"entry": entries} if entries else {})})


def serve_reads(model: type, resources: Resources) -> None:
    async def read(context: InteractionContext, id_: str) -> model:
        del context
        if id_ not in resources:
            raise FHIRResourceNotFoundError
        return model.model_validate(resources[id_])

    provider.read(model)(read)


def serve_patients(resources: Resources) -> None:
    async def search(
        context: InteractionContext,
        family: str | None,
        given: str | None,
        gender: str | None,
        birthdate: str | None,
        identifier: str | None,
    ) -> Bundle:
        del context

        def holds(patient: dict[str, Any]) -> bool:
            names = patient.get("name", [])
            values = {word for each in patient.get("identifier", []) for word in spelled(each)}
            return (
                (gender is None or patient.get("gender") == gender)
                and (birthdate is None or patient.get("birthDate") == birthdate)
                and (family is None or any(each.get("family", "").lower().startswith(family.lower()) for each in names))
                and (
                    given is None
                    or any(word.lower().startswith(given.lower()) for each in names for word in each.get("given", []))
                )
                and (identifier is None or identifier in values)
            )

        return searchset([each for each in resources.values() if holds(each)])

    provider.search_type(Patient)(search)


def spelled(identifier: dict[str, Any]) -> tuple[str, str]:
    return identifier.get("value", ""), f"{identifier.get('system', '')}|{identifier.get('value', '')}"


def serve_searches(model: type, resources: Resources) -> None:
    async def by_patient(context: InteractionContext, patient: str | None) -> Bundle:
        del context
        return searchset([each for each in resources.values() if patient is None or about(each, patient)])

    async def by_beneficiary(context: InteractionContext, beneficiary: str | None) -> Bundle:
        del context
        return searchset([each for each in resources.values() if beneficiary is None or about(each, beneficiary)])

    by = by_beneficiary if model.get_resource_type() == "Coverage" else by_patient
    provider.search_type(model)(by)


def about(resource: dict[str, Any], patient: str) -> bool:
    holders = (resource.get(name, {}) for name in ("subject", "patient", "beneficiary"))
    return any(each.get("reference") == f"Patient/{patient.rpartition('/')[2]}" for each in holders)


SEARCHED = {"Encounter", "Condition", "Observation", "AllergyIntolerance", "MedicationRequest", "Coverage"}

for path in sorted(FOLDER.glob("*.ndjson")):
    model = getattr(import_module(f"fhir.resources.STU3.{path.stem.lower()}"), path.stem)
    resources = {each["id"]: each for each in map(json.loads, path.read_text("utf-8").splitlines())}
    serve_reads(model, resources)
    if path.stem == "Patient":
        serve_patients(resources)
    elif path.stem in SEARCHED:
        serve_searches(model, resources)

app = FHIRStarter(title="STU3")
app.add_providers(provider)
uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
