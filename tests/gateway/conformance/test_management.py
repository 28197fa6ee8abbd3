"""`POST /manage/v1/tenants/{id}/check`."""

import json
from pathlib import Path
from uuid import uuid4

import jsonschema_rs
import pytest

from gateway.conformance.document import SCHEMA
from gateway.errors import Unknown, UpstreamTimeout
from gateway.manage import conformance
from gateway.manage.openapi import openapi
from tests.functions.harness import Gateway
from tests.gateway.conformance.fake_server import Fault, able_hospital, resources_of, serve


async def test_the_report_is_the_documented_one(gateway: Gateway, tmp_path: Path) -> None:
    hospital = able_hospital("northfield", tmp_path, resources_of("northfield"))
    async with serve(hospital, Fault()) as server:
        tenant_id = await gateway.tenant(server.fhir_url, "stu3")
        report = await gateway.service.operations.check(tenant_id)
    document = report.model_dump(mode="json")
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(document)
    assert document["verdict"] == "pass"
    assert document["subject"]["tenant_id"] == tenant_id
    assert {check["gateway"] is not None for check in document["checks"]} == {True}


async def test_the_file_is_made_once_a_language(gateway: Gateway, tmp_path: Path) -> None:
    hospital = able_hospital("northfield", tmp_path, resources_of("northfield"))
    async with serve(hospital, Fault()) as server:
        files = await gateway.service.operations.check_files(await gateway.tenant(server.fhir_url, "stu3"))
    english = files.html("en", lambda text: text)
    assert files.html("en", pytest.fail) is english
    chinese = files.html("zh-Hans", lambda text: f"<{text}>")
    assert files.html("zh-Hans", pytest.fail) is chinese
    assert '<html lang="zh-Hans"' in chinese
    assert '<html lang="en"' in english


async def test_only_an_operator_may_ask(gateway: Gateway) -> None:
    answer = await gateway.caller.request("POST", f"/manage/v1/tenants/{uuid4()}/check")
    assert answer.status == 401
    assert answer.header("content-type") == "application/problem+json"


async def test_an_unknown_tenant_is_unknown(gateway: Gateway) -> None:
    with pytest.raises(Unknown):
        await gateway.service.operations.check(str(uuid4()))


async def test_a_check_that_takes_too_long_ends(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "MOST_SECONDS", 0.01)
    hospital = able_hospital("northfield", tmp_path, resources_of("northfield"))
    async with serve(hospital, Fault()) as server:
        tenant_id = await gateway.tenant(server.fhir_url, "stu3")
        with pytest.raises(UpstreamTimeout):
            await gateway.service.operations.check(tenant_id)


def test_the_route_is_in_the_openapi_document() -> None:
    operation = openapi("https://gateway.example/manage/v1")["paths"]["/tenants/{id}/check"]["post"]
    assert operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert "504" in operation["responses"]
