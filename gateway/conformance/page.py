"""The report as one HTML file that needs nothing else: no scripts, no fonts, no network."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.conformance.document import to_document
from gateway.conformance.judge import ordered
from gateway.conformance.terminal import headline
from gateway.conformance.verdicts import Report

_FOLDER = Path(__file__).parent
_WORDS = {"pass": "passes", "warn": "to mend", "fail": "fails", "skipped": "not tested"}


def to_html(report: Report) -> str:
    """Readable on a telephone and in print; values are escaped."""
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    document = to_document(report)
    document["subject"] = {"tenant_id": "", "name": "", **document["subject"]}
    by_id: dict[str, Any] = {check["id"]: check for check in document["checks"]}
    checks = [by_id[result.check.id] for result in ordered(report.results)]
    most = {
        call["call"] + call["side"]: max(bar["count"] for bar in call["histogram"])
        for call in document["timing"]["calls"]
    }
    return environment.get_template("report.html.j2").render(
        report=document, checks=checks, headline=headline(report), words=_WORDS, most=most
    )
