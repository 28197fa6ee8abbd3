import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"

AZ = """#!/bin/sh
echo "$*" >>"$LOG"
case "$1 $2" in
"deployment sub")
    echo '{"functioN_APP_NAME": {"type": "String", "value": "func-1"},'
    echo ' "azurE_RESOURCE_GROUP": {"type": "String", "value": "rg-1"}}'
    ;;
"functionapp show") echo /subscriptions/1/sites/func-1 ;;
"cloud show") echo https://management.example/ ;;
"rest "*) exit "$REFUSED" ;;
esac
"""


def run(folder: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """provision.sh among programs that only write down how they were called; the calls of the Azure CLI."""
    (folder / "scripts").mkdir()
    for name in ("provision.sh", "rolling_update.sh"):
        (folder / "scripts" / name).write_text((SCRIPTS / name).read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "scripts" / name).chmod(0o755)
    (folder / "bin").mkdir()
    (folder / "bin" / "az").write_text(AZ, encoding="utf-8")
    (folder / "bin" / "az").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "scripts/provision.sh", "outputs.env"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "LOG": str(folder / "log"),
            "REFUSED": "0",
            "AZURE_ENV_NAME": "test",
            "AZURE_LOCATION": "westeurope",
        }
        | environment,
    )
    log = folder / "log"
    return done, log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def test_outputs_are_kept_and_rolling_updates_set(tmp_path: Path) -> None:
    done, calls = run(tmp_path)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "outputs.env").read_text(encoding="utf-8").splitlines()
    assert lines == ["FUNCTION_APP_NAME=func-1", "AZURE_RESOURCE_GROUP=rg-1"]
    (patch,) = [call for call in calls if call.startswith("rest ")]
    assert "https://management.example/subscriptions/1/sites/func-1?api-version=2024-11-01" in patch
    assert not [call for call in calls if call.startswith("provider ")]


def test_a_region_without_rolling_updates_is_no_failure(tmp_path: Path) -> None:
    done, _ = run(tmp_path, REFUSED="1")
    assert done.returncode == 0
    assert "restart all instances at once" in done.stderr


def test_private_networking_registers_what_its_subnet_is_delegated_to(tmp_path: Path) -> None:
    _, calls = run(tmp_path, PRIVATE_NETWORKING="true")
    assert calls[0].startswith("provider register --namespace Microsoft.App")


@pytest.mark.parametrize("missing", ["AZURE_ENV_NAME", "AZURE_LOCATION"])
def test_nothing_is_deployed_without_a_name_and_a_region(tmp_path: Path, missing: str) -> None:
    done, calls = run(tmp_path, **{missing: ""})
    assert done.returncode != 0
    assert calls == []
