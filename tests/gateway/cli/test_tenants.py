import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import Result

GUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
ADD = ("tenant", "add", "--id", GUID, "--name", "Northfield", "--fhir-url", "http://127.0.0.1:1/fhir")

type Run = Callable[..., Result]
type RunJson = Callable[..., Any]


def test_a_tenants_life(run: Run, run_json: RunJson) -> None:
    added = run_json(*ADD, "--fhir-version", "stu3", "--mrn-system", "urn:oid:1.2", "--max-concurrency", "8")
    assert (added["tenant_id"], added["fhir_version"], added["auth"]) == (GUID, "stu3", {"kind": "none"})
    assert [tenant["name"] for tenant in run_json("tenant", "list")] == ["Northfield"]
    updated = run_json("tenant", "update", GUID, "--name", "New [bold]name", "--mrn-system", "", "--disable")
    assert (updated["name"], updated["enabled"], "mrn_system" in updated) == ("New [bold]name", False, False)
    assert "New [bold]name" in run("tenant", "list").stdout
    assert run_json("tenant", "update", GUID, "--enable")["enabled"]
    assert not run_json("tenant", "disable", GUID.upper())["enabled"]
    assert run_json("tenant", "show", GUID)["max_concurrency"] == 8
    run("tenant", "remove", GUID, "--yes")
    assert run_json("tenant", "list") == []
    actions = [entry["action"] for entry in run_json("audit", "list", "--tenant", GUID)]
    assert actions == ["tenant.remove", *["tenant.update"] * 3, "tenant.create"]
    assert run_json("audit", "verify")["findings"] == []


def test_fixed_headers_and_parameters_are_given_replaced_and_cleared(run: Run, run_json: RunJson) -> None:
    practice = "ah-practice=Organization/a-1.Practice-195900"
    given = ("--header", "Redox-Source-Id=3f9c0a52", "--header", "X-Site=a=b", "--parameter", practice)
    added = run_json(*ADD, "--fhir-version", "r4", *given)
    assert added["extra_headers"] == {"Redox-Source-Id": "3f9c0a52", "X-Site": "a=b"}
    assert added["extra_parameters"] == {"ah-practice": "Organization/a-1.Practice-195900"}
    shown = run("tenant", "show", GUID).stdout
    assert "Redox-Source-Id=3f9c0a52 X-Site=a=b" in shown
    assert practice in shown
    assert run_json("tenant", "update", GUID, "--notes", "x")["extra_headers"] == added["extra_headers"]
    updated = run_json("tenant", "update", GUID, "--header", "X-Site=2", "--parameter", "")
    assert (updated["extra_headers"], updated["extra_parameters"]) == ({"X-Site": "2"}, {})
    assert run_json("tenant", "update", GUID, "--header", "")["extra_headers"] == {}
    assert "extra" not in run("tenant", "show", GUID).stdout
    assert run_json("audit", "verify")["findings"] == []


def test_a_warning_goes_to_standard_error(run: Run) -> None:
    result = run(*ADD, "--fhir-version", "r4", "--json")
    assert json.loads(result.stdout)["fhir_version"] == "r4"
    assert "Warning: The FHIR server could not be asked" in result.stderr


def test_json_dash_is_standard_output(run: Run) -> None:
    assert json.loads(run("tenant", "list", "--json", "-").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ((*ADD[:3], "hospital", *ADD[4:]), 2, "tenant_id must be a GUID such as"),
        ((*ADD, "--fhir-version", "r5"), 2, "'auto', 'dstu2', 'stu3' or 'r4'"),
        ((*ADD, "--system", "imaginary"), 2, "system must be one of"),
        (ADD, 1, "State the version"),
        ((*ADD, "--fhir-version", "r4", "--auth", "basic", "-o", "username=u"), 2, "auth.secret is missing"),
        (
            (*ADD, "--fhir-version", "r4", "--auth", "basic", "-o", "username=u", "-o", "secret=none"),
            1,
            "does not hold",
        ),
        ((*ADD, "--auth-option", "username=u"), 2, "give both"),
        ((*ADD, "--auth", "basic", "-o", "username"), 2, "NAME=VALUE"),
        ((*ADD, "--header", "Redox-Source-Id: 1"), 2, "--header must be NAME=VALUE"),
        ((*ADD, "--parameter", "a=1", "--parameter", "a=2"), 2, "--parameter names a twice"),
        ((*ADD, "--header", "Host=x"), 2, "extra_headers must not hold Host"),
        ((*ADD, "--parameter", "_id=x"), 2, "extra_parameters must name parameters"),
        (
            ("check", "--fhir-url", "http://127.0.0.1:1/fhir", "--header", "Host=x"),
            2,
            "extra_headers: must not hold Host",
        ),
        (("tenant", "show", GUID), 1, "There is no tenant of that id"),
        (("tenant", "show", "northfield"), 2, "must be a GUID"),
        (("tenant", "remove", GUID), 1, "There is no tenant"),
        (("tenant", "frobnicate"), 2, "No such command"),
        (("tenant", "import", "none.csv"), 1, "cannot be read"),
        (("tenant", "import", "pyproject.toml"), 1, ".csv or .json"),
    ],
)
def test_what_is_wrong_is_one_message_and_the_exit_code(
    run: Run, arguments: tuple[str, ...], code: int, text: str
) -> None:
    result = run(*arguments, code=code)
    assert text in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_without_settings_it_says_which_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLES_CONNECTION")
    assert "TABLES_CONNECTION" in run("tenant", "list", code=2).stderr
    monkeypatch.setenv("TABLES_CONNECTION", "nonsense")
    assert "TABLES_CONNECTION" in run("tenant", "list", code=2).stderr


def test_storage_that_does_not_answer_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = "DefaultEndpointsProtocol=http;AccountName=x;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/x;"
    monkeypatch.setenv("TABLES_CONNECTION", connection)
    result = run("tenant", "list", code=1)
    assert "cannot reach its storage" in result.stderr
    assert "c2VjcmV0" not in result.stderr


def test_a_running_stack_lends_its_settings(
    run_json: RunJson, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tables_connection: str
) -> None:
    run_json(*ADD, "--fhir-version", "r4")
    stack = {"base_url": "http://localhost:7071", "storage_connection_string": tables_connection}
    (tmp_path / "no-stack").mkdir()
    (tmp_path / "no-stack" / "stack.json").write_text(json.dumps(stack))
    for name in ("PUBLIC_BASE_URL", "TABLES_CONNECTION", "LOCAL_KEYS_DIR"):
        monkeypatch.delenv(name)
        monkeypatch.setenv(name, "")
    assert run_json("tenant", "show", GUID)["tenant_id"] == GUID


def test_without_a_terminal_a_destructive_verb_needs_yes(run: Run) -> None:
    run(*ADD, "--fhir-version", "r4")
    assert "--yes" in run("tenant", "remove", GUID, code=2).stderr
    assert run("tenant", "show", GUID).stdout


def rows(count: int) -> list[dict[str, str]]:
    return [
        {
            "tenant_id": str(UUID(int=number)),
            "name": f"Høspital {number}",
            "fhir_url": f"https://ehr{number}.example/fhir",
            "fhir_version": "stu3",
            "auth.kind": "header" if number % 2 else "",
            "auth.name": "X-Api-Key" if number % 2 else "",
            "auth.secret": "the-key" if number % 2 else "",
            "max_concurrency": "7",
            "enabled": "no",
        }
        for number in range(count)
    ]


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[[list[dict[str, str]]], Path]:
    def write(content: list[dict[str, str]]) -> Path:
        path = tmp_path / "hospitals.csv"
        # A spreadsheet's file: byte order mark, carriage returns.
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, list(content[0]))
            writer.writeheader()
            writer.writerows(content)
        (tmp_path / "keys").mkdir(exist_ok=True)
        (tmp_path / "keys" / "the-key").write_text("value")
        return path

    return write


type WriteCsv = Callable[[list[dict[str, str]]], Path]


def test_an_import_takes_on_every_row_and_is_resumed_by_running_it_again(
    run: Run, run_json: RunJson, write_csv: WriteCsv
) -> None:
    half, whole = write_csv(rows(60)), None
    assert run_json("tenant", "import", half)["added"] == 60
    whole = write_csv(rows(120))
    assert run_json("tenant", "import", whole) == {"added": 60, "updated": 0, "unchanged": 60, "bad": []}
    found = run_json("tenant", "list")
    assert [tenant["tenant_id"] for tenant in found] == [str(UUID(int=number)) for number in range(120)]
    assert found[1]["auth"] == {"kind": "header", "name": "X-Api-Key", "secret": "the-key"}
    assert (found[0]["name"], found[0]["max_concurrency"], found[0]["enabled"]) == ("Høspital 0", 7, False)
    report = run_json("audit", "verify")
    assert (report["entries"], report["findings"]) == (120, [])
    assert len(run("tenant", "list", "--limit", "7").stdout.splitlines()) == 8


def test_every_bad_row_is_named_by_line_and_nothing_is_imported(
    run: Run, run_json: RunJson, write_csv: WriteCsv
) -> None:
    content = rows(8)
    content[1]["tenant_id"] = "hospital"
    content[2]["fhir_version"] = "r5"
    content[3]["auth.secret"] = "no-such-secret"
    content[4]["tenant_id"] = content[0]["tenant_id"]
    content[5]["fhir_url"] = ""
    content[6]["enabled"] = "perhaps"
    result = run("tenant", "import", write_csv(content), code=1)
    named = [line.split(":")[1].strip() for line in result.stderr.splitlines() if line.startswith("Error: line")]
    assert named == ["line 3", "line 4", "line 5", "line 6", "line 7", "line 8"]
    for text in ("must be a GUID", "'dstu2'", "no-such-secret", "stands in line 2 already", "fhir_url is missing"):
        assert text in result.stderr
    assert "Nothing was imported" in result.stderr
    assert run_json("tenant", "list") == []
    report = run_json("tenant", "import", write_csv(content), "--partial", code=1)
    assert (report["added"], [bad["line"] for bad in report["bad"]]) == (2, [3, 4, 5, 6, 7, 8])
    assert len(run_json("tenant", "list")) == 2


def test_a_column_that_is_named_like_a_group_of_columns_is_told(run: Run, write_csv: WriteCsv) -> None:
    for first in ({"auth": "header"}, {}):
        content = [{**first, **row, "auth": "header"} for row in rows(2)]
        result = run("tenant", "import", write_csv(content), code=1)
        assert "Traceback" not in result.stderr
        assert "line 3: auth" in result.stderr


def test_a_line_break_within_a_cell_does_not_shift_the_lines(run: Run, write_csv: WriteCsv) -> None:
    content = rows(3)
    content[0]["name"] = "two\nlines"
    content[2]["tenant_id"] = "hospital"
    assert "line 5: tenant_id" in run("tenant", "import", write_csv(content), code=1).stderr


def test_other_values_are_overwritten_only_when_asked(run: Run, run_json: RunJson, write_csv: WriteCsv) -> None:
    content = rows(3)
    run("tenant", "import", write_csv(content))
    content[1]["name"] = "Renamed"
    assert "--update" in run("tenant", "import", write_csv(content), code=1).stderr
    assert run_json("tenant", "import", write_csv(content), "--update")["updated"] == 1
    assert run_json("tenant", "list")[1]["name"] == "Renamed"


def test_fixed_headers_and_parameters_have_columns_of_their_own(
    run: Run, run_json: RunJson, write_csv: WriteCsv
) -> None:
    content = rows(3)
    for number, row in enumerate(content):
        row["extra_headers.Redox-Source-Id"] = f"source-{number}" if number else ""
        row["extra_headers.X.Site"] = "7" if number == 2 else ""
        row["extra_parameters.ah-practice"] = "Organization/a-1.Practice-1" if number else ""
    run("tenant", "import", write_csv(content))
    found = run_json("tenant", "list")
    assert [tenant["extra_headers"] for tenant in found] == [
        {},
        {"Redox-Source-Id": "source-1"},
        {"Redox-Source-Id": "source-2", "X.Site": "7"},
    ]
    assert found[1]["extra_parameters"] == {"ah-practice": "Organization/a-1.Practice-1"}
    content[1]["extra_headers.Redox-Source-Id"] = "über"
    content[2]["extra_parameters.ah-practice"] = "x" * 257
    result = run("tenant", "import", write_csv(content), "--update", code=1)
    assert "line 3: extra_headers must give Redox-Source-Id a value" in result.stderr
    assert "line 4: extra_parameters must give ah-practice a value" in result.stderr


def test_a_list_with_fixed_headers_is_imported_elsewhere(run: Run, run_json: RunJson, tmp_path: Path) -> None:
    run(*ADD, "--fhir-version", "r4", "--header", "Redox-Source-Id=3f9c0a52", "--parameter", "ah-practice=1")
    listed = run_json("tenant", "list")
    path = tmp_path / "listed.json"
    path.write_text(json.dumps(listed))
    assert run_json("tenant", "import", path)["unchanged"] == 1
    run("tenant", "remove", GUID, "--yes")
    assert run_json("tenant", "import", path)["added"] == 1
    [again] = run_json("tenant", "list")
    assert (again["extra_headers"], again["extra_parameters"]) == (
        {"Redox-Source-Id": "3f9c0a52"},
        {"ah-practice": "1"},
    )


@pytest.mark.parametrize("wrapped", [True, False])
def test_json_is_imported_as_it_is_listed(run_json: RunJson, tmp_path: Path, wrapped: bool) -> None:
    tenants = [
        {
            "tenant_id": GUID,
            "name": "A",
            "fhir_url": "https://a.example",
            "fhir_version": "r4",
            "auth": {"kind": "none"},
        },
        {"tenant_id": str(UUID(int=1)), "name": "B", "fhir_url": "https://b.example", "fhir_version": "dstu2"},
    ]
    path = tmp_path / "hospitals.json"
    path.write_text(json.dumps({"value": tenants} if wrapped else tenants))
    assert run_json("tenant", "import", path)["added"] == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{"),
        ("a.json", b'"text"'),
        ("a.csv", b""),
        ("a.csv", b"name,fhir_url\nx,y\n"),
        ("a.csv", b"tenant_id,name\n\xff\xfe,x\n"),
        ("a.csv", b'tenant_id,name\n"unclosed,x\n'),
    ],
)
def test_a_file_that_cannot_be_read_says_why(run: Run, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert "file" in run("tenant", "import", tmp_path / name, code=1).stderr
