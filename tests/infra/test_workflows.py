import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def load(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def test_there_are_the_workflows() -> None:
    assert {path.name for path in WORKFLOWS} == {"ci.yml", "codeql.yml", "dependency-review.yml", "deploy.yml"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_say_the_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    for line in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_unless_a_job_says_so(path: Path) -> None:
    document = load(path)
    assert document["permissions"] == {"contents": "read"}
    writes = {
        (name, scope)
        for name, job in document["jobs"].items()
        for scope, access in job.get("permissions", {}).items()
        if access == "write"
    }
    allowed = {("what-if", "id-token"), ("deploy", "id-token"), ("analyze", "security-events")}
    assert writes <= allowed


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_ends_and_runs_on_a_named_image(path: Path) -> None:
    for job in load(path)["jobs"].values():
        assert job["timeout-minutes"] <= 45
        assert job["runs-on"] == "ubuntu-24.04"


def test_no_workflow_reads_a_stored_secret() -> None:
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text(encoding="utf-8"), path.name


def test_an_expression_never_stands_in_a_script() -> None:
    for path in WORKFLOWS:
        for job in load(path)["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), path.name


def test_a_pipe_fails_when_its_first_part_does() -> None:
    for path in WORKFLOWS:
        for job in load(path)["jobs"].values():
            for step in job["steps"]:
                assert " | " not in step.get("run", "") or step["shell"] == "bash", path.name


def test_preview_and_deployment_take_every_option_of_the_parameter_file() -> None:
    jobs = load(REPOSITORY / ".github" / "workflows" / "deploy.yml")["jobs"]
    parameters = (REPOSITORY / "infra" / "main.bicepparam").read_text(encoding="utf-8")
    options = re.findall(r"readEnvironmentVariable\('(\w+)'", parameters)
    # A variable that is not set is an empty string here, which is no truth value.
    truths = re.findall(r"bool\(readEnvironmentVariable\('(\w+)'", parameters)
    for name in ("what-if", "deploy"):
        assert set(options) <= jobs[name]["env"].keys()
        assert all(jobs[name]["env"][option].endswith("|| 'false' }}") for option in truths)
    assert jobs["what-if"]["env"] == jobs["deploy"]["env"]


def test_azd_runs_hooks_that_exist() -> None:
    document = load(REPOSITORY / "azure.yaml")
    assert document["services"]["gateway"] == {"project": ".", "language": "py", "host": "function"}
    assert set(document["hooks"]) == {"postprovision", "postdeploy"}
    for hook in document["hooks"].values():
        for system in ("posix", "windows"):
            for script in re.findall(r"scripts/[\w.]+", hook[system]["run"]):
                assert (REPOSITORY / script).is_file(), script


def test_workbook_is_json_that_queries_access_events() -> None:
    document = json.loads((REPOSITORY / "infra" / "workbook.json").read_text(encoding="utf-8"))
    queries = [item["content"]["query"] for item in document["items"] if item["type"] == 3]
    assert len(queries) == 3
    assert all("fhir-access" in query for query in queries)


def test_threat_model_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
