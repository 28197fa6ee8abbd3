import ast
import sys
from pathlib import Path

import pytest

from local.worker.application import Application, load
from local.worker.client import Client
from local.worker.shadowing import shadowed

ROOT = Path(__file__).parents[1]
MAY_NOT_IMPORT = {"functions": {"local"}, "gateway": {"local", "functions", "azure.functions"}}


@pytest.fixture
async def application(monkeypatch: pytest.MonkeyPatch) -> Application:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "function_app", raising=False)
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://gateway.example")
    monkeypatch.setenv("TABLES_CONNECTION", "UseDevelopmentStorage=true")
    return await load(ROOT)


async def test_no_function_hides_another_one(application: Application) -> None:
    assert shadowed(application.functions) == []
    assert application.not_served == []


async def test_the_contracts_routes_are_served_below_no_prefix(application: Application) -> None:
    assert application.route_prefix == ""
    routes = {function.route for function in application.functions}
    assert {"oauth2/token", "oauth2/jwks", "oauth2/authorize", "health/live", "health/ready", "fhir/{*path}"} <= routes


@pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/dstu2/metadata", "/fhir/stu3/metadata", "/fhir/r4/metadata"])
async def test_metadata_needs_no_token_and_no_storage(application: Application, path: str) -> None:
    answer = await Client(application).request("GET", path)
    assert answer.status == 200
    assert answer.header("x-request-id")
    assert answer.header("server-timing")


async def test_the_process_lives_without_its_dependencies(application: Application) -> None:
    assert (await Client(application).request("GET", "/health/live")).status == 200


@pytest.mark.parametrize("package", MAY_NOT_IMPORT)
def test_imports_point_inwards(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                for forbidden in MAY_NOT_IMPORT[package]:
                    assert not f"{name}.".startswith(f"{forbidden}."), f"{path} imports {name}"
