"""How a client proves its identity (RFC 6749 §2.3, RFC 7523 §2.2)."""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote_plus
from uuid import UUID

from gateway.errors import InvalidClient, InvalidRequest
from gateway.registry import Client, Directory
from gateway.registry.models import AuthMethod, now
from gateway.registry.secret_values import Pepper
from gateway.tokens.assertion import Assertions
from gateway.tokens.failures import Failures, caller_address
from gateway.tokens.keys import Keys
from gateway.tokens.refusals import Refused, client_refusal, secret_refusal, tell

_NOTHING = "no credential"
_LONGEST_GUID = len("urn:uuid:{00000000-0000-0000-0000-000000000000}")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class SecretClaim:
    """A client's claim to its identity by a secret, as it came in; several spellings may be meant."""

    method: AuthMethod
    candidates: tuple[tuple[str, str], ...]
    """(client_id, secret) pairs, the likeliest first."""


@dataclass(frozen=True, slots=True)
class AssertionClaim:
    """A signed assertion (RFC 7523 §2.2), and the `client_id` sent beside it, if any."""

    assertion: str
    client_id: str | None


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    client: Client
    credential: str
    """Id of the secret or key that was used."""


class ClientAuthentication:
    """The client behind a request to the token or the revocation endpoint."""

    def __init__(
        self,
        directory: Directory,
        keys: Keys,
        assertions: Assertions,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._directory = directory
        self._keys = keys
        self._assertions = assertions
        self._clock = clock
        self._failures = Failures()

    async def authenticate(self, headers: Mapping[str, str], form: Mapping[str, str]) -> AuthenticatedClient:
        """Raises InvalidRequest for a request that mixes methods, InvalidClient (the same for every reason),
        TooManyFailures, StorageUnavailable.
        """
        try:
            claim = read_claim(headers, form)
            claimed = (
                claim.candidates[0][0] if isinstance(claim, SecretClaim) else self._assertions.claimed(claim.assertion)
            )
        except InvalidClient as error:
            tell("no-credential" if error.detail == _NOTHING else "malformed", "none", None, headers)
            raise
        try:
            if isinstance(claim, SecretClaim):
                pepper = await self._keys.pepper()
                return await authenticate_secret(claim, self._directory, pepper, self._clock())
            # Checking a signature costs a hundred times what checking a secret costs: not for who failed too often.
            self._failures.check(claimed, caller_address(headers))
            return await self._by_assertion(claim)
        except InvalidClient as error:
            # A right secret is never refused for other people's wrong ones: only failures are answered with 429.
            self._failures.add(claimed, caller_address(headers))
            await self._tell(error, claim, claimed, headers)
            raise

    async def _tell(
        self, error: InvalidClient, claim: SecretClaim | AssertionClaim, claimed: str, headers: Mapping[str, str]
    ) -> None:
        method = claim.method if isinstance(claim, SecretClaim) else "private_key_jwt"
        if isinstance(error, Refused):
            tell(error.reason, method, error.client, headers)
        else:
            tell("assertion", method, await find_client(claimed, self._directory), headers)

    async def _by_assertion(self, claim: AssertionClaim) -> AuthenticatedClient:
        client_id = self._assertions.claimed(claim.assertion)
        if claim.client_id is not None and claim.client_id.lower() != client_id:
            raise InvalidClient("client_id differs from the assertion's subject")
        client = await find_client(client_id, self._directory)
        refused = client_refusal(client, "private_key_jwt")
        if client is None or refused:
            raise Refused(refused, client)
        return AuthenticatedClient(client, await self._assertions.verify(claim.assertion, client, self._clock()))


def read_claim(headers: Mapping[str, str], form: Mapping[str, str]) -> SecretClaim | AssertionClaim:
    """Find how the client authenticates (RFC 6749 §2.3). Raises InvalidRequest when it uses more than one method,
    InvalidClient when it uses none.
    """
    authorization = headers.get("authorization", "")
    posted = "client_secret" in form
    asserted = "client_assertion" in form or "client_assertion_type" in form
    if (authorization != "") + posted + asserted > 1:
        raise InvalidRequest("Use one method of client authentication, not several.")
    if authorization:
        claim = _basic(authorization)
        if "client_id" in form and all(form["client_id"] != client_id for client_id, _ in claim.candidates):
            raise InvalidRequest("client_id in the body differs from the one in the Authorization header.")
        return claim
    if asserted:
        if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
            raise InvalidRequest(
                f"An assertion is sent as client_assertion, with client_assertion_type {ASSERTION_TYPE}."
            )
        return AssertionClaim(form["client_assertion"], form.get("client_id"))
    if posted and "client_id" in form:
        return SecretClaim("client_secret_post", ((form["client_id"], form["client_secret"]),))
    raise InvalidClient(_NOTHING)


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
    refused = None
    for client_id, value in claim.candidates:
        client = await find_client(client_id, directory)
        # Hashed before anything is known of the client: the time must not tell that it is unknown, or how many secrets
        # it has.
        hashes = pepper.hashes(value)
        matched = None
        for secret in client.secrets if client else ():
            if any(hmac.compare_digest(secret.hash.encode(), hashed) for hashed in hashes):
                matched = secret
        if (
            client is not None
            and matched is not None
            and client.enabled
            and claim.method in client.auth_methods
            and matched.state(at) == "active"
        ):
            return AuthenticatedClient(client, matched.secret_id)
        refused = refused or Refused(secret_refusal(client, claim.method, matched, at), client)
    raise refused or InvalidClient("no candidate")


async def find_client(client_id: str, directory: Directory) -> Client | None:
    """The client of an id as it came in, in any spelling of a GUID."""
    key = _guid(client_id) if len(client_id) <= _LONGEST_GUID else None
    return None if key is None else await directory.client(key)


@lru_cache(maxsize=1024)
def _guid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
