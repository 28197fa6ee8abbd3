"""The capability statement (interface §1.4, §1.5, §3)."""

from typing import Any

from gateway.conformance.evidence import Evidence
from gateway.conformance.fields import KINDS
from gateway.conformance.paths import values
from gateway.conformance.verdicts import Check, Severity, Verdict, met, partly, unmet, untested
from gateway.upstream.discovery import oauth_uris
from gateway.versions import FhirVersion

_REFUSED = (401, 403)
_SENT = ("GET metadata (without a token)",)
_BY_NUMBER = {"1.0": FhirVersion.DSTU2, "3.0": FhirVersion.STU3, "4.0": FhirVersion.R4}
_STATEMENTS = ("CapabilityStatement", "Conformance")


def stated_version(statement: dict[str, Any] | None) -> FhirVersion | None:
    """The release that a capability statement names; None for one that the gateway does not speak."""
    number = (statement or {}).get("fhirVersion")
    return _BY_NUMBER.get(".".join(number.split(".")[:2])) if isinstance(number, str) else None


def _open(evidence: Evidence) -> Verdict:
    exchange = evidence.one("metadata")
    if exchange is None:
        return untested("not asked")
    if exchange.status in _REFUSED:
        return unmet(f"{exchange.status}: a token is asked for", sent=_SENT)
    return met("no token needed", sent=_SENT)


def _statement(evidence: Evidence) -> Verdict:
    exchange = evidence.one("metadata")
    if exchange is None:
        return untested("not asked")
    if exchange.resource is None or exchange.resource.get("resourceType") not in _STATEMENTS:
        return unmet(exchange.described(), sent=_SENT)
    return met(exchange.described(), sent=_SENT)


def _version(evidence: Evidence) -> Verdict:
    stated = stated_version(_resource(evidence))
    if stated is None:
        return unmet("fhirVersion: none of 1.0, 3.0, 4.0", sent=_SENT)
    if evidence.registered not in (None, stated):
        return unmet(f"fhirVersion: {stated}, registered as {evidence.registered}", sent=_SENT)
    return met(f"fhirVersion: {stated}", sent=_SENT)


def _mode(evidence: Evidence) -> Verdict:
    modes = values(_resource(evidence), "rest.mode")
    return met("rest.mode", sent=_SENT) if "server" in modes else unmet("rest.mode: not `server`", sent=_SENT)


def _patient(evidence: Evidence) -> Verdict:
    if "Patient" in values(_resource(evidence), "rest.resource.type"):
        return met("rest.resource.type: Patient", sent=_SENT)
    return unmet("rest.resource.type: no Patient", sent=_SENT)


def _types(evidence: Evidence) -> Verdict:
    listed = values(_resource(evidence), "rest.resource.type")
    wanted = [kind.resource_type for kind in KINDS[evidence.version] if kind.name != "patient"]
    missing = [name for name in wanted if name not in listed]
    if not missing:
        return met(f"rest.resource.type: all {len(wanted)}", sent=_SENT)
    return partly(f"rest.resource.type: without {', '.join(missing)}", sent=_SENT)


def _oauth(evidence: Evidence) -> Verdict:
    if evidence.side == "server" and (evidence.grant is None or not evidence.grant.by_token):
        return untested("the server is not asked for tokens")
    if oauth_uris(_resource(evidence), "token"):
        return met("rest.security.extension(oauth-uris).token", sent=_SENT)
    return unmet("rest.security.extension(oauth-uris).token: absent", sent=_SENT)


def _resource(evidence: Evidence) -> dict[str, Any]:
    exchange = evidence.one("metadata")
    return (exchange.resource if exchange else None) or {}


_READABLE = ("metadata.open", "metadata.statement")
METADATA = (
    Check(
        "metadata.open",
        "metadata is answered without a token",
        "interface §1.4",
        Severity.MUST,
        _open,
        "Exempt GET metadata from authorization, as FHIR asks.",
        ("tcp", "tls.handshake"),
    ),
    Check(
        "metadata.statement",
        "metadata is a capability statement in JSON",
        "interface §3",
        Severity.MUST,
        _statement,
        "Check the base URL: GET {base}/metadata must answer FHIR JSON.",
        ("metadata.open",),
    ),
    Check(
        "metadata.version",
        "fhirVersion is one that the gateway speaks, and the registered one",
        "interface §3, §4, §5",
        Severity.MUST,
        _version,
        "Register the version that the server states; DSTU2 1.0, STU3 3.0 and R4 4.0 are spoken.",
        _READABLE,
    ),
    Check(
        "metadata.mode",
        "rest.mode is server",
        "interface §3",
        Severity.SHOULD,
        _mode,
        "State rest.mode = server.",
        _READABLE,
    ),
    Check(
        "metadata.patient",
        "Patient is among the resources",
        "interface §3: Patient is mandatory",
        Severity.MUST,
        _patient,
        "Enable the Patient resource, and list it.",
        _READABLE,
    ),
    Check(
        "metadata.types",
        "The other resources of the app are listed",
        "interface §3, §4, §5",
        Severity.SHOULD,
        _types,
        "Enable the missing resource types; the app shows nothing where they are missing.",
        _READABLE,
    ),
    Check(
        "metadata.oauth-uris",
        "The token URL is in the capability statement",
        "interface §1.5",
        Severity.SHOULD,
        _oauth,
        "Publish the oauth-uris extension in rest.security.",
        _READABLE,
    ),
)
