"""The report as one HTML file that needs nothing else: no scripts, no fonts, no network."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.conformance.document import to_document
from gateway.conformance.judge import ordered
from gateway.conformance.latency import BOUNDS_MILLISECONDS
from gateway.conformance.terminal import headline
from gateway.conformance.verdicts import Report

TEMPLATE = "report.html.j2"
FOLDER = Path(__file__).parent
_WORDS = {"pass": "passes", "warn": "to mend", "fail": "fails", "skipped": "not tested"}

type Say = Callable[[str], str | None]
"""An English text of a report or of its page in another language; None where there is no translation."""


@cache
def environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)


def to_html(report: Report, language: str = "en", say: Say = lambda text: text) -> str:
    """Readable on a telephone and in print; values are escaped. `language` (BCP 47) is what `say` says it in."""
    document = to_document(report)
    document["subject"] = {"tenant_id": "", "name": "", **document["subject"]}
    by_id: dict[str, Any] = {check["id"]: check for check in document["checks"]}
    checks = [by_id[result.check.id] for result in ordered(report.results)]
    most = {
        call["call"] + call["side"]: max(bar["count"] for bar in call["histogram"])
        for call in document["timing"]["calls"]
    }
    template = environment().get_template(TEMPLATE)
    return template.render(
        language=language,
        say=say,
        report=document,
        checks=checks,
        headline=headline(report),
        words=_WORDS,
        most=most,
        bounds=BOUNDS_MILLISECONDS,
    )
