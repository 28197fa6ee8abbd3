import gzip

import orjson
import pytest

from tests.functions.harness import BASE_URL, Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("path", "accept", "version", "resource_type"),
    [
        ("/fhir/metadata", "", "3.0.2", "CapabilityStatement"),
        ("/fhir/metadata/", "application/fhir+json", "3.0.2", "CapabilityStatement"),
        ("/fhir/dstu2/metadata", "", "1.0.2", "Conformance"),
        ("/fhir/stu3/metadata", "", "3.0.2", "CapabilityStatement"),
        ("/fhir/r4/metadata", "", "4.0.1", "CapabilityStatement"),
        ("/fhir/metadata", "application/fhir+json; fhirVersion=1.0", "1.0.2", "Conformance"),
        ("/fhir/metadata", "application/fhir+json; fhirVersion=4.0", "4.0.1", "CapabilityStatement"),
        ("/fhir/stu3/metadata", "application/fhir+json; fhirVersion=4.0", "3.0.2", "CapabilityStatement"),
    ],
)
async def test_each_face_has_its_own(
    gateway: Gateway, path: str, accept: str, version: str, resource_type: str
) -> None:
    answer = await gateway.caller.request("GET", path, headers={"accept": accept} if accept else {})
    statement = orjson.loads(answer.body)
    assert answer.status == 200
    assert (statement["fhirVersion"], statement["resourceType"]) == (version, resource_type)
    assert answer.header("content-type") == statement["format"][0]
    own = path.removesuffix("/").removesuffix("/metadata")
    assert statement["implementation"]["url"] == BASE_URL + own


async def test_head_and_compression(gateway: Gateway) -> None:
    head = await gateway.caller.request("HEAD", "/fhir/metadata")
    assert (head.status, head.body) == (200, b"")
    packed = await gateway.caller.request("GET", "/fhir/metadata", headers={"accept-encoding": "gzip"})
    assert packed.header("content-encoding") == "gzip"
    assert packed.header("vary") == "Accept, Accept-Encoding"
    assert orjson.loads(gzip.decompress(packed.body))["fhirVersion"] == "3.0.2"


@pytest.mark.parametrize(("query", "accept"), [("?_format=xml", ""), ("", "application/fhir+xml")])
async def test_no_xml(gateway: Gateway, query: str, accept: str) -> None:
    answer = await gateway.caller.request("GET", f"/fhir/metadata{query}", headers={"accept": accept} if accept else {})
    assert answer.status == 406
    assert orjson.loads(answer.body)["resourceType"] == "OperationOutcome"
