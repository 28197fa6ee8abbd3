from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.rig import Storage, Workers


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """A running Azurite of this test's own."""
    storage = Storage(tmp_path)
    storage.start()
    yield storage
    storage.stop()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """Starts instances of the service; whatever is still running at the end is stopped."""
    started = Workers(tmp_path)
    yield started
    started.stop()
