from http.cookies import Morsel, SimpleCookie
from urllib.parse import quote


def set_cookie_values(cookies: list[SimpleCookie]) -> list[str]:
    """Return the Set-Cookie header values that ASP.NET writes for the worker's cookies.

    They are not what the function wrote: the host takes a cookie apart and writes it anew. Values are
    percent-encoded, the path is ``/`` unless set, and attributes that it does not know are lost.
    """
    return [_formatted(name, morsel) for cookie in cookies for name, morsel in cookie.items()]


def _formatted(name: str, morsel: Morsel[str]) -> str:
    parts = [f"{name}={quote(morsel.value, safe='')}"]
    if morsel["expires"]:
        parts.append(f"expires={morsel['expires']}")
    if morsel["max-age"] != "":
        parts.append(f"max-age={int(float(morsel['max-age']))}")
    if morsel["domain"]:
        parts.append(f"domain={morsel['domain']}")
    parts.append(f"path={morsel['path'] or '/'}")
    if morsel["secure"]:
        parts.append("secure")
    if morsel["samesite"]:
        parts.append(f"samesite={morsel['samesite'].lower()}")
    if morsel["httponly"]:
        parts.append("httponly")
    return "; ".join(parts)
