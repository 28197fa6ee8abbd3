"""Addresses of the upstream in answers become addresses of the gateway; no other text is touched."""

import re
from typing import Any
from urllib.parse import urlsplit

import orjson

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Elements that hold the address of a resource on a server, in any of the three versions. Identifiers' systems and
# canonical URLs of profiles and code systems are names, not addresses, even on the upstream's own host.
_ADDRESS_KEYS = frozenset({"fullUrl", "reference", "location"})
# `url` is an address only below these: links and requests of a Bundle, and Attachments by the names of their elements
# (besides those that end with `attachment`).
_URL_PARENTS = frozenset({"link", "request", "content", "photo", "image", "presentedForm", "diagram"})
# Where a Bundle holds whole resources.
_RESOURCE_KEYS = frozenset({"resource", "outcome"})
_END = r"(?=[/?#]|$)"


def origin_pattern(base: str) -> str:
    """A regular expression for the origin of a base address in any spelling: http for https, the host in any case, a
    default port or none.
    """
    parts = urlsplit(base)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    # Behind a TLS proxy a server often writes http, or the proxy's default port.
    written = r"(?::(?:80|443))?" if port in _DEFAULT_PORTS.values() else f":{port}"
    return rf"https?://{re.escape((parts.hostname or '').lower())}{written}"


class UrlRewriter:
    """Rewrites what points at `upstream_base` to point at `gateway_base` instead; both are absolute, without a slash
    at the end.

    `…/fhir-archive` is not below `…/fhir`. Outcomes are the upstream's own words: its host goes from them wherever it
    stands.
    """

    def __init__(self, upstream_base: str, gateway_base: str) -> None:
        parts = urlsplit(upstream_base)
        host = (parts.hostname or "").lower()
        own_port = f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme) else ""
        self._host = host.encode()
        # What every address below the base holds, in lower case.
        self._mark = f"{host}{own_port}".encode()
        self._usual = f"{upstream_base}/"
        self._gateway = gateway_base
        self._usual_reference, self._own_reference = (
            b'"reference":' + orjson.dumps(f"{base}/").removesuffix(b'"') for base in (upstream_base, gateway_base)
        )
        origin = origin_pattern(upstream_base)
        path = re.escape(parts.path.rstrip("/"))
        self._base = re.compile(rf"{origin}{path}{_END}", re.IGNORECASE)
        self._link_in_html = re.compile(rf"(\b(?:href|src)\s*=\s*[\"']){origin}{path}(?=[/?#\"'])", re.IGNORECASE)
        self._in_text = re.compile(
            rf"(?P<own>{re.escape(gateway_base)})"
            rf"|(?P<base>https?://{re.escape(host)}(?::\d+)?{path}(?![\w-]))"
            rf"|(?:https?://)?(?<![\w-]){re.escape(host)}(?![\w-])(?::\d+)?",
            re.IGNORECASE,
        )

    def url(self, value: str) -> str:
        """One address; unchanged when it is not below the upstream's base."""
        if value.startswith(self._usual):
            return f"{self._gateway}/{value[len(self._usual) :]}"
        match = self._base.match(value) if "://" in value else None
        return self._gateway + value[match.end() :] if match else value

    def relative(self, value: str) -> str | None:
        """What follows the base in an address below it, without leading slash; None for any other address."""
        match = self._base.match(value)
        return value[match.end() :].lstrip("/") if match else None

    def header(self, value: str) -> str:
        """A Location or Content-Location: below the gateway's base, relative, or empty when it may not be shown."""
        rewritten = self.url(value)
        return "" if rewritten == value and "//" in value else rewritten

    def text(self, value: str) -> str:
        """Free text of the upstream's, such as an outcome's diagnostics: base, then bare host, are replaced."""
        return self._in_text.sub(self._replacement, value)

    def _replacement(self, match: re.Match[str]) -> str:
        if match["own"]:
            return match[0]
        return self._gateway if match["base"] else "[FHIR server]"

    def document(self, resource: dict[str, Any]) -> bytes:
        """A resource or Bundle as JSON, rewritten. The parsed resource may be changed in place.

        Most answers do not name the host but in `fullUrl` and references: the tree is walked only when the JSON still
        does without these.
        """
        for entry in resource.get("entry", ()) if resource.get("resourceType") == "Bundle" else ():
            full_url = entry.get("fullUrl")
            if type(full_url) is str:
                entry["fullUrl"] = self.url(full_url)
        body = orjson.dumps(resource)
        if not self._is_named(body):
            return body
        # No text within JSON holds a bare quotation mark: this is the element, never a word about one.
        body = body.replace(self._usual_reference, self._own_reference)
        if not self._is_named(body):
            return body
        self._resource(resource)
        return orjson.dumps(resource)

    def _is_named(self, body: bytes) -> bool:
        """Whether JSON may hold an address below the base, or an outcome the host."""
        lowered = body.lower()
        # Without the host there is no mark either: one search of the text is enough nearly always.
        return self._host in lowered and (self._mark in lowered or b"operationoutcome" in lowered)

    def _resource(self, resource: dict[str, Any]) -> None:
        if resource.get("resourceType") == "OperationOutcome":
            self._outcome(resource)
        else:
            self._element(resource, "")

    def _element(self, node: dict[str, Any], parent: str) -> None:
        for key, value in node.items():
            kind = type(value)
            if kind is str:
                if key in _ADDRESS_KEYS or (key == "url" and _is_address(parent)):
                    node[key] = self.url(value)
                elif key == "div":
                    node[key] = self._link_in_html.sub(rf"\g<1>{self._gateway}", value)
            elif kind is dict:
                if key in _RESOURCE_KEYS:
                    self._resource(value)
                else:
                    self._element(value, key)
            elif kind is list:
                for item in value:
                    if type(item) is dict:
                        self._element(item, key)

    def _outcome(self, node: dict[str, Any]) -> None:
        for key, value in node.items():
            if isinstance(value, str):
                node[key] = self.text(value)
            elif isinstance(value, dict):
                self._outcome(value)
            elif isinstance(value, list):
                node[key] = [self.text(item) if isinstance(item, str) else item for item in value]
                for item in value:
                    if isinstance(item, dict):
                        self._outcome(item)


def _is_address(parent: str) -> bool:
    return parent in _URL_PARENTS or parent.lower().endswith("attachment")


class OwnAddresses:
    """The gateway's own addresses in requests, in any spelling, become relative ones."""

    def __init__(self, fhir_base: str, prefix: str) -> None:
        """`prefix` is the face's part of the base, such as `/stu3`, or empty."""
        path = re.escape(urlsplit(fhir_base).path.rstrip("/"))
        self._base = re.compile(
            rf"{origin_pattern(fhir_base)}{path}(?:{re.escape(prefix)}(?=[/?#]|$))?/?", re.IGNORECASE
        )
        self._host = (urlsplit(fhir_base).hostname or "").lower()

    def relative(self, value: str) -> str | None:
        """What follows the base, or None for another address."""
        match = self._base.match(value)
        # `https://host/fhirX` matches the base without its end.
        if match is None or not (value[match.end() - 1] == "/" or value[match.end() :][:1] in ("", "?", "#")):
            return None
        return value[match.end() :]

    def references(self, value: str) -> str:
        """A search parameter's value with the gateway's own references in it made relative."""
        if "//" not in value or self._host not in value.lower():
            return value
        parts = value.split(",")
        return ",".join(part if (found := self.relative(part)) is None else found for part in parts)
