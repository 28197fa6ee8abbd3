import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus
from uuid import UUID

from gateway.errors import InvalidClient, InvalidRequest
from gateway.registry import Client, Directory
from gateway.registry.models import AuthMethod
from gateway.registry.secret_values import Pepper

# What an unknown client's secret is compared with, so that it takes the time of a known one's.
_NO_HASH = "hmac-sha256$1$" + "A" * 43


@dataclass(frozen=True, slots=True)
class SecretClaim:
    """A client's claim to its identity by a secret, as it came in; several spellings may be meant."""

    method: AuthMethod
    candidates: tuple[tuple[str, str], ...]
    """(client_id, secret) pairs, the likeliest first."""


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    client: Client
    credential: str
    """Id of the secret or key that was used."""


def read_claim(headers: Mapping[str, str], form: Mapping[str, str]) -> SecretClaim:
    """Find how the client authenticates (RFC 6749 §2.3). Raises InvalidRequest when it uses more than one method,
    InvalidClient when it uses none.
    """
    authorization = headers.get("authorization", "")
    posted = "client_secret" in form
    if authorization and posted:
        raise InvalidRequest("Use one method of client authentication, not several.")
    if authorization:
        claim = _basic(authorization)
        if "client_id" in form and all(form["client_id"] != client_id for client_id, _ in claim.candidates):
            raise InvalidRequest("client_id in the body differs from the one in the Authorization header.")
        return claim
    if posted and "client_id" in form:
        return SecretClaim("client_secret_post", ((form["client_id"], form["client_secret"]),))
    raise InvalidClient("no credential")


def _basic(authorization: str) -> SecretClaim:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("not Basic")
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise InvalidClient("Basic is not base64 of UTF-8") from None
    if not colon:
        raise InvalidClient("Basic without a colon")
    # RFC 6749 §2.3.1 form-encodes both parts first; common clients send them raw.
    decoded = (unquote_plus(user), unquote_plus(password))
    return SecretClaim("client_secret_basic", tuple(dict.fromkeys([decoded, (user, password)])))


async def authenticate_secret(
    claim: SecretClaim, directory: Directory, pepper: Pepper, at: datetime
) -> AuthenticatedClient:
    """The client whose active secret was sent. Raises InvalidClient, the same for every reason."""
    for client_id, value in claim.candidates:
        client = await _find(client_id, directory)
        hashes = [(secret.hash, secret) for secret in client.secrets] if client else []
        matched = None
        # No early exit: the time must not tell which secret matched, or that the client is unknown.
        for stored, secret in hashes or [(_NO_HASH, None)]:
            if pepper.matches(value, stored):
                matched = secret
        if (
            client is not None
            and matched is not None
            and client.enabled
            and claim.method in client.auth_methods
            and matched.state(at) == "active"
        ):
            return AuthenticatedClient(client, matched.secret_id)
    raise InvalidClient("no active secret of an enabled client matches")


async def _find(client_id: str, directory: Directory) -> Client | None:
    try:
        key = str(UUID(client_id))
    except ValueError:
        return None
    return await directory.client(key)
