"""What running programs take: processor time and memory, from /proc."""

import os
import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_GROUP, _USER, _SYSTEM, _RESIDENT = 2, 11, 12, 21  # fields of /proc/PID/stat after the name


@dataclass(frozen=True)
class Usage:
    """`cpu_seconds` since the start, `resident` memory in bytes."""

    cpu_seconds: float
    resident: int


def usage_of(group: int) -> Usage:
    """The sum over the processes of a process group: a program and its workers."""
    seconds, resident = 0.0, 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended in the meantime
        if int(fields[_GROUP]) == group:
            seconds += (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS
            resident += int(fields[_RESIDENT]) * _PAGE
    return Usage(seconds, resident)


class Bystanders:
    """How much of the processors goes to programs that have no part in the benchmark, from here on."""

    def __init__(self, groups: Iterable[int]) -> None:
        """`groups` are the process groups that have a part in it; this process and its children do, too."""
        self._groups = tuple(groups)
        self._began = time.monotonic(), _machine_seconds(), self._own_seconds()

    def share(self) -> float:
        """Of all the processor time there was, between 0 and 1."""
        began, machine, own = self._began
        there_was = (time.monotonic() - began) * (os.cpu_count() or 1)
        theirs = (_machine_seconds() - machine) - (self._own_seconds() - own)
        return min(max(theirs / there_was, 0.0), 1.0)

    def _own_seconds(self) -> float:
        programs = sum(usage_of(group).cpu_seconds for group in self._groups)
        ours = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return programs + sum(each.ru_utime + each.ru_stime for each in ours)


def _machine_seconds() -> float:
    """Processor time that was spent on anything since the machine started."""
    user, nice, system, _idle, _waiting, hard, soft, stolen = (
        int(field) for field in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
    )
    return (user + nice + system + hard + soft + stolen) / _TICKS
