"""The authorization server: clients authenticate, name a tenant in the scope and get a signed access token; the FHIR
route verifies it. A token never outlives the credential it was issued with by more than `CACHE_TTL_SECONDS`.
"""

from gateway.tokens.assertion import Assertions
from gateway.tokens.client_auth import ClientAuthentication
from gateway.tokens.client_keys import ClientKeys
from gateway.tokens.grant import TokenEndpoint
from gateway.tokens.issuer import Issuer
from gateway.tokens.keys import KeyRing, Keys, SigningKey
from gateway.tokens.recent import RecentTokens
from gateway.tokens.revocation import Revocations
from gateway.tokens.revoke import RevocationEndpoint
from gateway.tokens.used_assertions import UsedAssertions
from gateway.tokens.verify import AccessToken, Verifier

__all__ = [
    "AccessToken",
    "Assertions",
    "ClientAuthentication",
    "ClientKeys",
    "Issuer",
    "KeyRing",
    "Keys",
    "RecentTokens",
    "RevocationEndpoint",
    "Revocations",
    "SigningKey",
    "TokenEndpoint",
    "UsedAssertions",
    "Verifier",
]
