"""The hops before HTTP: each fault is named by its check, and no credential goes where it is not safe."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.conformance import Options, Report, Status, check_server
from gateway.conformance.checks.connection import CONNECTION
from gateway.conformance.evidence import Evidence, Network, Tls
from gateway.conformance.network import probe_network
from gateway.conformance.unregistered import GivenSecrets
from gateway.conformance.verdicts import State
from gateway.registry import Tenant
from gateway.registry.models import HeaderAuth
from gateway.settings import Settings
from gateway.versions import FhirVersion
from local.ports import free_port
from tests.gateway.conformance.fake_server import Asked, Fault, able_hospital, resources_of, serve
from tests.gateway.conformance.in_chinese import untold
from tests.gateway.conformance.test_faults import attention

NOW = datetime.now(UTC)
_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """A certificate authority of one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        certificate = (
            _builder(self._name, self._name, self._key.public_key(), NOW + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.trusted = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())

    def server(self, host: str, ends: datetime) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = (
            _builder(subject, self._name, key.public_key(), ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(NOW, ends) - timedelta(days=30))
        .not_valid_after(ends)
    )


async def checked(url: str, settings: Settings, tls: ssl.SSLContext | None = None) -> Report:
    tenant = Tenant(
        tenant_id="6b0a8c9e-2ec6-4d56-9a6a-5d4b8e0c1f11",
        name="A hospital",
        fhir_url=url,
        fhir_version=FhirVersion.STU3,
        auth=HeaderAuth(name="X-Api-Key", secret="given"),
    )
    options = Options(tls=tls) if tls else Options()
    return await check_server(tenant, FhirVersion.STU3, settings, GivenSecrets({"given": "key"}), options)


@dataclass(frozen=True)
class Planted:
    """A certificate, and what comes of it."""

    owner: str | None
    status: Status
    host: str = "localhost"
    days: int = 365
    trusted: bool = True


CERTIFICATES = {
    "good": Planted(None, Status.PASS),
    "expired": Planted("tls.expiry", Status.FAIL, days=-1),
    "ends soon": Planted("tls.expiry", Status.WARN, days=10),
    "for another host": Planted("tls.trust", Status.FAIL, host="elsewhere.example"),
    "of an unknown authority": Planted("tls.trust", Status.FAIL, trusted=False),
}


@pytest.mark.parametrize("name", CERTIFICATES)
async def test_a_wrong_certificate_is_named_by_its_check(name: str, tmp_path: Path, settings: Settings) -> None:
    planted = CERTIFICATES[name]
    authority = Authority(tmp_path)
    hospital = able_hospital("northfield", tmp_path, resources_of("northfield"))
    certificate = authority.server(planted.host, NOW + timedelta(days=planted.days))
    async with serve(hospital, Fault(), certificate) as server:
        report = await checked(server.fhir_url, settings, authority.trusted if planted.trusted else None)
    assert attention(report) == ({planted.owner} if planted.owner else set())
    assert report.verdict is planted.status
    assert untold(report) == []
    if planted.status is Status.FAIL:
        # What needs no credential is still found out, and nothing else is asked.
        assert [asked.below for asked in server.seen] == ["metadata"]
        assert "x-api-key" not in server.seen[0].headers
        assert _status(report, "metadata.version") is Status.PASS


async def test_a_server_without_tls_behind_https_is_named_by_its_check(tmp_path: Path, settings: Settings) -> None:
    hospital = able_hospital("northfield", tmp_path, resources_of("northfield"))
    async with serve(hospital, Fault()) as server:
        report = await checked(server.fhir_url.replace("http:", "https:"), settings)
    assert attention(report) == {"tls.handshake"}
    assert untold(report) == []


async def test_an_unknown_name_is_named_by_its_check(settings: Settings) -> None:
    report = await checked("https://no-such-host.invalid/fhir", settings)
    assert attention(report) == {"dns"}
    assert untold(report) == []


async def test_a_closed_port_is_named_by_its_check(settings: Settings) -> None:
    report = await checked(f"http://localhost:{free_port()}/fhir", settings)
    assert attention(report) == {"tcp"}
    assert untold(report) == []


async def test_nothing_is_sent_into_a_private_network(tmp_path: Path, settings: Settings) -> None:
    guarded = settings.model_copy(update={"allow_private_upstreams": False})
    hospital = able_hospital("northfield", tmp_path, resources_of("northfield"))
    async with serve(hospital, Fault()) as server:
        report = await checked(server.fhir_url, guarded)
    assert attention(report) == {"dns"}
    assert untold(report) == []
    assert server.seen == []


async def test_a_connection_to_a_private_address_is_not_even_opened() -> None:
    network = await probe_network("http://127.0.0.1:9/fhir", ssl.create_default_context(), public_only=True)
    assert network.private
    assert not network.connected


def test_http_to_another_machine_is_named_by_its_check() -> None:
    network = Network("http", loopback=False, addresses=1, connected=True)
    assert _unmet(network) == {"tls.used"}


def test_an_old_protocol_is_named_by_its_check() -> None:
    network = Network("https", loopback=False, addresses=1, connected=True, tls=Tls(protocol="TLSv1.1", days_left=90))
    assert _unmet(network) == {"tls.handshake"}


async def test_metadata_goes_without_the_credential(tmp_path: Path, settings: Settings) -> None:
    hospital = able_hospital("northfield", tmp_path, resources_of("northfield"))
    async with serve(hospital, Fault()) as server:
        await checked(server.fhir_url, settings)
    credentials = {_key(asked) for asked in server.seen if asked.below == "metadata"}
    assert credentials == {None}
    assert {_key(asked) for asked in server.seen if asked.below != "metadata"} == {"key"}


def _key(asked: Asked) -> str | None:
    return asked.headers.get("x-api-key")


def _status(report: Report, check_id: str) -> Status:
    return next(result.status for result in report.results if result.check.id == check_id)


def _unmet(network: Network) -> set[str]:
    evidence = Evidence("server", FhirVersion.STU3, network=network)
    return {check.id for check in CONNECTION if check.test(evidence).state is State.UNMET}
