import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import HttpUrl, SecretStr

from gateway.fhir.capability import capability_statement
from gateway.fhir.faces import FACES
from gateway.settings import Settings
from gateway.versions import FhirVersion, is_mapped
from gateway.versions.search_parameters import COMMON, PARAMETERS
from tests import environments

SETTINGS = Settings(
    public_base_url=HttpUrl("https://gateway.example"), tables_connection=SecretStr("UseDevelopmentStorage=true")
)
NAMES = {"MedicationOrder": "MedicationRequest"}
VALIDATOR = Path(environments.__path__[0]) / "fhir_resources_6" / "validate.py"


def statement(version: FhirVersion) -> dict[str, Any]:
    return capability_statement(FACES[version], f"/{version}", SETTINGS)


@pytest.mark.parametrize(
    ("version", "module"),
    [(FhirVersion.STU3, "fhir.resources.STU3"), (FhirVersion.R4, "fhir.resources.R4B")],
)
def test_valid_by_the_models_of_this_environment(version: FhirVersion, module: str) -> None:
    model = import_module(f"{module}.capabilitystatement").CapabilityStatement
    model.model_validate(statement(version))


@pytest.mark.e2e
def test_valid_by_the_models_that_know_dstu2() -> None:
    lines = b"".join(orjson.dumps([version, statement(version)]) + b"\n" for version in FhirVersion)
    python = environments.environment_python("fhir_resources_6")
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [python, "-W", "ignore", VALIDATOR], input=lines, capture_output=True, check=True
    )
    assert [orjson.loads(line) for line in done.stdout.splitlines()] == [[], [], []]


@pytest.mark.parametrize(
    ("version", "resource_type", "number", "media_type"),
    [
        (FhirVersion.DSTU2, "Conformance", "1.0.2", "application/json+fhir"),
        (FhirVersion.STU3, "CapabilityStatement", "3.0.2", "application/fhir+json"),
        (FhirVersion.R4, "CapabilityStatement", "4.0.1", "application/fhir+json"),
    ],
)
def test_what_the_app_reads(version: FhirVersion, resource_type: str, number: str, media_type: str) -> None:
    read = statement(version)
    assert (read["resourceType"], read["fhirVersion"], read["format"][0]) == (resource_type, number, media_type)
    (rest,) = read["rest"]
    assert rest["mode"] == "server"
    assert rest["interaction"]
    oauth = rest["security"]["extension"][0]
    assert oauth["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    assert {"url": "token", "valueUri": "https://gateway.example/oauth2/token"} in oauth["extension"]
    codings = rest["security"]["service"][0]["coding"]
    assert {
        "https://hl7.org/fhir/ValueSet/restful-security-service",
        "http://hl7.org/fhir/restful-security-service",
    } <= {coding["system"] for coding in codings}
    types = {resource["type"] for resource in rest["resource"]}
    medication = "MedicationOrder" if version is FhirVersion.DSTU2 else "MedicationRequest"
    assert types >= {
        "Patient", "Observation", "Condition", "Encounter", "AllergyIntolerance", medication, "MedicationStatement",
        "Coverage", "Location",
    }  # fmt: skip


def test_system_interactions_are_those_of_the_release() -> None:
    # http://hl7.org/fhir/DSTU2/valueset-system-restful-interaction.html
    dstu2 = statement(FhirVersion.DSTU2)["rest"][0]
    assert [each["code"] for each in dstu2["interaction"]] == ["transaction"]
    assert dstu2["transactionMode"] == "batch"
    assert [each["code"] for each in statement(FhirVersion.STU3)["rest"][0]["interaction"]] == ["batch"]


@pytest.mark.parametrize("version", FhirVersion)
def test_every_face_can_do_what_it_says_whatever_the_server(version: FhirVersion) -> None:
    for resource in statement(version)["rest"][0]["resource"]:
        name = NAMES.get(resource["type"], resource["type"])
        assert is_mapped(name, FhirVersion.R4, version)
        known = PARAMETERS.get(name, {}).get((version, FhirVersion.R4), {})
        for parameter in resource["searchParam"]:
            assert parameter["name"] in known or parameter["name"] in COMMON or (name, parameter["name"]) == (
                "Coverage", "patient",
            )  # fmt: skip
