"""What a test run left behind: the logs and the table rows of every process that it started, searched for patients and
secrets.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.privacy.patients import patient_needles
from tests.privacy.search import Finding, Search, strings

RECORDS = "privacy-records"
APP = "local.worker"
# Programs whose own business is patients in the clear: the hospitals, the player of the Patients app, and clients of
# other makers. What they log tells nothing of the gateway; the secrets that they make and send do.
NOT_OURS = ("local.sandbox", "local.demo", "read.py", "read_patient.py", "draw_token.py", "schemathesis", "sekmet")
AZURITE_DATA = "__azurite_db_table__.json"
_AUDIT = "$audit"
# Azurite's documented key and the sandbox hospitals' are in the repository; the latter are looked for all the same.
_SANDBOX_SECRETS = ("sandbox-only-northfield-key", "sandbox-only-riverbend-secret")


@dataclass
class Swept:
    """What was searched, and what was found."""

    lines: int = 0
    rows: int = 0
    audit_rows: int = 0
    programs: int = 0
    apps: int = 0
    needles: int = 0
    secrets: int = 0
    findings: list[Finding] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """What should have been there to be searched."""

    def __str__(self) -> str:
        return (
            f"privacy: {self.lines} log lines of {self.programs} programs ({self.apps} function apps), {self.rows}"
            f" table rows ({self.audit_rows} of the audit) searched for {self.needles} words of patients and"
            f" {self.secrets} secrets: {len(self.findings) or 'none'} found"
        )


def sweep(folder: Path) -> Swept:
    """Search everything below the temporary folder of a test run."""
    records = folder / RECORDS
    search = Search(patient_needles(), frozenset(_secrets(folder)))
    swept = Swept(needles=len(search.needles), secrets=len(search.secrets), findings=search.findings)
    for where, lines in _logs(folder):
        for line in lines:
            search.look(where, line)
        swept.lines += len(lines)
    for where, row in _rows(folder):
        for text in strings(row):
            search.look(where, text)
        swept.rows += 1
        swept.audit_rows += where.endswith(_AUDIT)
    swept.programs = len(list(records.glob("*.log")))
    swept.apps = len(list(records.glob(f"{APP}.*.log")))
    swept.unseen = list(_unseen(folder, swept))
    return swept


def _unseen(folder: Path, swept: Swept) -> Iterator[str]:
    """A sweep that searched nothing is no sweep."""
    outputs = len(list(_below(folder, "logs/function-app.log")))
    if swept.apps < outputs:
        yield f"{outputs} function apps ran, but only {swept.apps} recorded what they logged"
    if outputs and not any(path.stat().st_size for path in (folder / RECORDS).glob(f"{APP}.*.log")):
        yield "no function app logged a line"
    if outputs and not swept.audit_rows:
        yield "no audit rows"
    if outputs and len(_minted(folder)) == 0:
        yield "no secrets were made"
    if swept.needles < 100:
        yield f"only {swept.needles} words of patients"


def _logs(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Log records of our programs, and what they and Azurite wrote to standard output and error."""
    recorded = [path for path in (folder / RECORDS).glob("*.log") if not path.name.startswith(NOT_OURS)]
    printed = [*_below(folder, "logs/function-app.log"), *_below(folder, "azurite.log")]
    for path in (*recorded, *printed):
        yield str(path.relative_to(folder)), path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()


def _below(folder: Path, pattern: str) -> Iterator[Path]:
    """Files of this run; those of a run within it, made up by a test of the sweep, are that test's own."""
    others = tuple(path.parent for path in folder.rglob(RECORDS) if path.parent != folder)
    return (path for path in folder.rglob(pattern) if not any(path.is_relative_to(other) for other in others))


def _rows(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of every table of every Azurite, as it keeps them on disk."""
    for path in _below(folder, AZURITE_DATA):
        for collection in json.loads(path.read_text(encoding="utf-8"))["collections"]:
            # `account$table`; names within dollars are its own books.
            if not collection["name"].startswith("$"):
                where = f"{path.parent.relative_to(folder)} {collection['name']}"
                yield from ((where, row["properties"]) for row in collection["data"])


def _minted(folder: Path) -> set[str]:
    files = (folder / RECORDS).glob("*.secrets")
    return {line for path in files for line in path.read_text(encoding="utf-8").split("\n") if line}


def _secrets(folder: Path) -> Iterator[str]:
    """What programs made or sent, signing keys and pepper of every stack, and the sandbox's own."""
    yield from _minted(folder)
    yield from _SANDBOX_SECRETS
    for keys in _below(folder, "keys"):
        if keys.is_dir():
            for path in keys.iterdir():
                yield from _in_key_file(path)


def _in_key_file(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    # The lines of a PEM file, the members of JSON, the keys of a pepper: each is enough to give it away.
    for part in text.replace('"', "\n").replace(":", "\n").replace("-----", "\n").splitlines():
        if len(part) >= 32 and " " not in part:
            yield part.strip()
