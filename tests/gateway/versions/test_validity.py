"""Everything in the shared data, on every path, against the models of the target release."""

import subprocess
from collections.abc import Iterable
from importlib import import_module

import orjson
import pytest
from pydantic import ValidationError

from gateway.versions import Adaptation, FhirVersion, adapt_resource
from gateway.versions.table import JsonObject
from tests import environments
from tests.gateway.versions.shared_data import PATHS, Data


def adapted(data: Data, source: FhirVersion, target: FhirVersion) -> list[tuple[JsonObject, JsonObject]]:
    adaptation = Adaptation(source, target, mrn_system="http://hospital.smarthealthit.org")
    pairs = [(resource, adapt_resource(resource, adaptation)) for resource in data(source)]
    shown = [(resource, out) for resource, out in pairs if out is not None]
    assert len(shown) > 0.95 * len(pairs)  # hiding is the exception
    return shown


def stu3_errors(resource: JsonObject) -> set[str]:
    name = resource["resourceType"]
    model = getattr(import_module(f"fhir.resources.STU3.{name.lower()}"), name)
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return {f"{'.'.join(str(step) for step in e['loc'])}: {e['msg']}" for e in error.errors()}
    return set()


def test_r4_is_valid_stu3_by_the_models_of_this_environment(data: Data) -> None:
    shown = adapted(data, FhirVersion.R4, FhirVersion.STU3)
    few_observations = [out for n, (_, out) in enumerate(shown) if out["resourceType"] != "Observation" or not n % 10]
    assert {error: out["id"] for out in few_observations for error in stu3_errors(out)} == {}


def validator_lines(release: FhirVersion, resources: Iterable[JsonObject]) -> bytes:
    return b"".join(orjson.dumps([release, _as_the_models_have_it(release, one)]) + b"\n" for one in resources)


def _as_the_models_have_it(release: FhirVersion, resource: JsonObject) -> JsonObject:
    """The 6.4.0 models of DSTU2 spell AllergyIntolerance.lastOccurence with two r, the standard with one."""
    if release is FhirVersion.DSTU2 and "lastOccurence" in resource:
        return {("lastOccurrence" if key == "lastOccurence" else key): value for key, value in resource.items()}
    return resource


def validate(release: FhirVersion, resources: list[JsonObject]) -> list[set[str]]:
    folder = environments.__path__[0]
    python = environments.environment_python("fhir_resources_6")
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [python, "-W", "ignore", f"{folder}/fhir_resources_6/validate.py"],
        input=validator_lines(release, resources),
        capture_output=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(resources)
    return [{f"{path}: {message}" for path, message in orjson.loads(line)} for line in lines]


@pytest.mark.e2e
@pytest.mark.parametrize(("source", "target"), PATHS)
def test_every_resource_is_valid_in_the_target_or_was_not_in_the_source(
    data: Data, source: FhirVersion, target: FhirVersion
) -> None:
    """No error beyond those that the source had. DSTU2's Coverage has no model: its table is tested by example."""
    shown = [
        (before, after)
        for before, after in adapted(data, source, target)
        if not (before["resourceType"] == "Coverage" and target is FhirVersion.DSTU2)
    ]
    after = validate(target, [out for _, out in shown])
    wrong = [(resource, out, errors) for (resource, out), errors in zip(shown, after, strict=True) if errors]
    before = validate(source, [resource for resource, _, _ in wrong])
    new = {
        f"{out['resourceType']}/{out['id']}": errors
        for (_, out, errors), had in zip(wrong, before, strict=True)
        if len(errors) > len(had)
    }
    assert new == {}


@pytest.mark.e2e
def test_the_validator_finds_errors() -> None:
    bad = {"resourceType": "Patient", "name": [{"family": "Black"}]}
    assert validate(FhirVersion.DSTU2, [bad]) != [set()]
    assert validate(FhirVersion.STU3, [bad]) == [set()]
