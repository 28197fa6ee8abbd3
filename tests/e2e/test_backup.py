import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack_file import Stack

REPOSITORY = Path(__file__).parents[2]


def gateway(storage: str, keys: Path, *arguments: str) -> str:
    settings = {"PUBLIC_BASE_URL": "http://localhost", "TABLES_CONNECTION": storage, "LOCAL_KEYS_DIR": str(keys)}
    done = subprocess.run(  # noqa: S603 -- this project's own program
        [sys.executable, "-m", "gateway", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **settings, "ALLOW_PRIVATE_UPSTREAMS": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.e2e
def test_exported_tenants_come_back_in_another_storage_account(stack: Stack, storage: str, tmp_path: Path) -> None:
    source = gateway(stack.storage_connection_string, tmp_path / "one", "tenant", "list", "--json")
    export = tmp_path / "tenants.json"
    export.write_text(source, encoding="utf-8")
    # Upstream credentials are not in the export: Key Vault holds them, and has them before tenants come back.
    (tmp_path / "two").mkdir()
    for row in json.loads(source):
        if name := row["auth"].get("secret"):
            (tmp_path / "two" / name).write_text("a credential", encoding="utf-8")
    gateway(storage, tmp_path / "two", "tenant", "import", str(export), "--update")
    restored = json.loads(gateway(storage, tmp_path / "two", "tenant", "list", "--json"))
    # Times and the row's version say when a row was made, which is another time here.
    own = {"created", "updated", "etag", "version"}
    plain = [{name: value for name, value in row.items() if name not in own} for row in restored]
    wanted = [{name: value for name, value in row.items() if name not in own} for row in json.loads(source)]
    assert wanted
    assert all(row in plain for row in wanted)
