"""docs/conformance.md names every check, every field of the report and every option of the command."""

import inspect
import json
import re
from pathlib import Path

import pytest

from gateway.cli.check import check
from gateway.conformance.checks import checks_for
from gateway.conformance.document import SCHEMA
from gateway.conformance.fields import KINDS
from gateway.versions import FhirVersion

PAGE = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text()
ROWS = {row[1]: row for row in (re.split(r"\s*(?<!\\)\|\s*", line) for line in PAGE.splitlines()) if len(row) > 3}


@pytest.mark.parametrize("version", FhirVersion)
def test_every_check_is_documented_with_its_severity(version: FhirVersion) -> None:
    for one in checks_for(version):
        assert one.severity in ROWS[f"`{one.id}`"], one.id


def test_no_check_is_documented_that_is_none() -> None:
    documented = {name.strip("`") for name in ROWS if re.fullmatch(r"`[a-z][a-z0-9-]*(\.[a-z0-9-]+)?`", name)}
    known = {one.id for version in FhirVersion for one in checks_for(version)}
    assert documented - known <= {"pass", "warn", "fail", "skipped", "subject", "system", "requests", "timing"}


@pytest.mark.parametrize(("version", "column"), [(FhirVersion.STU3, 2), (FhirVersion.DSTU2, 3), (FhirVersion.R4, 4)])
def test_every_field_is_documented_with_its_path(version: FhirVersion, column: int) -> None:
    for kind in KINDS[version]:
        for field in kind.fields:
            documented = ROWS[f"`{kind.name}.{field.name}`"][column].replace("`", "")
            assert documented == field.path.replace(" | ", " or ")


def test_ids_are_unique() -> None:
    for version in FhirVersion:
        ids = [one.id for one in checks_for(version)]
        assert len(ids) == len(set(ids))


def test_every_need_is_an_earlier_check() -> None:
    for version in FhirVersion:
        seen: set[str] = set()
        for one in checks_for(version):
            assert set(one.needs) <= seen, one.id
            seen.add(one.id)


def test_every_field_of_the_report_is_documented() -> None:
    schema = json.loads(SCHEMA.read_text())
    names = set(schema["properties"])
    for part in ("subject", "system", "requests", "timing"):
        names |= set(schema["properties"][part]["properties"])
    names |= set(schema["properties"]["checks"]["items"]["properties"]) | set(schema["$defs"]["side"]["properties"])
    names |= set(schema["properties"]["timing"]["properties"]["calls"]["items"]["properties"])
    assert {name for name in names if not re.search(rf"`{name}(\[\])?`", PAGE)} == set()


def test_every_option_is_documented() -> None:
    options = {f"--{name.replace('_', '-')}" for name in inspect.signature(check).parameters if name != "tenant"}
    options = (options - {"--auth-option"}) | {"-o"}
    assert {option for option in options if f"{option}" not in PAGE} == set()
