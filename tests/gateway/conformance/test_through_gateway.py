"""A tenant is checked twice; what the app gets through the gateway counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.conformance import Options, Report, Status, check_tenant
from gateway.versions import FhirVersion
from local.sandbox.hospitals import Hospital
from tests.functions.harness import Gateway
from tests.gateway.conformance import faults
from tests.gateway.conformance.fake_server import Fault, able_hospital, resources_of, serve
from tests.gateway.conformance.in_chinese import untold


async def checked(
    gateway: Gateway, hospital: Hospital, fault: Fault, options: Options | None = None, *, system: str = "generic"
) -> Report:
    async with serve(hospital, fault) as server:
        service, tenant = gateway.service, server.tenant(system=system)
        return await check_tenant(tenant, service.settings, service.secrets, service.fhir, options or Options())


def hospital(name: str, home: Path, fault: Fault = Fault()) -> Hospital:  # noqa: B008  # frozen
    resources = resources_of(name)
    fault.data(resources)
    home.mkdir(exist_ok=True)
    return able_hospital(name, home, resources)


def sides(report: Report, check_id: str) -> tuple[Status, Status | None, Status]:
    """Of one check: the server alone, through the gateway, and what counts."""
    result = next(result for result in report.results if result.check.id == check_id)
    return result.server.status, result.gateway.status if result.gateway else None, result.status


def attention(report: Report) -> dict[str, tuple[str, ...]]:
    return {
        result.check.id: (result.gateway or result.server).found
        for result in report.results
        if result.status in (Status.FAIL, Status.WARN)
    }


@pytest.mark.parametrize(("name", "face"), [("northfield", "stu3"), ("lakeside", "dstu2")])
async def test_a_server_of_the_apps_version_works_through_the_gateway(
    gateway: Gateway, tmp_path: Path, name: str, face: str
) -> None:
    report = await checked(gateway, hospital(name, tmp_path / "data"), Fault())
    assert report.subject.face == face
    assert attention(report) == {}
    assert report.requests["gateway"] > 40


@pytest.mark.parametrize("face", [FhirVersion.STU3, FhirVersion.DSTU2])
async def test_no_must_fails_for_an_r4_server_that_neither_sorts_nor_batches(
    gateway: Gateway, tmp_path: Path, face: FhirVersion
) -> None:
    poor = replace(hospital("riverbend", tmp_path / "data"), sort=False, batch=False)
    report = await checked(gateway, poor, Fault(), Options(face=face))
    assert report.subject.fhir_version == "r4"
    assert report.subject.face == face
    assert {one.check.id for one in report.results if one.status is Status.FAIL} == set()
    # The server alone lacks what the gateway does for it.
    assert sides(report, "encounter.order") == (Status.WARN, Status.PASS, Status.PASS)
    assert sides(report, "batch") == (Status.WARN, Status.PASS, Status.PASS)
    assert sides(report, "medication.drug") == (Status.WARN, Status.PASS, Status.PASS)
    assert untold(report) == []


async def test_a_field_that_the_face_does_not_have_does_not_count(gateway: Gateway, tmp_path: Path) -> None:
    fault = faults.lacking("AllergyIntolerance", "clinicalStatus")
    riverbend = hospital("riverbend", tmp_path / "data", fault)
    # DSTU2 has one status of an allergy, which is made of two.
    report = await checked(gateway, riverbend, fault, Options(face=FhirVersion.DSTU2))
    assert sides(report, "allergy.clinical-status") == (Status.FAIL, Status.SKIPPED, Status.SKIPPED)
    assert sides(report, "allergy.status")[0] is Status.SKIPPED
    # The server's owner is told of the element in the server's own version.
    mends = {result.check.id: result.mend for result in report.results}
    assert mends["allergy.clinical-status"] == "Fill AllergyIntolerance.clinicalStatus.coding.code."
    assert mends["medication.prescriber"] == "Fill MedicationRequest.requester.display."
    assert untold(report) == []


async def test_what_the_gateway_mends_is_a_pass_with_its_remedy(gateway: Gateway, tmp_path: Path) -> None:
    fault = Fault(
        after=faults.changed(lambda bundle: bundle.pop("total", None), faults.search("Patient")).after,
        data=faults.each("Patient", faults.untyped_identifiers).data,
    )
    report = await checked(gateway, hospital("northfield", tmp_path / "data", fault), fault)
    assert sides(report, "patient.total") == (Status.WARN, Status.PASS, Status.PASS)
    assert sides(report, "patient.mrn") == (Status.WARN, Status.PASS, Status.PASS)
    remedies = {result.check.id: result.remedy for result in report.results}
    assert remedies["patient.total"] == "The gateway walks the pages and counts."
    assert remedies["patient.mrn"] == "The gateway takes it from the identifier of the tenant's MRN system."
    assert untold(report) == []


async def test_a_profile_that_claims_too_much_fails_and_another_is_proposed(gateway: Gateway, tmp_path: Path) -> None:
    unsorted = Fault(after=faults.changed(faults.reverse, faults.search("Encounter")).after)
    report = await checked(gateway, hospital("northfield", tmp_path / "data"), unsorted, system="hapi")
    assert sides(report, "encounter.order") == (Status.FAIL, Status.FAIL, Status.FAIL)
    assert report.verdict is Status.FAIL
    assert report.proposal.system != "hapi"
    assert "_sort: the profile says yes, the server does not" in report.proposal.differences
    assert untold(report) == []


async def test_a_refused_credential_is_named_once(gateway: Gateway, tmp_path: Path) -> None:
    fault = faults.answered(faults.status(401), lambda asked: asked.below != "metadata")
    report = await checked(gateway, hospital("northfield", tmp_path / "data"), fault)
    assert set(attention(report)) == {"credential.accepted"}
    assert untold(report) == []
