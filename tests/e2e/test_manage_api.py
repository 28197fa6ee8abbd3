import subprocess
import sys
from pathlib import Path

import pytest
import requests

from local.stack_file import Stack

pytestmark = pytest.mark.e2e

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


def test_the_api_is_what_its_openapi_document_says(stack: Stack, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(CONFIGURATION)),
        *("run", f"{stack.base_url}/manage/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {stack.management_token}"),
        *("--max-examples", "10", "--seed", "1", "--generation-database", "none"),
        *("--exclude-checks", "unsupported_method"),
        # The demo's own tenants and client are other tests'.
        *("--exclude-method", "DELETE", "--exclude-method", "PATCH", "--phases", "examples,coverage,fuzzing"),
        "--no-color",
    ]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603  # a pinned tool
    assert ran.returncode == 0, ran.stdout[-5000:]


@pytest.mark.parametrize("path", ["tenants", "clients", "audit"])
def test_methods_that_are_not_there_are_405_with_allow(stack: Stack, path: str) -> None:
    url, headers = f"{stack.base_url}/manage/v1/{path}", {"Authorization": f"Bearer {stack.management_token}"}
    with requests.Session() as session:
        answer = session.put(url, headers=headers, timeout=10)
        assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
        assert "GET" in answer.headers["allow"]
        assert session.head(url, headers=headers, timeout=10).status_code == 200
        assert session.get(url, timeout=10).status_code == 401
        assert session.get(f"{stack.base_url}/manage/v1/nothing", timeout=10).status_code == 404
