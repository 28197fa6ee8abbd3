"""Sign-in with Entra: the authorization code flow (RFC 6749 §4.1) with PKCE (RFC 7636), through MSAL.

MSAL makes the request and redeems the code; since its version 1.38 it leaves the ID token unverified, so that is done
here. MSAL blocks: it runs in a few threads of its own, so that a flood of sign-ins keeps nothing else waiting.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from gateway.manage.authority import Authority, TokenInvalid
from gateway.manage.operators import Operator, operator_of
from gateway.settings import Settings

type Flow = dict[str, Any]
"""What MSAL has to remember between the redirect and the return: state, nonce, code verifier, redirect URI."""

_EXCHANGE = "api://AzureADTokenExchange/.default"
_THREADS = 4
_ERROR = re.compile(r"[a-z_]{1,64}")  # RFC 6749 §4.1.2.1 and §5.2, without what may hold free text
_ENTRA_CODE = re.compile(r"AADSTS\d{1,9}")


class SignInRefused(Exception):
    """The authority's answer signs nobody in. `reason` is a code for a page and for the log: nothing from a token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AuthorityUnavailable(Exception):
    """The authority, or the identity that this app proves to it, cannot be used now; the message is for the log."""


class Entra:
    """One app registration of one authority."""

    def __init__(self, settings: Settings, client_id: str, authority: Authority) -> None:
        self._settings = settings
        self._client_id = client_id
        self._authority = authority
        self._redirect_uri = f"{settings.base_url}/portal/signed-in"
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sign-in")
        self._making = Lock()
        self._http: Any = None
        self._application: Any = None

    async def begin(self) -> Flow:
        """A new flow; its `auth_uri` is where the browser goes. Raises AuthorityUnavailable.

        The answer comes back as a form (`response_mode=form_post`), so that no address ever holds the code.
        """
        return await self._run(
            lambda application: application.initiate_auth_code_flow(
                [], redirect_uri=self._redirect_uri, response_mode="form_post"
            )
        )

    async def finish(self, flow: Flow, answer: Mapping[str, str]) -> Operator:
        """Who signed in, by the form that came back and the flow that it answers.

        Raises SignInRefused, AuthorityUnavailable, StorageUnavailable.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), str(flow["state"]).encode()):
            raise SignInRefused("state_mismatch")
        if "error" in answer:
            raise SignInRefused(_code(answer))
        code = {"state": answer["state"], "code": answer.get("code", "")}
        result = await self._run(lambda application: application.acquire_token_by_auth_code_flow(dict(flow), code))
        if "id_token" not in result:
            raise SignInRefused(_code(result))
        try:
            claims = await self._authority.claims(result["id_token"], [self._client_id])
        except TokenInvalid as error:
            raise SignInRefused("id_token_invalid") from error
        if claims["aud"] not in (self._client_id, [self._client_id]):
            raise SignInRefused("id_token_invalid")  # OpenID Connect Core 1.0 §3.1.3.7, no. 3: nobody else's as well
        # MSAL sends the nonce's hash. OpenID Connect Core 1.0 §3.1.3.7, no. 11.
        expected = hashlib.sha256(str(flow["nonce"]).encode()).hexdigest()
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode("utf-8", "surrogatepass"), expected.encode()):
            raise SignInRefused("nonce_mismatch")
        return operator_of(claims)

    async def sign_out_url(self) -> str:
        """The address at which the authority signs out and sends back, by OpenID Connect RP-Initiated Logout 1.0 §2;
        empty where it has none. Raises StorageUnavailable.
        """
        endpoint = await self._authority.end_session_endpoint()
        back = {
            "client_id": self._client_id,
            "post_logout_redirect_uri": f"{self._settings.base_url}/portal/signed-out",
        }
        return f"{endpoint}?{urlencode(back)}" if endpoint else ""

    def close(self) -> None:
        self._threads.shutdown()
        if self._http is not None:
            self._http.close()

    async def _run(self, work: Any) -> dict[str, Any]:  # noqa: ANN401  # a function of MSAL's application, without types
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._blocking, work)

    def _blocking(self, work: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
        from azure.core.exceptions import AzureError  # noqa: PLC0415
        from msal.exceptions import MsalError  # type: ignore[import-untyped]  # noqa: PLC0415  # MSAL has no types
        from requests import RequestException  # noqa: PLC0415

        try:
            application = self._msal()
        except (RequestException, MsalError, ValueError, RuntimeError, KeyError) as error:
            raise AuthorityUnavailable(f"the authority's metadata: {type(error).__name__}") from error
        try:
            done: dict[str, Any] = work(application)
        except (RequestException, MsalError, AzureError) as error:
            raise AuthorityUnavailable(f"the authority: {type(error).__name__}") from error
        except (ValueError, RuntimeError, KeyError) as error:
            # Not its message: MSAL's name nonces and states.
            raise SignInRefused("answer_refused") from error
        return done

    def _msal(self) -> Any:  # noqa: ANN401  # MSAL has no types
        from gateway.portal.msal_application import Http, new_application  # noqa: PLC0415

        with self._making:
            if self._application is None:
                secret = self._settings.entra_client_secret
                credential = secret.get_secret_value() if secret else self._identity_assertion
                self._http = self._http or Http()
                self._application = new_application(self._client_id, self._settings.authority, credential, self._http)
            return self._application

    def _identity_assertion(self) -> str:
        """A token of the app's managed identity, which the app registration trusts as a federated credential."""
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

        with ManagedIdentityCredential(client_id=self._settings.tables_connection_client_id) as credential:
            return str(credential.get_token(_EXCHANGE).token)


def open_entra(settings: Settings, authority: Authority) -> Entra | None:
    """None where no app registration is configured. Nothing is contacted yet."""
    if not (settings.entra_tenant_id and settings.entra_client_id):
        return None
    return Entra(settings, settings.entra_client_id, authority)


def _code(answer: Mapping[str, Any]) -> str:
    """What may be shown of an error answer: its code, and Entra's number."""
    error = str(answer.get("error", ""))
    number = _ENTRA_CODE.match(str(answer.get("error_description", "")))
    return f"{error if _ERROR.fullmatch(error) else 'no_id_token'}{f' {number[0]}' if number else ''}"
