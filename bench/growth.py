"""How the gateway takes to more tenants and more connections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.load import Call, Sample, put_load
from bench.measure import TOKENS_PER_SECOND
from bench.programs import Programs
from bench.resources import PATIENT
from bench.subjects import Site
from bench.tenants import add_tenants, many_tenants, write_tokens
from bench.usage import usage_of
from local.function_host import HostName
from local.places import REPOSITORY
from local.ports import free_port

TENANT_CONNECTIONS = 16
MOST_TENANTS = 10_000
COMPARED = ("read", "node_read")


@dataclass(frozen=True)
class TenantStep:
    """Reads for `tenants` tenants in turn, a fresh token each; milliseconds, and bytes of memory afterwards."""

    tenants: int
    per_second: float
    p50: float
    p95: float
    resident: int


@dataclass(frozen=True)
class ConnectionStep:
    """One row of the table at `connections`; milliseconds."""

    subject: str
    connections: int
    per_second: float
    p50: float
    p95: float
    p99: float


def more_tenants(  # noqa: PLR0913  # where, how many, how long, and whom to tell
    programs: Programs,
    host: HostName,
    site: Site,
    *,
    steps: Sequence[int],
    rounds: int,
    seconds: int,
    report: Callable[[str], None],
) -> list[TenantStep]:
    """In a process of its own, which has seen no other load: memory and latency as tenants are added."""
    port, folder = free_port(), programs.folder
    program, url = programs.function_app(host, REPOSITORY, site.gateway.environment, "/health/ready", port)
    tokens, key = folder / "tenant-tokens", site.gateway.signing_key()
    call = Call(f"{url}/fhir/r4/Patient/{PATIENT}", token_file=tokens)
    found, known = [], 0
    for count in steps:
        report(f"{count:,} tenants…")
        add_tenants(site.gateway, site.upstream, range(known, count))
        known = count
        ids = [many_tenants(number) for number in range(count)]
        _ask_each_once(site, call, ids, folder)
        samples = []
        for _ in range(rounds):
            write_tokens(tokens, TOKENS_PER_SECOND * seconds, site.token, key, ids)
            samples.append(put_load(call, connections=TENANT_CONNECTIONS, seconds=seconds, folder=folder))
        rate, p50, p95 = _medians(samples)[:3]
        found.append(TenantStep(count, rate, p50, p95, usage_of(program.pid).resident))
    programs.stop(program)
    return found


def _ask_each_once(site: Site, call: Call, ids: list[str], folder: Path) -> None:
    """Until the process remembers every tenant."""
    assert call.token_file is not None  # noqa: S101  # made above
    rest = ids
    while rest:
        write_tokens(call.token_file, len(rest), site.token, site.gateway.signing_key(), rest)
        sample = put_load(call, connections=min(len(rest), TENANT_CONNECTIONS), seconds=1, folder=folder)
        rest = rest[sample.requests :]


def more_connections(
    site: Site, folder: Path, *, steps: Sequence[int], rounds: int, seconds: int
) -> list[ConnectionStep]:
    """The rows COMPARED, which reuse their token, at each number of connections."""
    subjects = [subject for subject in site.subjects if subject.name in COMPARED]
    samples: dict[tuple[str, int], list[Sample]] = {}
    for _ in range(rounds):
        for count in steps:
            for subject in subjects:
                sample = put_load(subject.call, connections=count, seconds=seconds, folder=folder)
                samples.setdefault((subject.name, count), []).append(sample)
    return [ConnectionStep(name, count, *_medians(each)) for (name, count), each in samples.items()]


def _medians(samples: Sequence[Sample]) -> tuple[float, float, float, float]:
    return (
        median(sample.per_second for sample in samples),
        median(sample.p50 for sample in samples),
        median(sample.p95 for sample in samples),
        median(sample.p99 for sample in samples),
    )
