"""The authorization server: clients authenticate, name a tenant in the scope and get a signed access token; the FHIR
route verifies it. A token never outlives the credential it was issued with by more than `CACHE_TTL_SECONDS`.
"""

from gateway.tokens.grant import TokenEndpoint
from gateway.tokens.keys import KeyRing, Keys, SigningKey
from gateway.tokens.verify import AccessToken, Verifier

__all__ = ["AccessToken", "KeyRing", "Keys", "SigningKey", "TokenEndpoint", "Verifier"]
