"""Name, connection, certificate, credential: the hops before FHIR."""

from gateway.conformance.evidence import Evidence, Tls
from gateway.conformance.verdicts import Check, Severity, Verdict, met, partly, unmet, untested

_MIN_DAYS = 30
_SECTION = "interface §6: every hop counts"
_MODERN = ("TLSv1.2", "TLSv1.3")
_REFUSED = (401, 403)


def _dns(evidence: Evidence) -> Verdict:
    if evidence.network is None:
        return untested("not looked at")
    if evidence.network.private:
        return unmet("the name leads into a private network, where the gateway sends no requests")
    count = evidence.network.addresses
    return met(f"{count} address(es)") if count else unmet("the host name has no address")


def _tcp(evidence: Evidence) -> Verdict:
    if evidence.network is None:
        return untested("not looked at")
    return met("connected") if evidence.network.connected else unmet("nothing accepts connections at host and port")


def _encrypted(evidence: Evidence) -> Verdict:
    network = evidence.network
    if network is None:
        return untested("not looked at")
    if network.scheme == "https":
        return met("https")
    return met("http on this machine") if network.loopback else unmet("http: patients' data would go unencrypted")


def _handshake(evidence: Evidence) -> Verdict:
    tls = _tls(evidence)
    if tls is None:
        return untested("no TLS")
    if tls.problem == "handshake":
        return unmet("the TLS handshake fails")
    if tls.problem:
        return met("the handshake reaches the certificate")
    return met(tls.protocol) if tls.protocol in _MODERN else unmet(f"{tls.protocol}: older than TLS 1.2")


def _expiry(evidence: Evidence) -> Verdict:
    tls = _tls(evidence)
    if tls is None:
        return untested("no TLS")
    if tls.problem in ("expired", "not-yet-valid"):
        return unmet("the certificate has expired" if tls.problem == "expired" else "the certificate is not valid yet")
    if tls.days_left is None:
        return untested("the certificate could not be read")
    if tls.days_left < _MIN_DAYS:
        return partly(f"the certificate ends in less than {_MIN_DAYS} days")
    return met(f"the certificate is good for at least {_MIN_DAYS} days")


def _trust(evidence: Evidence) -> Verdict:
    tls = _tls(evidence)
    if tls is None:
        return untested("no TLS")
    if tls.problem == "hostname":
        return unmet("the certificate is for another host name")
    if tls.problem == "untrusted":
        return unmet("no trusted authority vouches for the certificate (self-signed, or the chain is incomplete)")
    return met("host name and chain are right")


def _tls(evidence: Evidence) -> Tls | None:
    return evidence.network.tls if evidence.network else None


def _grant(evidence: Evidence) -> Verdict:
    grant = evidence.grant
    if grant is None:
        return untested("not asked")
    if grant.problem:
        return unmet(grant.problem, sent=(_asked(grant.kind),))
    return met(f"credential of kind {grant.kind}", sent=(_asked(grant.kind),))


def _asked(kind: str) -> str:
    return {
        "none": "nothing: the server is open",
        "header": "a fixed header",
        "basic": "HTTP Basic",
    }.get(kind, f"POST token endpoint, {kind}")


def _accepted(evidence: Evidence) -> Verdict:
    asked = [one for probe in ("list-post", "list-get") for one in evidence.of(probe)]
    if not asked:
        return untested("not asked")
    refused = [one for one in asked if one.status in _REFUSED]
    sent = tuple(one.sent for one in asked)
    if refused:
        return unmet(f"{refused[0].status}: the credential is refused", sent=sent)
    return met("no 401 or 403", sent=sent)


CONNECTION = (
    Check(
        "dns",
        "The server's name resolves",
        _SECTION,
        Severity.MUST,
        _dns,
        "Correct the host in the FHIR URL, or publish the name in DNS.",
        server_only=True,
    ),
    Check(
        "tcp",
        "The server accepts connections",
        _SECTION,
        Severity.MUST,
        _tcp,
        "Open the firewall for the gateway's outbound address; check port and listener.",
        ("dns",),
        server_only=True,
    ),
    Check(
        "tls.used",
        "Data travels encrypted",
        "interface §1: elevated access to the EHR",
        Severity.MUST,
        _encrypted,
        "Serve FHIR over https and register that address.",
        ("dns",),
        server_only=True,
    ),
    Check(
        "tls.handshake",
        "TLS 1.2 or newer",
        _SECTION,
        Severity.MUST,
        _handshake,
        "Enable TLS 1.2 and 1.3 at the server or its load balancer.",
        ("tcp",),
        server_only=True,
    ),
    Check(
        "tls.expiry",
        "The certificate is valid for 30 days or more",
        _SECTION,
        Severity.MUST,
        _expiry,
        "Renew the certificate, and let it renew itself.",
        ("tls.handshake",),
        server_only=True,
    ),
    Check(
        "tls.trust",
        "The certificate is trusted and names the host",
        _SECTION,
        Severity.MUST,
        _trust,
        "Install the full chain of a public authority, for this host name.",
        ("tls.handshake", "tls.expiry"),
        server_only=True,
    ),
)
CREDENTIAL = (
    Check(
        "token",
        "The gateway gets a credential",
        "interface §1, §2",
        Severity.MUST,
        _grant,
        "Check client id, secret or key, token URL and scope at the server's authorization server.",
        ("tcp", "tls.handshake", "tls.expiry", "tls.trust"),
        server_only=True,
    ),
    Check(
        "credential.accepted",
        "The server accepts the credential",
        "interface §1, §2",
        Severity.MUST,
        _accepted,
        "Give the gateway's client read access to the resource types of the app.",
        ("token",),
        server_only=True,
    ),
)
