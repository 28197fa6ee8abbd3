import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack_file import Stack

SMOKE = Path(__file__).parents[2] / "scripts" / "smoke.py"


@pytest.mark.e2e
def test_smoke_test_passes_on_the_stack(stack: Stack) -> None:
    client, tenant = stack.clients[0], stack.tenants[0]
    done = subprocess.run(  # noqa: S603 -- this project's own program
        [
            sys.executable,
            str(SMOKE),
            stack.base_url,
            "--client-id",
            client.client_id,
            "--client-secret-env",
            "SMOKE_SECRET",
            "--tenant",
            tenant.tenant_id,
        ],
        env={**os.environ, "SMOKE_SECRET": client.client_secret},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok   token of the test client" in done.stdout
