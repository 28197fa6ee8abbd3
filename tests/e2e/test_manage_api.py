import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import requests

from local.stack_file import Stack, read_stack

type LocalCommand = Callable[[str, Mapping[str, str]], subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.e2e

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


def test_the_api_is_what_its_openapi_document_says(
    environment: dict[str, str], run_local: LocalCommand, tmp_path: Path
) -> None:
    # A stack of its own: every method is tried, those that remove tenants and clients too.
    assert run_local("up", environment).returncode == 0
    stack = read_stack(Path(environment["PATIENTS_GATEWAY_LOCAL"]))
    assert stack is not None
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(CONFIGURATION)),
        *("run", f"{stack.base_url}/manage/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {stack.management_token}"),
        *("--max-examples", "10", "--seed", "1", "--generation-database", "none"),
        "--no-color",
    ]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)  # noqa: S603  # a pinned tool
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
