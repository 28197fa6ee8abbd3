"""The report for a terminal, and the progress while it is made."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gateway.conformance.judge import ordered
from gateway.conformance.latency import BOUNDS_MILLISECONDS, histogram, percentile
from gateway.conformance.run import Tick
from gateway.conformance.verdicts import Report, Result, SideResult, Status

_STYLES = {Status.PASS: "green", Status.WARN: "yellow", Status.FAIL: "bold red", Status.SKIPPED: "dim"}
_SIGNS = {Status.PASS: "✔", Status.WARN: "!", Status.FAIL: "✘", Status.SKIPPED: "-"}
_BLOCKS = "·▁▂▃▄▅▆▇█"
_HEADLINES = {
    Status.PASS: "The Patients app works with this server.",
    Status.WARN: "The Patients app works with this server; some things are left to mend.",
    Status.FAIL: "The Patients app does not work with this server yet.",
}


@contextmanager
def progress(console: Console) -> Iterator[Tick]:
    """What is being looked at, while it is; nothing of it stays on the screen."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("starting", total=None)
        yield lambda text: shown.update(task, description=escape(text))


def print_report(report: Report, console: Console) -> None:
    """Everything that needs attention in full, what passes in one line each."""
    console.print(_head(report))
    for result in ordered(report.results):
        console.print(_line(result))
        if result.status in (Status.FAIL, Status.WARN) or _server_wants(result):
            console.print(Padding(_details(result), (0, 0, 1, 4)))
        elif result.server.examples or (result.gateway and result.gateway.examples):
            console.print(Padding(_examples(result), (0, 0, 0, 4)))
    console.print(_system(report))
    console.print(_times(report))


def headline(report: Report) -> str:
    return _HEADLINES[report.verdict]


def _head(report: Report) -> RenderableType:
    subject, counts = report.subject, report.counts()
    what = f"{subject.name} ({subject.tenant_id})" if subject.tenant_id else "FHIR server"
    shown = " · ".join(f"[{_STYLES[status]}]{counts[status]} {status}[/]" for status in Status)
    return Group(
        Text.from_markup(f"[bold]{escape(what)}[/]  {escape(subject.fhir_url)}"),
        f"FHIR {subject.fhir_version}, shown to the app as {subject.face}; credential {subject.auth}; "
        f"system {subject.system}",
        Text.from_markup(f"[{_STYLES[report.verdict]}]{headline(report)}[/]  {shown}"),
        "",
    )


def _line(result: Result) -> Text:
    line = Text()
    line.append(f"{_SIGNS[result.status]} ", _STYLES[result.status])
    line.append(f"{result.check.id}  ", "bold")
    line.append(result.check.title)
    line.append(f"  [{result.check.severity}; {result.check.requirement}]", "dim")
    if result.gateway is not None and result.gateway.status is not result.server.status:
        line.append(f"  server {result.server.status}, through the gateway {result.gateway.status}", "dim")
    if result.status is Status.SKIPPED:
        line.append(f"  {_counting(result).found[0]}", "dim")
    return line


def _counting(result: Result) -> SideResult:
    skipped = result.gateway is None or result.gateway.status is Status.SKIPPED
    return result.server if skipped or result.gateway is None else result.gateway


def _server_wants(result: Result) -> bool:
    return result.server.status in (Status.FAIL, Status.WARN)


def _details(result: Result) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    sides = [("server", result.server)]
    if result.gateway is not None:
        sides.append(("through the gateway", result.gateway))
    for name, side in sides:
        for sent in side.sent:
            table.add_row(f"{name}: sent", escape(sent))
        for found in side.found:
            table.add_row(f"{name}: found", escape(found))
        for example in side.examples:
            table.add_row(f"{name}: value", escape(example))
    if result.remedy:
        table.add_row("the gateway", escape(result.remedy))
    table.add_row("to mend", escape(result.mend))
    return table


def _examples(result: Result) -> Text:
    found = result.gateway.examples if result.gateway and result.gateway.examples else result.server.examples
    return Text(", ".join(found), "dim")


def _system(report: Report) -> RenderableType:
    proposal = report.proposal
    table = Table(title="What the server can do", title_justify="left", title_style="bold", show_header=False)
    for name, value in proposal.abilities.items():
        table.add_row(name, value)
    table.add_row("profile that fits", f"{proposal.system} (configured: {proposal.configured})")
    for difference in proposal.differences:
        table.add_row("configured profile", escape(difference), style="yellow")
    return table


def _times(report: Report) -> RenderableType:
    hops = Table(title="Time of each hop, in ms", title_justify="left", title_style="bold")
    hops.add_column("Hop")
    hops.add_column("ms", justify="right")
    for hop in report.timing.hops:
        hops.add_row(hop.name, f"{hop.milliseconds:.1f}")
    calls = Table(title="Time of each kind of request, in ms", title_justify="left", title_style="bold")
    for heading in ("Side", "Request"):
        calls.add_column(heading)
    for heading in ("Count", "p50", "p95", "Max"):
        calls.add_column(heading, justify="right")
    calls.add_column(f"Answers up to {', '.join(map(str, BOUNDS_MILLISECONDS))} and more", no_wrap=True)
    for call in report.timing.calls:
        times = call.milliseconds
        numbers = (percentile(times, 0.5), percentile(times, 0.95), max(times))
        shown = (f"{number:.1f}" for number in numbers)
        calls.add_row(call.side, escape(call.name), str(len(times)), *shown, _bars(times))
    sent = ", ".join(f"{side} {count}" for side, count in report.requests.items())
    took = f"{report.timing.started}, {report.timing.seconds:.1f} s"
    return Group(hops, calls, Text(f"{took}; requests: {sent} (at most {report.request_limit} each)", "dim"))


def _bars(milliseconds: Sequence[float]) -> str:
    """The histogram, one character a bar; a point for a bar without answers."""
    counts = histogram(milliseconds)
    return "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // max(counts))] for count in counts)
