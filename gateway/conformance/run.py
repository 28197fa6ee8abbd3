"""A run: the server alone, then (for a tenant) the same through the gateway, then one report of both."""

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from statistics import median
from urllib.parse import urlsplit, urlunsplit

from gateway.conformance.abilities import find_abilities, propose
from gateway.conformance.admission import admitted
from gateway.conformance.allowance import Allowance
from gateway.conformance.checks.metadata import stated_version
from gateway.conformance.evidence import Evidence, Grant, Network
from gateway.conformance.judge import judge, side_by_side
from gateway.conformance.network import probe_network
from gateway.conformance.sides import Gateway, Server
from gateway.conformance.survey import Depth, Survey
from gateway.conformance.verdicts import Call, Hop, Proposal, Report, State, Subject, Timing
from gateway.errors import GatewayError
from gateway.fhir.capability import capability_statement
from gateway.fhir.faces import FACES
from gateway.pipeline import FhirEndpoint
from gateway.registry import Tenant
from gateway.secrets import SecretStore
from gateway.settings import Settings
from gateway.upstream import Credentials
from gateway.upstream.session import open_session
from gateway.upstream.systems import PROFILES, SystemProfile, profile_of
from gateway.versions import FhirVersion, can_adapt

_APP_VERSIONS = (FhirVersion.DSTU2, FhirVersion.STU3)
_STATUS = re.compile(r"status \d{3}")

type Tick = Callable[[str], None]


@cache
def _system_tls() -> ssl.SSLContext:
    """The authorities that the machine trusts; read once, they are many."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes. `max_requests` counts for each side; `face` is the version that the app will see."""

    face: FhirVersion | None = None
    depth: Depth = field(default_factory=Depth)
    at_a_time: int = 5
    max_requests: int = 500
    timeout_seconds: float = 30
    show_values: bool = False
    tls: ssl.SSLContext = field(default_factory=_system_tls)


async def check_server(
    tenant: Tenant,
    registered: FhirVersion | None,
    settings: Settings,
    secrets: SecretStore,
    options: Options,
    tick: Tick = lambda _text: None,
) -> Report:
    """Check the server at the tenant's address alone. `registered` is the version it should have; None: whatever it
    says. Only reads. Raises nothing for what the server does.
    """
    return await _Run(tenant, registered, settings, options, tick).report(secrets, None)


async def check_tenant(  # the parts of the service that a check needs
    tenant: Tenant,
    settings: Settings,
    secrets: SecretStore,
    endpoint: FhirEndpoint,
    options: Options,
    tick: Tick = lambda _text: None,
) -> Report:
    """Check a tenant: its server alone, and what the app gets through the gateway's pipeline, which is what counts."""
    return await _Run(tenant, tenant.fhir_version, settings, options, tick).report(secrets, endpoint)


class _Run:
    def __init__(
        self, tenant: Tenant, registered: FhirVersion | None, settings: Settings, options: Options, tick: Tick
    ) -> None:
        self._tenant = tenant
        self._registered = registered
        self._settings = settings
        self._options = options
        self._tick = tick
        self._requests: dict[str, int] = {}
        self._hops: list[Hop] = []

    async def report(self, secrets: SecretStore, endpoint: FhirEndpoint | None) -> Report:
        started, began = datetime.now(UTC), time.perf_counter()
        server = await self._server(secrets)
        # In a thread: validating hundreds of resources would hold up whoever else is served by this process.
        verdicts = await asyncio.to_thread(judge, server)
        proposal = propose(find_abilities(server, verdicts), self._tenant.system, server)
        face = self._face(server.version)
        through = None
        if endpoint is not None:
            admitted_there = bool(server.of("list-post")) and verdicts["credential.accepted"].state is not State.UNMET
            evidence = await self._gateway(endpoint, face, reachable=admitted_there)
            through = (evidence, await asyncio.to_thread(judge, evidence))
        results = side_by_side(
            server, verdicts, through, self._profile(proposal, through is None), show_values=self._options.show_values
        )
        sides = [server] if through is None else [server, through[0]]
        timing = Timing(
            started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            time.perf_counter() - began,
            tuple(self._hops),
            tuple(call for side in sides for call in _calls(side)),
        )
        limit = self._options.max_requests
        return Report(self._subject(server.version, face), results, proposal, self._requests, limit, timing)

    async def _server(self, secrets: SecretStore) -> Evidence:
        options, tenant = self._options, self._tenant
        evidence = Evidence("server", FhirVersion.R4, tenant.mrn_system, self._registered)
        self._tick("server: name, connection, certificate")
        public_only = not self._settings.allow_private_upstreams
        network = await probe_network(tenant.fhir_url, options.tls, public_only=public_only)
        evidence.network = network
        self._add_hops(network)
        session = open_session(self._settings)
        credentials = Credentials(secrets, session, self._settings)
        allowance = Allowance(most=options.max_requests, at_a_time=options.at_a_time)
        try:
            server = Server(
                session,
                tenant,
                lambda: credentials.headers(tenant),
                allowance,
                tls=options.tls,
                timeout_seconds=options.timeout_seconds,
            )
            survey = Survey(server, evidence, options.depth, lambda text: self._tick(f"server: {text}"))
            if network.connected:
                # Without a credential nothing but the public statement is asked for, so a bad certificate is no danger.
                server.tls = options.tls if network.usable else False
                metadata = await survey.metadata()
                stated = stated_version(metadata.resource if metadata else None)
                server.version = evidence.version = self._registered or stated or FhirVersion.R4
            if network.usable:
                evidence.grant = await self._grant(credentials)
                if not evidence.grant.problem:
                    await survey.run()
            evidence.throttled = server.throttled
        finally:
            await session.close()
        self._requests["server"] = allowance.sent
        return evidence

    async def _grant(self, credentials: Credentials) -> Grant:
        kind = self._tenant.auth.kind
        self._tick("server: credential")
        began = time.perf_counter()
        try:
            await credentials.headers(self._tenant)
        except GatewayError as error:
            status = _STATUS.fullmatch(error.detail)
            problem = f"{error.public} ({status[0]})" if status else error.public
            return Grant(kind, problem=problem)
        grant = Grant(kind, (time.perf_counter() - began) * 1000)
        if grant.by_token:
            self._hops.append(Hop("token", grant.milliseconds))
        return grant

    async def _gateway(self, endpoint: FhirEndpoint, face: FhirVersion, *, reachable: bool) -> Evidence:
        """What the app gets. Where the server lets the gateway not in there is nothing more to learn here."""
        evidence = Evidence("gateway", face, self._tenant.mrn_system)
        statement = capability_statement(FACES[face], f"/{face}", self._settings)
        allowance = Allowance(most=self._options.max_requests, at_a_time=self._options.at_a_time)
        gateway = Gateway(admitted(endpoint, self._tenant), self._settings.fhir_base_url, face, statement, allowance)
        survey = Survey(gateway, evidence, self._options.depth, lambda text: self._tick(f"gateway: {text}"))
        await survey.metadata()
        if reachable:
            await survey.run()
        self._requests["gateway"] = allowance.sent
        self._hops += [Hop(f"gateway: {name}", median(times)) for name, times in gateway.parts.items()]
        return evidence

    def _face(self, version: FhirVersion) -> FhirVersion:
        """The version that the app will see: the asked one, else the server's own, else the service's default."""
        if self._options.face is not None:
            return self._options.face
        if version in _APP_VERSIONS:
            return version
        default = self._settings.default_fhir_version
        return default if can_adapt(version, default) else FhirVersion.STU3

    def _profile(self, proposal: Proposal, alone: bool) -> SystemProfile:  # noqa: FBT001  # read at its one call
        """The profile that the gateway works by: a tenant's own; for a server alone the one to register."""
        return PROFILES[proposal.system] if alone else profile_of(self._tenant)

    def _add_hops(self, network: Network) -> None:
        self._hops.append(Hop("dns", network.dns_milliseconds))
        if network.addresses and not network.private:
            self._hops.append(Hop("tcp", network.tcp_milliseconds))
        if network.tls is not None:
            self._hops.append(Hop("tls", network.tls.milliseconds))

    def _subject(self, version: FhirVersion, face: FhirVersion) -> Subject:
        tenant = self._tenant
        known = {} if self._registered is None else {"tenant_id": tenant.tenant_id, "name": tenant.name}
        return Subject(
            fhir_url=_public(tenant.fhir_url),
            fhir_version=version,
            face=face,
            auth=tenant.auth.kind,
            system=tenant.system,
            **known,
        )


def _public(url: str) -> str:
    """An address without user name and password, which do not belong there but may have been typed."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _calls(evidence: Evidence) -> list[Call]:
    times: dict[str, list[float]] = {}
    for exchange in evidence.all():
        times.setdefault(exchange.request.call, []).append(exchange.milliseconds)
    grouped: Mapping[str, list[float]] = dict(sorted(times.items()))
    return [Call(evidence.side, name, tuple(found)) for name, found in grouped.items()]
