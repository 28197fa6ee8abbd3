"""What a request's headers and query say about form: media types, parameters of a search, compression."""

import zlib
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from gateway.errors import BadRequest, BodyTooLarge, LengthRequired, MediaTypeRefused, NotAcceptable
from gateway.exchange import Request, Response
from gateway.fhir.faces import Face

type Pairs = list[tuple[str, str]]

_FORM = "application/x-www-form-urlencoded"
MOST_PARAMETERS = 200
# The answer's form, which is the gateway's own affair and never the upstream's.
_PRESENTATION = frozenset({"_format", "_pretty"})
_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "application/json+fhir", "text/json"})
_FHIR_JSON = frozenset({"application/fhir+json", "application/json+fhir"})
# A shorter answer fits in the first packets anyway.
COMPRESSED_FROM_BYTES = 4096
_LEVEL = 1  # a hundred entries in about a millisecond; level 6 saves a tenth more for four times the time


def check_size(request: Request, largest: int) -> None:
    """Raises LengthRequired for a chunked body, BodyTooLarge beyond `largest` bytes."""
    if "transfer-encoding" in request.headers:
        # The Functions host hands chunked bodies on empty, so they cannot be read.
        raise LengthRequired("Send the body with Content-Length.")
    if len(request.body) > largest:
        raise BodyTooLarge(f"A request body may have at most {largest} bytes.")


def check_acceptable(accept: str, query: str, face: Face) -> None:
    """Raises NotAcceptable when neither `_format` nor, without it, `Accept` allows JSON (http.html#mime-type)."""
    if "_format" in query and (wanted := _format(query)):
        if wanted not in _FORMATS:
            raise NotAcceptable("The gateway answers in JSON only.")
    elif accept and accept not in face.accepts and not any(name in face.accepts for name in _accepted(accept)):
        raise NotAcceptable("The gateway answers in JSON only.")


def wants_fhir_json(headers: Mapping[str, str], query: str) -> bool:
    """Whether a read of Binary asks for the resource instead of its content (http.html#binary)."""
    return _format(query) in _FORMATS or any(name in _FHIR_JSON for name in _accepted(headers.get("accept", "")))


def _format(query: str) -> str:
    """The media type or short name in `_format`; it is often sent with its plus sign unescaped."""
    wanted = next((value for name, value in query_pairs(query) if name == "_format"), "")
    return wanted.partition(";")[0].strip().lower().replace(" ", "+")


def _accepted(accept: str) -> list[str]:
    names = []
    for part in accept.split(","):
        name, *parameters = [word.strip().lower() for word in part.split(";")]
        if "q=0" not in parameters:
            names.append(name)
    return names


def query_pairs(text: str) -> Pairs:
    """Decoded name and value of every parameter, in order, repeated and empty ones included.

    Raises BadRequest for what is no UTF-8, and for far more parameters than a search has.
    """
    if not text:
        return []
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeDecodeError:
        raise BadRequest("A parameter is not percent-encoded UTF-8.") from None
    except ValueError:
        raise BadRequest(f"A request may have at most {MOST_PARAMETERS} parameters.") from None


def search_pairs(request: Request) -> Pairs:
    """Query and form of a search together, in that order (search.html#Introduction).

    Raises BadRequest, MediaTypeRefused.
    """
    if request.method != "POST" or not request.body:
        return query_pairs(request.query)
    if media_type(request.headers) != _FORM:
        raise MediaTypeRefused("The parameters of _search are sent as application/x-www-form-urlencoded.")
    try:
        form = request.body.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise BadRequest("The form is not percent-encoded UTF-8.") from None
    return query_pairs(request.query) + query_pairs(form)


def forwarded_query(query: str, *dropped: str) -> str:
    """A read's query as it was sent, letter by letter, without the answer's form and the parameters `dropped`."""
    if not query:
        return ""
    kept = [
        part
        for part in query.split("&")
        if part and (name := unquote_plus(part.partition("=")[0])) not in _PRESENTATION and name not in dropped
    ]
    return "&".join(kept)


def media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def compress(response: Response, accept_encoding: str) -> Response:
    """The response with a gzip body when the caller takes that and the body is worth it.

    Nothing secret that a caller does not know stands beside what it may choose (docs/fhir.md, on BREACH).
    """
    if len(response.body) < COMPRESSED_FROM_BYTES:
        return response
    response.headers["Vary"] = ", ".join(filter(None, [response.headers.get("Vary", ""), "Accept-Encoding"]))
    if "gzip" in _accepted(accept_encoding) and "Content-Encoding" not in response.headers:
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        response.body = packer.compress(response.body) + packer.flush()
        response.headers["Content-Encoding"] = "gzip"
    return response
