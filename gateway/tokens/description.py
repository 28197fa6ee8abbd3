"""What the authorization server says of itself. Every document that a client discovers it by is made here, so that
they cannot disagree.
"""

from typing import Any

from gateway.settings import Settings
from gateway.tokens.client_keys import ALGORITHMS
from gateway.upstream.discovery import OAUTH_URIS

_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
_SCOPES = ["system/*.read", "system/*.rs"]


def authorize_url(settings: Settings) -> str:
    return f"{settings.base_url}/oauth2/authorize"


def revoke_url(settings: Settings) -> str:
    return f"{settings.base_url}/oauth2/revoke"


def server_metadata(settings: Settings) -> dict[str, Any]:
    """RFC 8414 §2."""
    return {
        "issuer": settings.base_url,
        **_endpoints(settings),
        "jwks_uri": f"{settings.base_url}/oauth2/jwks",
        "revocation_endpoint_auth_methods_supported": _METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        # Required by §2, and empty because no response type is.
        "response_types_supported": [],
    }


def smart_configuration(settings: Settings) -> dict[str, Any]:
    """SMART App Launch 2.2, conformance §.well-known/smart-configuration, for Backend Services."""
    return {
        **_endpoints(settings),
        # Required of every server there, also of one without an authorization code to protect.
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "client-confidential-symmetric",
            "client-confidential-asymmetric",
            "permission-v1",
            "permission-v2",
        ],
    }


def oauth_uris(settings: Settings) -> dict[str, Any]:
    """The extension of `rest.security` in a capability statement that names the endpoints (SMART App Launch 1.0)."""
    return {
        "url": OAUTH_URIS,
        "extension": [
            {"url": "token", "valueUri": settings.token_url},
            {"url": "authorize", "valueUri": authorize_url(settings)},
            {"url": "revoke", "valueUri": revoke_url(settings)},
        ],
    }


def _endpoints(settings: Settings) -> dict[str, Any]:
    return {
        "authorization_endpoint": authorize_url(settings),
        "token_endpoint": settings.token_url,
        "revocation_endpoint": revoke_url(settings),
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": _METHODS,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": _SCOPES,
    }
