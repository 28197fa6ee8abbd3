from collections.abc import Mapping
from urllib.parse import unquote_plus

from gateway.errors import InvalidRequest

_MAX_BYTES = 65_536
_MAX_FIELDS = 50
_FORM = "application/x-www-form-urlencoded"


def parse_form(body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """The parameters of an OAuth request: form encoded UTF-8, each at most once, empty ones omitted (RFC 6749 §3.2,
    appendix B). Raises InvalidRequest.
    """
    if "transfer-encoding" in headers:
        # The Functions host hands chunked bodies on empty.
        raise InvalidRequest("Send the body with Content-Length; chunked bodies are not accepted.", status=411)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidRequest(f"Send the parameters in the body as {_FORM}.")
    if len(body) > _MAX_BYTES:
        raise InvalidRequest(f"The body exceeds {_MAX_BYTES} bytes.", status=413)
    try:
        text = body.decode("ascii")
        pairs = text.split("&", _MAX_FIELDS)
        form: dict[str, str] = {}
        seen: set[str] = set()
        for pair in pairs:
            raw_name, _, raw_value = pair.partition("=")
            if not pair:
                continue
            name, value = _decoded(raw_name), _decoded(raw_value)
            if name in seen:
                raise InvalidRequest("A parameter is given more than once.")
            seen.add(name)
            if value:
                form[name] = value
    except ValueError:
        raise InvalidRequest("The body is not a form: percent-encoded UTF-8.") from None
    if len(pairs) > _MAX_FIELDS:
        raise InvalidRequest(f"The form has more than {_MAX_FIELDS} parameters.")
    return form


def _decoded(text: str) -> str:
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text
