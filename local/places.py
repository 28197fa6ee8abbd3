"""Where a developer's machine keeps what the local stack makes."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

TOOLS = REPOSITORY / ".local"
"""Installed tools (Azurite), shared by every stack of this clone."""


def state_folder() -> Path:
    """The folder of one stack: its data, keys, logs, pids and `stack.json`.

    `.local` of the repository, or what PATIENTS_GATEWAY_LOCAL says, so that a second stack (a test's) leaves
    a developer's running one alone.
    """
    return Path(os.environ.get("PATIENTS_GATEWAY_LOCAL") or TOOLS).resolve()
