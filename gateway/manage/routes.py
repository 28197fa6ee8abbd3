"""The one table of the management API's routes: the triggers and the OpenAPI document are both made from it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from gateway.exchange import Response
from gateway.manage import handlers
from gateway.manage.conformance import CheckReport
from gateway.manage.documents import (
    ClientMade,
    ClientNew,
    ClientPatch,
    ClientView,
    NewSecret,
    SecretNew,
    TenantNew,
    TenantPatch,
    TenantView,
)
from gateway.manage.handlers import Call
from gateway.manage.lists import AuditPage, ClientPage, SecretList, TenantPage
from gateway.manage.operators import ADMIN, READER, Role

type Handler = Callable[[Call], Awaitable[Response]]
type Method = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with what it means and the model of its body, None when it has none."""

    text: str
    model: type[BaseModel] | None = None
    etag: bool = False
    location: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route. `parameters` are names of handlers' query parameters; `errors` statuses beside the ones
    that every operation may answer.
    """

    name: str
    summary: str
    role: Role
    handler: Handler
    answers: Mapping[int, Answer]
    body: type[BaseModel] | None = None
    body_required: bool = True
    parameters: tuple[str, ...] = ()
    if_match: bool = False
    errors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """`function` is the trigger's name: the host tries routes in the order of these names."""

    function: str
    path: str
    operations: Mapping[Method, Operation] = field(default_factory=dict)


_PAGE = ("top", "continuation")

ROUTES: tuple[Route, ...] = (
    Route(
        "manage_audit",
        "manage/v1/audit",
        {
            "GET": Operation(
                "listAudit",
                "Changes of the registry, the newest first",
                READER,
                handlers.list_audit,
                {200: Answer("A page of entries", AuditPage)},
                parameters=(*_PAGE, "tenant", "client", "since"),
                errors=(422,),
            )
        },
    ),
    Route(
        "manage_client",
        "manage/v1/clients/{id}",
        {
            "GET": Operation(
                "getClient",
                "A client, with when its secrets were last used",
                READER,
                handlers.get_client,
                {200: Answer("The client", ClientView, etag=True)},
                errors=(404,),
            ),
            "PATCH": Operation(
                "updateClient",
                "Change some fields of a client",
                ADMIN,
                handlers.update_client,
                {200: Answer("The client as it is now", ClientView, etag=True)},
                body=ClientPatch,
                if_match=True,
                errors=(404, 412, 422),
            ),
            "DELETE": Operation(
                "removeClient",
                "Remove a client with its secrets",
                ADMIN,
                handlers.remove_client,
                {204: Answer("It is gone")},
                if_match=True,
                errors=(404, 412),
            ),
        },
    ),
    Route(
        "manage_client_secret",
        "manage/v1/clients/{id}/secrets/{secret_id}",
        {
            "DELETE": Operation(
                "revokeSecret",
                "Revoke a secret, and the tokens that were drawn with it",
                ADMIN,
                handlers.revoke_secret,
                {204: Answer("It no longer works")},
                errors=(404, 412),
            )
        },
    ),
    Route(
        "manage_client_secrets",
        "manage/v1/clients/{id}/secrets",
        {
            "GET": Operation(
                "listSecrets",
                "Every secret of a client, without its value",
                READER,
                handlers.list_secrets,
                {200: Answer("The secrets", SecretList)},
                errors=(404,),
            ),
            "POST": Operation(
                "addSecret",
                "Make a secret; its value is shown this once",
                ADMIN,
                handlers.add_secret,
                {201: Answer("The secret with its value", NewSecret)},
                body=SecretNew,
                body_required=False,
                errors=(404, 412, 422),
            ),
        },
    ),
    Route(
        "manage_clients",
        "manage/v1/clients",
        {
            "GET": Operation(
                "listClients",
                "Clients in the order of their ids",
                READER,
                handlers.list_clients,
                {200: Answer("A page of clients", ClientPage)},
                parameters=_PAGE,
                errors=(422,),
            ),
            "POST": Operation(
                "createClient",
                "Make a client with its first secret",
                ADMIN,
                handlers.create_client,
                {
                    201: Answer("The client with its secret's value", ClientMade, etag=True, location=True),
                    200: Answer("The same client was there already", ClientMade, etag=True),
                },
                body=ClientNew,
                errors=(409, 422),
            ),
        },
    ),
    Route(
        "manage_tenant",
        "manage/v1/tenants/{id}",
        {
            "GET": Operation(
                "getTenant",
                "A tenant",
                READER,
                handlers.get_tenant,
                {200: Answer("The tenant", TenantView, etag=True)},
                errors=(404,),
            ),
            "PATCH": Operation(
                "updateTenant",
                "Change some fields of a tenant",
                ADMIN,
                handlers.update_tenant,
                {200: Answer("The tenant as it is now", TenantView, etag=True)},
                body=TenantPatch,
                if_match=True,
                errors=(404, 412, 422),
            ),
            "DELETE": Operation(
                "removeTenant",
                "Remove a tenant",
                ADMIN,
                handlers.remove_tenant,
                {204: Answer("It is gone")},
                if_match=True,
                errors=(404, 412),
            ),
        },
    ),
    Route(
        "manage_tenant_check",
        "manage/v1/tenants/{id}/check",
        {
            "POST": Operation(
                "checkTenant",
                "Check whether the Patients app works with the tenant's FHIR server; it is only read",
                ADMIN,
                handlers.check_tenant,
                {200: Answer("What was found, without patients' values", CheckReport)},
                errors=(404, 504),
            )
        },
    ),
    Route(
        "manage_tenants",
        "manage/v1/tenants",
        {
            "GET": Operation(
                "listTenants",
                "Tenants in the order of their ids",
                READER,
                handlers.list_tenants,
                {200: Answer("A page of tenants", TenantPage)},
                parameters=_PAGE,
                errors=(422,),
            ),
            "POST": Operation(
                "createTenant",
                "Make a tenant",
                ADMIN,
                handlers.create_tenant,
                {
                    201: Answer("The tenant", TenantView, etag=True, location=True),
                    200: Answer("The same tenant was there already", TenantView, etag=True),
                },
                body=TenantNew,
                errors=(409, 422),
            ),
        },
    ),
)
