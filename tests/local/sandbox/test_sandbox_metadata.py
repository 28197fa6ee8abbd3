from fhir.resources.R4B.capabilitystatement import CapabilityStatement as R4CapabilityStatement
from fhir.resources.STU3.capabilitystatement import CapabilityStatement as Stu3CapabilityStatement

from tests.local.sandbox.asgi_client import Client


async def test_dstu2_conformance(lakeside: Client) -> None:
    statement = (await lakeside.get("metadata")).json
    assert (statement["resourceType"], statement["fhirVersion"]) == ("Conformance", "1.0.2")
    assert (statement["kind"], statement["acceptUnknown"]) == ("instance", "no")
    (rest,) = statement["rest"]
    assert (rest["mode"], rest["transactionMode"]) == ("server", "batch")


async def test_stu3_capability_statement_is_valid(northfield: Client) -> None:
    statement = (await northfield.get("metadata")).json
    Stu3CapabilityStatement.model_validate(statement)
    assert statement["fhirVersion"] == "3.0.2"
    assert statement["rest"][0]["interaction"] == [{"code": "batch"}]


async def test_r4_capability_statement_is_valid_and_names_the_token_endpoint(riverbend: Client) -> None:
    statement = (await riverbend.get("metadata")).json
    R4CapabilityStatement.model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    assert "acceptUnknown" not in statement
    (rest,) = statement["rest"]
    assert "interaction" not in rest
    (oauth_uris,) = rest["security"]["extension"]
    assert oauth_uris["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    assert oauth_uris["extension"] == [{"url": "token", "valueUri": "http://ehr.test:81/oauth2/token"}]


async def test_the_statement_promises_only_what_the_server_does(northfield: Client) -> None:
    (rest,) = (await northfield.get("metadata")).json["rest"]
    sample = {"token": "x", "string": "x", "date": "2026", "reference": "Patient/x"}
    for resource in rest["resource"]:
        assert (await northfield.get(f"{resource['type']}?_count=0", prefer="handling=strict")).status == 200
        for parameter in resource["searchParam"]:
            query = f"{resource['type']}?{parameter['name']}={sample[parameter['type']]}"
            assert (await northfield.get(query, prefer="handling=strict")).status == 200
