from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.manage.handlers import MAX_BODY_BYTES
from gateway.manage.routes import ROUTES, Operation

type Json = dict[str, Any]

_REF = "#/components/schemas/{model}"

_PARAMETERS: dict[str, Json] = {
    "top": {
        "description": "How many to return at most",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    },
    "continuation": {"description": "What `nextLink` holds; opaque", "schema": {"type": "string"}},
    "tenant": {"description": "Only what concerns this tenant", "schema": {"type": "string", "format": "uuid"}},
    "client": {"description": "Only what concerns this client", "schema": {"type": "string", "format": "uuid"}},
    "since": {
        "description": "Only what is younger: a time, or a duration before now",
        "schema": {"type": "string", "examples": ["7d", "2026-06-30T12:00Z"]},
    },
}
_PATH: dict[str, Json] = {
    "id": {"description": "GUID", "schema": {"type": "string", "format": "uuid"}},
    "secret_id": {"description": "GUID", "schema": {"type": "string", "format": "uuid"}},
}
_ALWAYS = (400, 401, 403, 503)
_WITH_BODY = (411, 413, 415)
_ERRORS = {
    400: "A parameter or the form of the body is wrong",
    401: "No operator's token, or one that is not valid here",
    403: "The operator lacks the app role",
    404: "There is none of that id",
    405: "The method is not possible here",
    409: "The id is taken, by something with other values",
    411: "The body came without Content-Length",
    412: "If-Match is not the current ETag",
    413: f"The body has more than {MAX_BODY_BYTES} bytes",
    415: "The body is not JSON",
    422: "A field is wrong; `field` names it",
    503: "Storage cannot be reached at the moment",
    504: "The tenant's FHIR server takes too long",
}
_PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "field": {"type": "string", "description": "The input at fault"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


@cache
def openapi(base_url: str) -> Json:
    """The OpenAPI 3.1 document of the management API at `base_url`, made from the table of its routes and the models
    that its handlers use. Do not change what is returned.
    """
    inputs, outputs = _models()
    keys, definitions = models_json_schema(
        [(model, "validation") for model in inputs] + [(model, "serialization") for model in outputs],
        ref_template=_REF,
    )
    references = {model: schema for (model, _), schema in keys.items()}
    schemas = definitions["$defs"]
    for name, schema in schemas.items():
        if name.endswith("Patch"):
            for field in schema["properties"].values():
                field.pop("default", None)  # absent means unchanged, and null only what the field's type says
    paths: Json = {}
    for route in ROUTES:
        path = "/" + route.path.removeprefix("manage/v1/")
        operations = {
            method.lower(): _operation(operation, references) for method, operation in route.operations.items()
        }
        named = [name for name in _PATH if "{" + name + "}" in path]
        parameters = [{"name": name, "in": "path", "required": True, **_PATH[name]} for name in named]
        paths[path] = operations | ({"parameters": parameters} if parameters else {})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Patients Gateway management API",
            "version": "1",
            "description": "Tenants, clients, secrets and the audit trail.",
        },
        "servers": [{"url": base_url}],
        "security": [{"operator": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": _PROBLEM},
            "securitySchemes": {
                "operator": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Entra access token with the app role Gateway.Admin, or Gateway.Reader for reading",
                }
            },
        },
    }


def _models() -> tuple[list[type[BaseModel]], list[type[BaseModel]]]:
    operations = [operation for route in ROUTES for operation in route.operations.values()]
    inputs = {operation.body for operation in operations if operation.body}
    outputs = {answer.model for operation in operations for answer in operation.answers.values() if answer.model}
    return sorted(inputs, key=lambda model: model.__name__), sorted(outputs, key=lambda model: model.__name__)


def _operation(operation: Operation, references: Mapping[Any, Json]) -> Json:
    parameters = [
        {"name": name, "in": "query", "required": False, **_PARAMETERS[name]} for name in operation.parameters
    ]
    if operation.if_match:
        text = "The ETag that the change is meant for; without it the newest row is changed"
        parameters.append(
            {"name": "If-Match", "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        )
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs the app role {operation.role}.",
        "parameters": parameters,
        "responses": {},
    }
    errors = {*operation.errors, *_ALWAYS}
    if operation.body:
        errors |= set(_WITH_BODY)
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": {"schema": references[operation.body]}},
        }
    for status, answer in operation.answers.items():
        response: Json = {"description": answer.text}
        if answer.model:
            response["content"] = {"application/json": {"schema": references[answer.model]}}
        headers = {"ETag": answer.etag, "Location": answer.location}
        if any(headers.values()):
            response["headers"] = {
                name: {"required": True, "schema": {"type": "string"}} for name, sent in headers.items() if sent
            }
        described["responses"][str(status)] = response
    for status in sorted(errors):
        described["responses"][str(status)] = {
            "description": _ERRORS[status],
            "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
    return described
