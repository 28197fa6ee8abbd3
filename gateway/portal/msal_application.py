"""MSAL's application, made for signing in only. Loaded with the first sign-in: importing MSAL takes its time."""

from collections.abc import Callable
from typing import Any

import requests
from msal import ConfidentialClientApplication, TokenCache  # type: ignore[import-untyped]  # it has no types

_TIMEOUT_SECONDS = 10


class Http(requests.Session):
    """A session that does not wait for ever."""

    def request(self, *arguments: Any, **options: Any) -> requests.Response:  # noqa: ANN401  # as requests has it
        return super().request(*arguments, **{"timeout": _TIMEOUT_SECONDS, **options})


class _NoCache(TokenCache):  # type: ignore[misc]  # it has no types
    """Keeps nobody's tokens: the portal only asks who somebody is."""

    def add(self, event: object, now: object = None) -> None:
        pass


def new_application(client_id: str, authority: str, credential: str | Callable[[], str], http: Http) -> Any:  # noqa: ANN401  # it has no types
    """The app registration `client_id`, proving itself by a secret or by what a function signs anew each time.

    Reads the authority's metadata. Raises what `requests` and MSAL raise: ValueError for metadata that are none.
    """
    return ConfidentialClientApplication(
        client_id,
        client_credential=credential if isinstance(credential, str) else {"client_assertion": credential},
        # Not `authority`, although it is Entra: this way the address of the metadata is the one that tokens are
        # verified against, in every cloud, and is the same code in tests.
        oidc_authority=authority,
        http_client=http,
        token_cache=_NoCache(),
        exclude_scopes=["offline_access"],
    )
