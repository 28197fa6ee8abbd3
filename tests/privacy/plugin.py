"""Runs every end-to-end test with logging at its most verbose, and searches what they left at the end of the run."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.privacy.every_process import recording
from tests.privacy.sweep import RECORDS, Swept, sweep

_CHILDREN = Path(__file__).with_name("every_process")
# Of the loggers in the test process: its own clients may say what they like.
_OURS = ("gateway", "functions", "azure", "azure_functions_runtime", "aiohttp", "asyncio", "msal")
_SWEPT = pytest.StashKey[Swept]()


def temporary_folder(config: pytest.Config) -> Path:
    """The one of the whole run, also in a process of xdist's."""
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]  # only fixtures have a public way
    folder = factory.getbasetemp()
    return folder.parent if hasattr(config, "workerinput") else folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around set-up and tear-down too: stacks are started there."""
    if item.get_closest_marker("e2e") is None:
        return (yield)
    records = temporary_folder(item.config) / RECORDS
    search_path = os.pathsep.join(filter(None, (str(_CHILDREN), os.environ.get("PYTHONPATH"))))
    verbose = {"LOG_LEVEL": "DEBUG", "PYTHONPATH": search_path, recording.FOLDER_VARIABLE: str(records)}
    with patch.dict(os.environ, verbose), recording.start(records, "tests", ours=_OURS):
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    folder = temporary_folder(session.config)
    if (folder / RECORDS).is_dir():
        try:
            swept = sweep(folder)
        except FileNotFoundError as gone:
            # Temporary folders are everybody's to clear away; a run that nobody could search has not passed.
            swept = Swept(unseen=[f"{gone.filename} went away before it was searched"])
        session.config.stash[_SWEPT] = swept
        if swept.findings or swept.unseen:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    swept = config.stash.get(_SWEPT, None)
    if swept is None:
        return
    terminalreporter.section("privacy", sep="-")
    for line in _lines(swept):
        terminalreporter.line(line)


def _lines(swept: Swept) -> Iterator[str]:
    yield str(swept)
    yield from swept.unseen
    yield from sorted({str(finding) for finding in swept.findings})[:40]
