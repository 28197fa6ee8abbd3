"""The pipeline as the check uses it: no access token is drawn, the tenant is the one that is checked."""

import time

from gateway.pipeline import FhirEndpoint
from gateway.registry import Tenant
from gateway.tokens import AccessToken
from gateway.tokens.scopes import Scope

CALLER = "conformance-check"
_LIFE_SECONDS = 3600


class _Admission:
    """Stands where the verifier of access tokens stands; lets the check in as a client of that one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    async def verify(self, authorization: str | None) -> tuple[AccessToken, Tenant]:
        del authorization
        token = AccessToken(
            client_id=CALLER,
            tenant_id=self._tenant.tenant_id,
            credential=CALLER,
            kid="",
            jti="",
            scope=Scope(),
            expires=time.time() + _LIFE_SECONDS,
        )
        return token, self._tenant


def admitted(endpoint: FhirEndpoint, tenant: Tenant) -> FhirEndpoint:
    """The endpoint, for calls in this process only: everything but the token is as it is for the app."""
    return endpoint.behind(_Admission(tenant))
