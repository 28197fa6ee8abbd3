"""Every error that a caller can meet, in one tree.

GatewayError                 status, public text; the private detail is only logged
├── OAuthError               RFC 6749 §5.2 JSON: `error`, `error_description`
│   ├── InvalidRequest           400 invalid_request
│   ├── InvalidClient            401 invalid_client
│   ├── UnsupportedGrantType     400 unsupported_grant_type
│   ├── UnsupportedResponseType  400 unsupported_response_type
│   ├── InvalidScope             400 invalid_scope
│   ├── InvalidGrant             400 invalid_grant
│   ├── TooManyTokens            429 with Retry-After
│   └── TooManyFailures          429 with Retry-After
├── FhirError                OperationOutcome: `issue.code`, `issue.diagnostics`
│   ├── TokenRequired            401 login, no error code (RFC 6750 §3.1: nothing was sent)
│   ├── TokenRefused             401 login, `invalid_token`
│   ├── BearerMisused            400 invalid, `invalid_request`
│   ├── ScopeExceeded            403 forbidden, `insufficient_scope`
│   ├── BadRequest               400 invalid
│   ├── TooCostly                400 too-costly
│   ├── NotFound                 404 not-found
│   ├── NotSupported             404 not-supported
│   ├── MethodNotAllowed         405 not-supported, Allow
│   ├── NotAcceptable            406 not-supported
│   ├── PageExpired              410 expired
│   ├── LengthRequired           411 invalid
│   ├── BodyTooLarge             413 too-long
│   ├── MediaTypeRefused         415 not-supported
│   ├── Throttled                429 throttled, Retry-After
│   ├── UpstreamBroken           502 exception
│   ├── UpstreamSuspended        503 transient, Retry-After
│   └── UpstreamTimeout          504 timeout
├── RegistryError            problem+json (RFC 9457): `field`
│   ├── Malformed                400
│   ├── SignInRequired           401, WWW-Authenticate
│   ├── RoleRequired             403, WWW-Authenticate
│   ├── Unknown                  404
│   ├── Unsupported              405, Allow
│   ├── Duplicate                409
│   ├── Busy                     409
│   ├── Stale                    412
│   └── Invalid                  422
│       └── InvalidFields        422, every field at fault
└── StorageUnavailable       503 in the form of the route that met it
"""

from collections.abc import Mapping, Sequence


class GatewayError(Exception):
    """`public` is what the caller may read; `detail` is for the log and never holds a patient's data or a secret."""

    status = 500

    def __init__(self, public: str, *, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(public)
        self.public = public
        self.detail = detail
        self.headers = dict(headers or {})


class StorageUnavailable(GatewayError):
    status = 503

    def __init__(self, detail: str) -> None:
        super().__init__(
            "The service cannot reach its storage at the moment; try again shortly.",
            detail=detail,
            headers={"Retry-After": "5"},
        )


class OAuthError(GatewayError):
    status = 400
    error = "invalid_request"


class InvalidRequest(OAuthError):
    """`status` where HTTP has one that says more than 400: 405, 411, 413."""

    def __init__(self, public: str, *, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(public, headers=headers)
        self.status = status


class InvalidClient(OAuthError):
    """One text for an unknown client and for a wrong credential: nobody learns which clients exist."""

    status = 401
    error = "invalid_client"

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "Client authentication failed: check client_id and its secret or key.",
            detail=detail,
            headers={"WWW-Authenticate": 'Basic realm="token", charset="UTF-8"'},
        )


class InvalidGrant(OAuthError):
    error = "invalid_grant"


class UnsupportedGrantType(OAuthError):
    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    """One text for unknown, disabled and forbidden tenants: nobody learns which tenants exist."""

    error = "invalid_scope"

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The scope must name a tenant that this client may use: its Entra tenant id, a GUID.",
            detail=detail,
        )


class TooManyTokens(OAuthError):
    status = 429
    error = "temporarily_unavailable"

    def __init__(self, public: str, retry_after: int) -> None:
        super().__init__(public, headers={"Retry-After": str(retry_after)})


class TooManyFailures(OAuthError):
    status = 429
    error = "temporarily_unavailable"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "Client authentication failed too often; check client_id and its secret or key, and try again later.",
            headers={"Retry-After": str(retry_after)},
        )


class FhirError(GatewayError):
    status = 400
    code = "invalid"


class TokenRequired(FhirError):
    status = 401
    code = "login"

    def __init__(self) -> None:
        super().__init__(
            "An access token is needed: send Authorization: Bearer with a token from the token endpoint.",
            headers={"WWW-Authenticate": 'Bearer realm="fhir"'},
        )


class TokenRefused(FhirError):
    status = 401
    code = "login"

    def __init__(self, public: str, *, detail: str = "") -> None:
        super().__init__(
            public,
            detail=detail,
            headers={"WWW-Authenticate": f'Bearer realm="fhir", error="invalid_token", error_description="{public}"'},
        )


class BearerMisused(FhirError):
    def __init__(self, public: str) -> None:
        super().__init__(
            public,
            headers={"WWW-Authenticate": f'Bearer realm="fhir", error="invalid_request", error_description="{public}"'},
        )


class ScopeExceeded(FhirError):
    status = 403
    code = "forbidden"

    def __init__(self, public: str) -> None:
        super().__init__(public, headers={"WWW-Authenticate": 'Bearer realm="fhir", error="insufficient_scope"'})


class BadRequest(FhirError):
    pass


class TooCostly(FhirError):
    code = "too-costly"


class NotFound(FhirError):
    status = 404
    code = "not-found"


class NotSupported(FhirError):
    status = 404
    code = "not-supported"


class MethodNotAllowed(FhirError):
    status = 405
    code = "not-supported"

    def __init__(self, public: str, allow: str) -> None:
        super().__init__(public, headers={"Allow": allow})


class NotAcceptable(FhirError):
    status = 406
    code = "not-supported"


class PageExpired(FhirError):
    status = 410
    code = "expired"

    def __init__(self) -> None:
        super().__init__("This page address has expired: search again.")


class LengthRequired(FhirError):
    status = 411


class BodyTooLarge(FhirError):
    status = 413
    code = "too-long"


class MediaTypeRefused(FhirError):
    status = 415
    code = "not-supported"


class Throttled(FhirError):
    status = 429
    code = "throttled"

    def __init__(self, public: str, retry_after: int) -> None:
        super().__init__(public, headers={"Retry-After": str(retry_after)})


class UpstreamBroken(FhirError):
    status = 502
    code = "exception"


class UpstreamSuspended(FhirError):
    status = 503
    code = "transient"

    def __init__(self, public: str, retry_after: int) -> None:
        super().__init__(public, headers={"Retry-After": str(retry_after)})


class UpstreamTimeout(FhirError):
    status = 504
    code = "timeout"


class RegistryError(GatewayError):
    """Something an operator asked for cannot be done; `field` names the input at fault, where one is."""

    status = 422

    def __init__(self, public: str, *, field: str = "", detail: str = "") -> None:
        super().__init__(public, detail=detail)
        self.field = field


class Malformed(RegistryError):
    """Not even the form is right: no JSON, a length that is unknown or too large, a parameter that is none."""

    status = 400

    def __init__(self, public: str, *, field: str = "", status: int = status) -> None:
        super().__init__(public, field=field)
        self.status = status


class SignInRequired(RegistryError):
    status = 401

    def __init__(self, public: str, *, challenge: str, detail: str = "") -> None:
        super().__init__(public, detail=detail)
        self.headers = {"WWW-Authenticate": challenge}


class RoleRequired(RegistryError):
    status = 403

    def __init__(self, public: str, *, detail: str = "") -> None:
        super().__init__(public, detail=detail)
        self.headers = {"WWW-Authenticate": 'Bearer realm="manage", error="insufficient_scope"'}


class Unsupported(RegistryError):
    status = 405

    def __init__(self, public: str, allow: str) -> None:
        super().__init__(public)
        self.headers = {"Allow": allow}


class Invalid(RegistryError):
    pass


class InvalidFields(Invalid):
    """`problems` are (field, text) pairs, at least one; the error itself tells of the first."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        field, text = problems[0]
        super().__init__(f"{field} {text}." if field else f"{text}.", field=field)
        self.problems = tuple(problems)


class Unknown(RegistryError):
    status = 404


class Duplicate(RegistryError):
    status = 409


class Busy(RegistryError):
    status = 409


class Stale(RegistryError):
    status = 412
