"""Fixed headers and query parameters that a tenant's FHIR server wants beside the credential: which ones there may be.

They are no secrets: they stand in Table Storage, in the audit trail and on the portal's pages.
"""

import re
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo, WithJsonSchema

from gateway.versions.search_parameters import PARAMETERS

MOST_EXTRAS = 10
LONGEST_VALUE = 256
_HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$"  # RFC 9110 §5.6.2
_PARAMETER_NAME = r"^[0-9A-Za-z][0-9A-Za-z._~-]{0,63}$"
_VALUE = rf"^[!-~](?:[ -~]{{0,{LONGEST_VALUE - 2}}}[!-~])?$"  # RFC 9110 §5.5, without obs-text

_OF_CONNECTIONS = ("connection", "expect", "host", "http2-settings", "keep-alive", "te", "trailer", "upgrade")
_OF_MESSAGES = ("cookie", "date", "max-forwards", "origin", "prefer", "range", "referer", "set-cookie")
_OF_THE_GATEWAY = ("authorization", "baggage", "traceparent", "tracestate", "user-agent", "x-request-id")
_OF_PROXIES = ("forwarded", "via", "x-real-ip")
_OF_METHODS = ("x-http-method", "x-http-method-override", "x-method-override")
_RESERVED = frozenset((*_OF_CONNECTIONS, *_OF_MESSAGES, *_OF_THE_GATEWAY, *_OF_PROXIES, *_OF_METHODS))
_RESERVED_BEGINNINGS = ("accept", "access-control-", "content-", "if-", "proxy-", "sec-", "transfer-", "x-forwarded-")
# What the app may search by, in any release; FHIR's other names begin with `_`, as none may here.
_SEARCHED_BY = frozenset(
    word for names in PARAMETERS.values() for known in names.values() for pair in known.items() for word in pair
)


def _headers(headers: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    # `auth` stands before this field in every model that has both.
    credential = str(getattr(info.data.get("auth"), "name", ""))
    _require_few(headers)
    for number, (name, value) in enumerate(headers.items(), start=1):
        lowered = name.lower()
        if not re.fullmatch(_HEADER_NAME, name):
            # Not repeated here: it may be anything that slipped into the wrong field.
            raise ValueError(f"must name headers by letters, digits and hyphens, at most 64: see entry {number}")
        if lowered in _RESERVED or lowered.startswith(_RESERVED_BEGINNINGS):
            raise ValueError(f"must not hold {name}, which the gateway or HTTP itself sets")
        if lowered == credential.lower():
            raise ValueError(f"must not hold {name}, which is the header of the credential")
        _require_value(name, value)
    return headers


def _parameters(parameters: dict[str, str]) -> dict[str, str]:
    _require_few(parameters)
    for number, (name, value) in enumerate(parameters.items(), start=1):
        if not re.fullmatch(_PARAMETER_NAME, name):
            raise ValueError(
                f"must name parameters by letters, digits and . _ ~ - with a letter or digit first, at most 64: "
                f"see entry {number}"
            )
        if name.lower() in _SEARCHED_BY:
            raise ValueError(f"must not hold {name}, which searches go by")
        _require_value(name, value)
    return parameters


def _require_few(names: Collection[str]) -> None:
    if len(names) > MOST_EXTRAS:
        raise ValueError(f"must have at most {MOST_EXTRAS} entries")
    if len({name.lower() for name in names}) < len(names):
        raise ValueError("must hold each name once, whatever the case of its letters")


def _require_value(name: str, value: str) -> None:
    if not re.fullmatch(_VALUE, value):
        raise ValueError(f"must give {name} a value of 1 to {LONGEST_VALUE} visible ASCII characters")


def _schema(name: str, description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "maxProperties": MOST_EXTRAS,
        "propertyNames": {"pattern": name},
        "additionalProperties": {"type": "string", "pattern": _VALUE},
    }


type ExtraHeaders = Annotated[
    dict[str, str],
    AfterValidator(_headers),
    WithJsonSchema(_schema(_HEADER_NAME, "Fixed headers for every request to the FHIR server")),
]
type ExtraParameters = Annotated[
    dict[str, str],
    AfterValidator(_parameters),
    WithJsonSchema(_schema(_PARAMETER_NAME, "Fixed parameters for every request to the FHIR server")),
]
