from http.cookies import CookieError, SimpleCookie
from typing import Literal


class Cookies:
    """The portal's cookies: HttpOnly, for the whole host, and where it is reached by https `Secure` under the prefix
    `__Host-` (RFC 6265bis §4.1.3.2), which no other host of its domain can set.
    """

    def __init__(self, *, https: bool) -> None:
        self._https = https
        self.session = self._named("portal-session")
        self.flow = self._named("portal-sign-in")
        self.language = "portal-language"

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self._https else name

    def set(
        self, name: str, value: str, *, seconds: int | None = None, same_site: Literal["Lax", "None"] = "Lax"
    ) -> str:
        """A Set-Cookie value; without `seconds` the cookie lives as long as the browser runs.

        Browsers take `None` only together with `Secure`, which they also take from http://localhost.
        """
        secure = "; Secure" if self._https or same_site == "None" else ""
        age = "" if seconds is None else f"; Max-Age={seconds}"
        return f"{name}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}{age}"

    def cleared(self, name: str) -> str:
        return self.set(name, "", seconds=0)


def parse(header: str) -> dict[str, str]:
    """The Cookie header's values by name; none of a header that is malformed."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
