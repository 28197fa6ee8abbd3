from collections.abc import Mapping
from urllib.parse import parse_qsl

from gateway.errors import InvalidRequest

_MAX_BYTES = 65_536
_MAX_FIELDS = 50


def parse_form(content_type: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """The parameters of an OAuth request: form encoded UTF-8, each at most once, empty ones omitted (RFC 6749 §3.2,
    appendix B). Raises InvalidRequest.
    """
    if "chunked" in headers.get("transfer-encoding", "").lower():
        # The Functions host hands chunked bodies on empty.
        raise InvalidRequest("Send the body with Content-Length; chunked bodies are not accepted.")
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise InvalidRequest("Send the parameters in the body as application/x-www-form-urlencoded.")
    if len(body) > _MAX_BYTES:
        raise InvalidRequest(f"The body exceeds {_MAX_BYTES} bytes.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise InvalidRequest("The body is not a form: percent-encoded UTF-8, at most 50 parameters.") from None
    form: dict[str, str] = {}
    for name, value in pairs:
        if name in form:
            raise InvalidRequest("A parameter is given more than once.")
        form[name] = value
    return {name: value for name, value in form.items() if value}
