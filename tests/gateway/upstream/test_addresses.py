import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.errors import UpstreamBroken
from gateway.settings import Settings
from gateway.upstream import Credentials, Upstream, lanes
from gateway.upstream.addresses import AddressRefused, check_address, is_public
from gateway.upstream.session import NotHttps, PrivateAddress, open_session
from tests.gateway.upstream.conftest import MemorySecrets, TenantOf
from tests.upstreams.server import emulate


@pytest.fixture
def strict(settings: Settings) -> Settings:
    return settings.model_copy(update={"allow_private_upstreams": False})


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  # an address to refuse
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "host.example",
        "",
    ],
)
def test_reserved_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "20.50.2.3", "2606:4700::1111"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://ehr.example.org/fhir", "https"),
        ("ftp://ehr.example.org/fhir", "https"),
        ("ehr.example.org/fhir", "https"),
        ("https:///fhir", "host"),
        ("https://user:word@ehr.example.org/fhir", "user name"),
        ("https://user@ehr.example.org/fhir", "user name"),
        ("https://ehr.example.org/fhir#x", "fragment"),
        ("https://ehr.example.org\\@127.0.0.1/fhir", "user name|backslash"),
        ("https://ehr.example.org:0/fhir", "Port 0"),
        ("https://ehr.example.org:99999/fhir", "absolute"),
        ("https://localhost/fhir", "private network"),
        ("https://LOCALHOST./fhir", "private network"),
        ("https://ehr.internal/fhir", "private network"),
        ("https://ehr/fhir", "full domain name"),
        ("https://127.0.0.1/fhir", "reserved"),
        ("https://127.1/fhir", "reserved"),
        ("https://2130706433/fhir", "reserved"),
        ("https://0x7f000001/fhir", "reserved"),
        ("https://[::1]/fhir", "reserved"),
        ("https://[::ffff:10.0.0.1]/fhir", "reserved"),
        ("https://169.254.169.254/metadata", "reserved"),
    ],
)
def test_refused_addresses_are_told_why(url: str, reason: str, strict: Settings) -> None:
    with pytest.raises(AddressRefused, match=reason) as caught:
        check_address(url, strict)
    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example.org/fhir",
        "https://8.8.8.8/fhir",
        "https://fhir-ehr.cerner.com/r4/a-b",
        "https://e.org:8443",
    ],
)
def test_public_https_addresses_pass(url: str, strict: Settings) -> None:
    check_address(url, strict)


def test_a_developer_may_use_private_ones(settings: Settings) -> None:
    check_address("http://127.0.0.1:8184/fhir", settings)
    with pytest.raises(AddressRefused, match="user name"):
        check_address("http://user@127.0.0.1:8184/fhir", settings)


async def test_a_tenants_address_is_looked_at_before_its_first_request_only(
    upstream: Upstream, tenant_of: TenantOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(lanes, "check_address", lambda url, _: looked.append(url))
    async with emulate() as server:
        moved = tenant_of(server).model_copy(update={"fhir_url": f"{server.base_url}/"})
        for tenant in (tenant_of(server), tenant_of(server), moved):
            assert (await upstream.send(tenant, "GET", "Patient/p1", {})).status == 200
        assert looked == [server.base_url, f"{server.base_url}/"]


async def test_a_refused_address_is_refused_every_time(
    strict: Settings, secrets: MemorySecrets, tenant_of: TenantOf
) -> None:
    async with emulate() as server, open_session(strict) as session:
        upstream = Upstream(strict, session, Credentials(secrets, session, strict))
        for _ in range(3):
            with pytest.raises(UpstreamBroken, match="not allowed"):
                await upstream.send(tenant_of(server), "GET", "Patient/p1", {})
        assert server.requests == []


class Rebinding(AbstractResolver):
    """Answers the first question with a public address and all later ones with the next: DNS rebinding."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
        ]

    async def close(self) -> None:
        pass


async def test_the_address_is_checked_when_the_connection_is_made(strict: Settings) -> None:
    async with open_session(strict, Rebinding("127.0.0.1")) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get("https://ehr.example.org/fhir")
    assert isinstance(caught.value.os_error, PrivateAddress)


async def test_a_name_that_rebinds_between_check_and_connection_reaches_nobody(
    strict: Settings, secrets: MemorySecrets, tenant_of: TenantOf
) -> None:
    """The registry's check saw a public address; by the time of the request the name points inside."""
    async with emulate() as inside:
        port = inside.base_url.rpartition(":")[2].partition("/")[0]
        tenant = tenant_of(inside).model_copy(update={"fhir_url": f"https://ehr.example.org:{port}/fhir"})
        check_address(tenant.fhir_url, strict)
        async with open_session(strict, Rebinding("127.0.0.1")) as session:
            upstream = Upstream(strict, session, Credentials(secrets, session, strict))
            with pytest.raises(UpstreamBroken, match="not a public one"):
                await upstream.send(tenant, "GET", "Patient/p1", {})
        assert inside.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"])
async def test_literal_addresses_do_not_slip_past_the_resolver(host: str, strict: Settings) -> None:
    async with open_session(strict) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"https://{host}/fhir")
    assert isinstance(caught.value.os_error, PrivateAddress)


async def test_a_session_speaks_https_only(strict: Settings) -> None:
    async with open_session(strict) as session:
        with pytest.raises(NotHttps):
            await session.get("http://ehr.example.org/fhir")


@pytest.mark.parametrize("url", ["http://ehr.example.org/fhir", "https://127.0.0.1/fhir"])
async def test_a_tenant_at_a_refused_address_is_not_asked(
    url: str, strict: Settings, secrets: MemorySecrets, tenant_of: TenantOf
) -> None:
    async with emulate() as server, open_session(strict) as session:
        upstream = Upstream(strict, session, Credentials(secrets, session, strict))
        with pytest.raises(UpstreamBroken, match="not allowed"):
            await upstream.send(tenant_of(server).model_copy(update={"fhir_url": url}), "GET", "Patient/p1", {})
