"""What a tenant's server wants beside the credential is no caller's business: it goes from answers."""

import re
from typing import Any

from gateway.fhir.urls import UrlRewriter
from gateway.registry import Tenant

# Shorter values are words and numbers that an outcome may use by itself.
_TELLING = 6
_VALUE = r"[^&#\s\"'<>\\]*"
_AND = r"&(?:amp;)?"


class DiscreetRewriter(UrlRewriter):
    """A UrlRewriter that leaves the tenant's fixed parameters out of addresses, wherever they stand, and values of
    these and of its fixed headers out of outcomes, which are the server's own words.
    """

    def __init__(self, upstream_base: str, gateway_base: str, tenant: Tenant) -> None:
        super().__init__(upstream_base, gateway_base)
        pair = rf"(?:{'|'.join(map(re.escape, tenant.extra_parameters)) or '(?!)'})={_VALUE}"
        form = rf"(\?|{_AND}){pair}(?:{_AND}{pair})*({_AND})?"
        self._names = [f"{name}=".lower().encode() for name in tenant.extra_parameters]
        self._pairs = re.compile(form, re.IGNORECASE)
        self._pairs_in_json = re.compile(form.encode(), re.IGNORECASE)
        values = [*tenant.extra_headers.values(), *tenant.extra_parameters.values()]
        telling = sorted((value for value in values if len(value) >= _TELLING), key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, telling)) or "(?!)", re.IGNORECASE)

    def header(self, value: str) -> str:
        return self._pairs.sub(_joined, super().header(value))

    def text(self, value: str) -> str:
        return self._values.sub("[…]", self._pairs.sub(_joined, super().text(value)))

    def document(self, resource: dict[str, Any]) -> bytes:
        body = super().document(resource)
        lowered = body.lower()
        return self._pairs_in_json.sub(_joined, body) if any(name in lowered for name in self._names) else body

    def _is_named(self, body: bytes) -> bool:
        # An outcome may quote a value without naming the host.
        return b"OperationOutcome" in body or super()._is_named(body)


def _joined[S: (str, bytes)](match: re.Match[S]) -> S:
    """What is left in the place of parameters: the mark before them when others follow, else nothing."""
    return match[1] if match[2] else match[0][:0]
