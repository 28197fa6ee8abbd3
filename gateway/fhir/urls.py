"""Addresses of the upstream in answers become addresses of the gateway; no other text is touched."""

import re
from typing import Any
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Elements that hold the address of a resource or document on a server, in any of the three versions. Identifiers'
# systems, canonical URLs of profiles and code systems are names, not addresses, even on the upstream's own host.
_ADDRESS_KEYS = frozenset({"fullUrl", "reference", "location"})
_URL_PARENTS = frozenset({"link", "content", "attachment", "photo", "image", "valueAttachment", "implementation"})


class UrlRewriter:
    """Rewrites what points at `upstream_base` to point at `gateway_base` instead.

    Both are absolute without trailing slash. Scheme, case of the host and an explicit default port of the upstream do
    not matter; `…/fhir-archive` is not below `…/fhir`.
    """

    def __init__(self, upstream_base: str, gateway_base: str) -> None:
        parts = urlsplit(upstream_base)
        self.host = (parts.hostname or "").lower()
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        # An upstream behind a TLS proxy often writes http, or no port at all.
        ports = "" if port in _DEFAULT_PORTS.values() else f":{port}"
        optional = r"(?::(?:80|443))?" if not ports else re.escape(ports)
        path = re.escape(parts.path.rstrip("/"))
        self._base = re.compile(rf"https?://{re.escape(self.host)}{optional}{path}(?=[/?#]|$)", re.IGNORECASE)
        self._origin = re.compile(rf"https?://{re.escape(self.host)}{optional}(?=[/?#]|$)", re.IGNORECASE)
        self._anywhere = re.compile(
            rf"https?://{re.escape(self.host)}(?::\d+)?{path}(?=[/?#\s\"'<>)]|$)", re.IGNORECASE
        )
        self._gateway = gateway_base

    def mentions_upstream(self, body: bytes) -> bool:
        """Whether raw JSON may name the upstream's host at all; escapes are taken as a yes."""
        lowered = body.lower()
        return self.host.encode() in lowered or b"\\u00" in lowered

    def url(self, value: str) -> str:
        """One address; unchanged when it is not below the upstream's base."""
        match = self._base.match(value)
        return self._gateway + value[match.end() :] if match else value

    def text(self, value: str) -> str:
        """Free text of the upstream's, such as an outcome's diagnostics: base, then bare host, are replaced."""
        value = self._anywhere.sub(self._gateway, value)
        return (
            re.sub(re.escape(self.host), "upstream", value, flags=re.IGNORECASE)
            if self.host in value.lower()
            else value
        )

    def resource(self, node: Any, parent: str = "") -> Any:  # noqa: ANN401  # JSON
        """A parsed resource or bundle, changed in place and returned."""
        if isinstance(node, dict):
            outcome = node.get("resourceType") == "OperationOutcome"
            for key, value in node.items():
                if isinstance(value, str):
                    if key in _ADDRESS_KEYS or (key == "url" and parent in _URL_PARENTS):
                        node[key] = self.url(value)
                    elif key == "div":
                        node[key] = self._anywhere.sub(self._gateway, value)
                    elif parent == "issue" or outcome:
                        node[key] = self.text(value)
                elif isinstance(value, (dict, list)):
                    inside_issue = parent == "issue" and key in ("details", "coding")
                    node[key] = self.resource(value, "issue" if inside_issue else key)
        elif isinstance(node, list):
            for index, item in enumerate(node):
                if isinstance(item, (dict, list)):
                    self.resource(item, parent)
                elif isinstance(item, str) and parent == "issue":
                    node[index] = self.text(item)
        return node
