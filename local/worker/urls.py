"""Paths and queries in the forms that the host's web server (Kestrel) hands to a function."""

import re
from urllib.parse import parse_qsl, quote, unquote_to_bytes

_ENCODED_AS_IS = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@-]*")
_SAFE = "/!$&'()*+,;=:@~"


class PathRefusedError(Exception):
    """No function can answer this path; ``status`` is the host's answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def decoded_path(raw_path: bytes) -> str:
    """Return the path that routes are matched against: percent-decoded, without dot segments.

    Raises PathRefusedError: 400 for a NUL or bytes beyond ASCII, 404 for an encoded slash. Azure's front
    end answers the latter although the host by itself would take it.
    """
    if not raw_path.isascii():
        raise PathRefusedError(400)
    path = raw_path.decode("ascii")
    if "%" in path:
        path = _unquoted(path)
    if "/." in path:
        path = _without_dot_segments(path)
    return path


def _unquoted(path: str) -> str:
    lowered = path.lower()
    if "%2f" in lowered:
        raise PathRefusedError(404)
    if "%00" in lowered:
        raise PathRefusedError(400)
    try:
        return unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return path


def _without_dot_segments(path: str) -> str:
    """Follow RFC 3986 section 5.2.4 for an absolute path."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def encoded_path(path: str) -> str:
    """Return a decoded path as it stands in ``req.url``: encoded anew, whatever the client had encoded."""
    return path if _ENCODED_AS_IS.fullmatch(path) else quote(path, safe=_SAFE)


def query_parameters(query: str) -> dict[str, str]:
    """Return ``req.params``: names without regard to case, values joined with commas, empty ones dropped."""
    if not query:
        return {}
    names: dict[str, str] = {}
    values: dict[str, str] = {}
    for name, value in parse_qsl(query):
        key = names.setdefault(name.lower(), name)
        values[key] = f"{values[key]},{value}" if key in values else value
    return values
