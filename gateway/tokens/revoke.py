from collections.abc import Callable, Mapping
from datetime import datetime

from gateway.errors import GatewayError, InvalidGrant, InvalidRequest
from gateway.registry.models import now
from gateway.tokens.client_auth import ClientAuthentication
from gateway.tokens.form import parse_form
from gateway.tokens.revocation import Revocations
from gateway.tokens.verify import Verifier


class RevocationEndpoint:
    """RFC 7009: a client gives up an access token before its end."""

    def __init__(
        self,
        authentication: ClientAuthentication,
        verifier: Verifier,
        revocations: Revocations,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._authentication = authentication
        self._verifier = verifier
        self._revocations = revocations
        self._clock = clock

    async def revoke(self, headers: Mapping[str, str], body: bytes) -> None:
        """Return when the token is of no use any more, or never was of any (§2.2). `token_type_hint` may be wrong or
        absent (§2.1): there is one type of token only. Raises OAuthError, StorageUnavailable.
        """
        form = parse_form(body, headers)
        if "token" not in form:
            raise InvalidRequest("token is missing.")
        authenticated = await self._authentication.authenticate(headers, form)
        try:
            token = await self._verifier.signed(form["token"], self._clock())
        except GatewayError as error:
            if error.status >= 500:  # noqa: PLR2004  # the keys could not be read
                raise
            return
        if token.client_id != authenticated.client.client_id:
            raise InvalidGrant("The token was issued to another client.")
        await self._revocations.revoke(token.jti, token.expires)
