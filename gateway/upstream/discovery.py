from typing import Any

import aiohttp
import orjson
from yarl import URL

from gateway.errors import UpstreamBroken
from gateway.registry import Tenant
from gateway.upstream.extra_parameters import addressed
from gateway.upstream.responses import AnswerTooLarge, read_body

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
"""The extension of a capability statement's `rest.security` that names OAuth endpoints (SMART App Launch 1.0)."""
_OK = 200
_MAX_BYTES = 10_000_000
_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)


async def token_url(session: aiohttp.ClientSession, tenant: Tenant) -> str:
    """The token endpoint that a tenant's FHIR server names: in its SMART configuration, else in its capability
    statement.

    Raises UpstreamBroken when it names none.
    """
    configuration = await _get(session, tenant, ".well-known/smart-configuration")
    if isinstance(configuration, dict) and isinstance(configuration.get("token_endpoint"), str):
        return str(configuration["token_endpoint"])
    statement = await _get(session, tenant, "metadata")
    for address in oauth_uris(statement, "token"):
        return address
    raise UpstreamBroken("The FHIR server names no token endpoint.")


def oauth_uris(statement: Any, name: str) -> list[str]:  # noqa: ANN401  # JSON from a stranger
    """Addresses under `name` (`token`, `authorize`) in the oauth-uris extension of a capability statement."""
    found: list[str] = []
    try:
        for rest in statement["rest"]:
            for extension in rest.get("security", {}).get("extension", []):
                if extension.get("url") == OAUTH_URIS:
                    found += [part["valueUri"] for part in extension["extension"] if part.get("url") == name]
    except (KeyError, TypeError, AttributeError):
        return found
    return found


async def _get(session: aiohttp.ClientSession, tenant: Tenant, path: str) -> Any:  # noqa: ANN401  # JSON from a stranger
    headers = {"Accept": "application/json, application/fhir+json", **tenant.extra_headers}
    try:
        address = addressed(tenant, URL(f"{tenant.fhir_url.rstrip('/')}/{path}", encoded=True))
        async with session.get(address, headers=headers, allow_redirects=False, timeout=_TIMEOUT) as answer:
            if answer.status != _OK:
                return None
            return orjson.loads(await read_body(answer.content, _MAX_BYTES))
    except (aiohttp.ClientError, TimeoutError, ValueError, AnswerTooLarge):
        return None
