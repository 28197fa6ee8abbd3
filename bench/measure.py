"""Rounds of load over the rows, interleaved, so that whatever else the machine does falls on all of them alike."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import requests

from bench.load import Call, LoadFailed, NothingAnswered, Sample, put_load
from bench.subjects import Site, Subject
from bench.tenants import write_tokens
from bench.usage import usage_of

TOKENS_PER_SECOND = 9000
"""More than any program here can take."""
_WARM_SECONDS = 1
_LONGER = 5


@dataclass(frozen=True)
class Cell:
    """A row at one number of connections: the samples of all rounds, the processor time that each request took the
    program (microseconds, by round), and its memory (bytes) afterwards.
    """

    subject: str
    connections: int
    samples: list[Sample] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return median(sample.per_second for sample in self.samples)

    @property
    def p50(self) -> float:
        return median(sample.p50 for sample in self.samples)

    @property
    def p95(self) -> float:
        return median(sample.p95 for sample in self.samples)

    @property
    def p99(self) -> float:
        return median(sample.p99 for sample in self.samples)

    @property
    def cpu_per_request(self) -> float:
        return median(self.cpu)


type Cells = dict[tuple[str, int], Cell]


def measure(  # noqa: PLR0913  # what, where, how much, and whom to tell
    subjects: Sequence[Subject],
    site: Site,
    folder: Path,
    *,
    connections: Sequence[int],
    rounds: int,
    seconds: int,
    report: Callable[[str], None],
) -> Cells:
    """Warm every row up, then load each at each number of connections, `rounds` times.

    Raises LoadFailed when an answer was wrong: then no number can be trusted.
    """
    tokens, like = folder / "tokens", site.token
    key = site.gateway.signing_key()

    def fresh_tokens(duration: int) -> None:
        write_tokens(tokens, TOKENS_PER_SECOND * duration, like, key)

    fresh_tokens(_WARM_SECONDS)
    for subject in subjects:
        call = _call(subject, tokens)
        _require_success(call, tokens)
        with suppress(NothingAnswered):
            put_load(call, connections=max(connections), seconds=_WARM_SECONDS, folder=folder)
    cells: Cells = {}
    for number in range(1, rounds + 1):
        for count in connections:
            report(f"round {number} of {rounds}, {count} connection{'s' if count > 1 else ''}…")
            if any(subject.fresh for subject in subjects):
                fresh_tokens(seconds)
            for subject in subjects:
                cell = cells.setdefault((subject.name, count), Cell(subject.name, count))
                _load(cell, subject, _call(subject, tokens), seconds, folder)
    return cells


def _load(cell: Cell, subject: Subject, call: Call, seconds: int, folder: Path) -> None:
    group = subject.program.pid
    before = usage_of(group)
    try:
        sample = put_load(call, connections=cell.connections, seconds=seconds, folder=folder)
    except NothingAnswered:
        # Many batches at once on a busy machine: each may take longer than the round.
        before = usage_of(group)
        sample = put_load(call, connections=cell.connections, seconds=seconds * _LONGER, folder=folder)
    after = usage_of(group)
    if subject.fresh and sample.requests > TOKENS_PER_SECOND * seconds:
        raise LoadFailed(f"{subject.name}: {sample.requests} requests had to share the fresh tokens")
    cell.samples.append(sample)
    cell.cpu.append((after.cpu_seconds - before.cpu_seconds) / sample.requests * 1e6)
    cell.resident.append(after.resident)


def _call(subject: Subject, tokens: Path) -> Call:
    return replace(subject.call, token_file=tokens) if subject.fresh else subject.call


def _require_success(call: Call, tokens: Path) -> None:
    """Ask once by an ordinary client, so that a mistake shows what was answered."""
    headers = dict(call.headers)
    if call.token_file:
        with tokens.open() as file:
            headers["Authorization"] = f"Bearer {file.readline().strip()}"
    answer = requests.request(call.method, call.url, headers=headers, data=call.body, timeout=30)
    if answer.status_code != requests.codes.ok:
        raise LoadFailed(f"{call.url} answered {answer.status_code}: {answer.text[:300]}")
