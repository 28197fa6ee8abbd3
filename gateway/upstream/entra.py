"""Tokens of Microsoft Entra, for FHIR servers in Azure."""

import asyncio
import time
from typing import Any

from gateway.errors import UpstreamBroken
from gateway.registry.models import EntraAuth
from gateway.upstream.grants import CredentialRefused
from gateway.upstream.token_cache import Token

_AUTHORITY = "https://login.microsoftonline.com"
_DEFAULT_LIFE_SECONDS = 3600


async def grant_by_application(auth: EntraAuth, credential: str, scope: str, http: object | None = None) -> Token:
    """Client credentials of an app registration. `credential` is the client secret, or a certificate as PEM: private
    key and certificate in one text. `http` replaces MSAL's HTTP client.

    MSAL blocks, so it runs in a thread. Raises CredentialRefused, UpstreamBroken.
    """
    if not auth.tenant or not auth.client_id:
        raise UpstreamBroken("The tenant's Entra credential needs a directory and a client id.")
    authority = f"{_AUTHORITY}/{auth.tenant}"
    try:
        answer = await asyncio.to_thread(
            _acquire, auth.client_id, _msal_credential(auth, credential), authority, scope, http
        )
    except Exception as error:
        # MSAL raises ValueError, requests' errors and more; none of their texts is fit to be shown.
        raise UpstreamBroken("Entra cannot be reached.", detail=type(error).__name__) from error
    if "access_token" not in answer:
        raise CredentialRefused("Entra refused the gateway's credential.", detail=str(answer.get("error", "")))
    return Token(str(answer["access_token"]), float(answer.get("expires_in", _DEFAULT_LIFE_SECONDS)))


async def grant_by_identity(client_id: str | None, scope: str) -> Token:
    """A token of this app's own identity. `client_id` of a user-assigned one; None: the system-assigned one.

    Raises UpstreamBroken where there is none.
    """
    # Imported here: it costs start-up time that other tenants need not pay.
    from azure.core.exceptions import AzureError  # noqa: PLC0415
    from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415

    try:
        # A fresh one has no token of its own kept: it is asked only when a new one is needed.
        async with ManagedIdentityCredential(client_id=client_id) as credential:
            token = await credential.get_token(scope)
    except AzureError as error:
        raise UpstreamBroken("The gateway has no managed identity here.", detail=type(error).__name__) from error
    return Token(token.token, token.expires_on - time.time())


def entra_scope(auth: EntraAuth, fhir_url: str) -> str:
    """Azure Health Data Services expects its own address as the resource."""
    return auth.scope or f"{fhir_url.rstrip('/')}/.default"


def _msal_credential(auth: EntraAuth, credential: str) -> object:
    if auth.certificate is None:
        return credential
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    certificate = x509.load_pem_x509_certificate(credential.encode())
    return {
        "private_key": credential,
        "thumbprint": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303  # what `x5t` is made of
        "public_certificate": credential,
    }


def _acquire(client_id: str, credential: object, authority: str, scope: str, http: object | None) -> dict[str, Any]:
    # Imported here for start-up time, and untyped.
    from msal import ConfidentialClientApplication  # type: ignore[import-untyped]  # noqa: PLC0415

    # MSAL caches tokens itself; a fresh application has none, for it is asked only when a new one is needed.
    application = ConfidentialClientApplication(
        client_id, client_credential=credential, authority=authority, http_client=http, instance_discovery=False
    )
    answer: dict[str, Any] = application.acquire_token_for_client([scope])
    return answer
