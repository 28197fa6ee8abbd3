"""The check sends a tenant's fixed headers and parameters, on both sides, and its report holds none."""

from pathlib import Path
from urllib.parse import parse_qsl

import orjson
import pytest

from gateway.conformance import Options, Status, check_tenant, to_document
from gateway.conformance.page import to_html
from gateway.conformance.unregistered import NotAServer, unregistered
from tests.functions.harness import Gateway
from tests.gateway.conformance.fake_server import Fault, able_hospital, resources_of, serve

SOURCE, PRACTICE = "3f9c0a52-7d1e-4c57-9b6a-2f1f6a0f4d11", "Organization/a-1.Practice-195900"


@pytest.mark.parametrize("system", ["generic", "hapi"])
async def test_every_request_of_a_check_has_them(gateway: Gateway, tmp_path: Path, system: str) -> None:
    (tmp_path / "data").mkdir()
    hospital = able_hospital("northfield", tmp_path / "data", resources_of("northfield"))
    async with serve(hospital, Fault()) as server:
        extras = {"extra_headers": {"Redox-Source-Id": SOURCE}, "extra_parameters": {"ah-practice": PRACTICE}}
        tenant = server.tenant(system=system, **extras)
        service = gateway.service
        report = await check_tenant(tenant, service.settings, service.secrets, service.fhir, Options())
    assert len(server.seen) > 40
    assert {asked.headers.get("redox-source-id") for asked in server.seen} == {SOURCE}
    asked_by = [[value for name, value in parse_qsl(asked.query) if name == "ah-practice"] for asked in server.seen]
    assert all(values == [PRACTICE] for values in asked_by)
    assert [result.check.id for result in report.results if result.status is Status.FAIL] == []
    written = orjson.dumps(to_document(report)).decode() + to_html(report)
    assert "ah-practice" not in written
    assert SOURCE not in written


def test_a_server_that_is_no_tenant_may_want_them_too() -> None:
    extras = {"extra_headers": {"Redox-Source-Id": SOURCE}, "extra_parameters": {"ah-practice": PRACTICE}}
    tenant = unregistered("https://ehr.example/fhir", None, **extras)
    assert (tenant.extra_headers, tenant.extra_parameters) == tuple(extras.values())
    with pytest.raises(NotAServer, match="extra_headers: must not hold Host"):
        unregistered("https://ehr.example/fhir", None, extra_headers={"Host": "x"})
