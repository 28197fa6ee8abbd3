"""The capability statement of a hospital, made from the tables that its server works by.

DSTU2 calls it Conformance (http://hl7.org/fhir/DSTU2/conformance.html), STU3 and R4 CapabilityStatement.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from local.sandbox.hospitals import ApiKeyAccess, Hospital, OAuthAccess, OpenAccess
from local.sandbox.matching import MODIFIERS
from local.sandbox.releases import RELEASES
from local.sandbox.search_parameters import SEARCH_PARAMETERS, SearchParameter

_DATE = "2026-10-30"
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def capability_statement(hospital: Hospital, types: Sequence[str], base: str) -> dict[str, Any]:
    """Return what the server at `base` supports, in the shape of its FHIR version."""
    release = RELEASES[hospital.version]
    statement: dict[str, Any] = {
        "resourceType": release.metadata_type,
        "status": "active",
        "date": _DATE,
        "publisher": hospital.display_name,
        "kind": "instance",
        "software": {"name": "Sandbox EHR"},
        "implementation": {"description": f"{hospital.display_name}, fictional patients only", "url": base},
        "fhirVersion": release.fhir_version,
        "format": ["json", release.media_type],
        "rest": [_rest(hospital, types, base)],
    }
    if hospital.version != "r4":
        statement["acceptUnknown"] = "no"
    return statement


def _rest(hospital: Hospital, types: Sequence[str], base: str) -> dict[str, Any]:
    rest: dict[str, Any] = {
        "mode": "server",
        "security": _security(hospital, base),
        "resource": [_resource(hospital, resource_type) for resource_type in types],
    }
    if hospital.version == "dstu2":
        rest["transactionMode"] = "batch" if hospital.batch else "not-supported"
    elif hospital.batch:
        rest["interaction"] = [{"code": "batch"}]
    return rest


def _security(hospital: Hospital, base: str) -> dict[str, Any]:
    match hospital.access:
        case OpenAccess():
            return {"cors": False, "description": "No authorization is asked for."}
        case ApiKeyAccess(header=header):
            return {"cors": False, "description": f"Every request but metadata needs the header {header}."}
        case OAuthAccess() as access:
            token_url = base.removesuffix(hospital.base_path) + access.token_path
            return {
                "extension": [
                    {"url": _OAUTH_URIS, "extension": [{"url": "token", "valueUri": token_url}]},
                ],
                "cors": False,
                "service": [{"coding": [{"system": _SECURITY_SERVICE, "code": "OAuth", "display": "OAuth"}]}],
                "description": "OAuth 2.0 client credentials; all but metadata needs a bearer token.",
            }


def _resource(hospital: Hospital, resource_type: str) -> dict[str, Any]:
    parameters = SEARCH_PARAMETERS[hospital.version][resource_type]
    resource: dict[str, Any] = {
        "type": resource_type,
        "interaction": [{"code": code} for code in ("read", "vread", "history-instance", "search-type")],
        "versioning": "versioned",
        "readHistory": True,
        "searchParam": [_search_parameter(hospital, *item) for item in parameters.items()],
    }
    if hospital.version != "dstu2":
        resource["conditionalRead"] = "not-match"
    return resource


def _search_parameter(hospital: Hospital, name: str, parameter: SearchParameter) -> Mapping[str, Any]:
    described: dict[str, Any] = {"name": name, "type": parameter.type}
    if hospital.version == "dstu2":  # later versions have no place to name modifiers
        described["modifier"] = [modifier for modifier in MODIFIERS[parameter.type] if modifier.islower()]
    return described
