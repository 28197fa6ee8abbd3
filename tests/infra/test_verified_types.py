import logging
import re
from pathlib import Path

import pytest

from gateway.telemetry.events import EVENTS
from tests.infra.bicep_files import read
from tests.infra.bicep_rules import parameter_problems, problems
from tests.infra.verified_types import TYPES

INFRA = Path(__file__).parents[2] / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_says_only_what_its_resource_types_know(path: Path) -> None:
    assert problems(path) == []


def test_the_table_holds_no_type_that_is_not_used() -> None:
    assert {resource.kind for path in FILES for resource in read(path).resources.values()} == set(TYPES)


def test_parameters_are_of_the_kind_that_main_wants() -> None:
    assert parameter_problems(INFRA / "main.bicepparam") == []


@pytest.mark.parametrize(
    ("name", "right", "wrong", "problem"),
    [
        ("modules/host-storage", "allowSharedKeyAccess", "allowSharedkeyAccess", "is no property here"),
        ("modules/host-storage", "'TLS1_2'", "'TLS1.2'", "is none of"),
        ("modules/host-storage", "days: 14", "days: 400", "may be 400"),
        ("modules/host-storage", "days: 14", "days: '14'", "a string where int"),
        ("modules/host-storage", "    name: 'Standard_ZRS'\n", "", "name is missing"),
        ("modules/host-storage", "  location: location\n", "", "location is missing"),
        (
            "modules/host-storage",
            "storageAccounts@2024-01-01",
            "storageAccounts@2024-13-01",
            "not been verified",
        ),
        ("modules/host-storage", "  parent: account\n", "", "has no parent"),
        ("modules/host-storage", "parent: blobs", "parent: account", "cannot be the parent"),
        ("modules/host-storage", "primaryEndpoints.queue", "primaryEndpoint.queue", "has not been verified"),
        ("modules/host-storage", "? 'Deny' : 'Allow'", "? 'Deny' : 'Permit'", "is none of"),
        ("modules/alerts", "enabled: true\n    groupShortName", "enabled: 'yes'\n    groupShortName", "where bool"),
        ("modules/alerts", "emailAddress: address", "emailAdress: address", "is no property here"),
        ("modules/alerts", "severity: 1", "severity: 7", "may be 7"),
        ("modules/alerts", "threshold: 5\n", "threshold: '5'\n", "a string where int"),
        ("modules/alerts", "endpointType: 'MonitorAlert'", "endpointType: 'Alert'", "endpointType is none of"),
        ("modules/alerts", "actionGroup.id", "actionGroups.id", "is not declared"),
        ("modules/alerts", "param keyVaultId string", "param keyVaultId string\nparam left string", "left is not used"),
        ("modules/function-app", "ipAddress: 'AzureFrontDoor.Backend'", "address: 'x'", "is no property here"),
        ("modules/function-app", "allow: false", "allow: 0", "int where bool"),
        ("modules/function-app", "uri(environment()", "url(environment()", "is no known function"),
        ("modules/front-door-route", "weight: 1000", "weight: 1001", "may be 1001"),
        ("modules/private-endpoint", "id: subnetId", "id: [\n        subnetId\n      ]", "an array where none"),
        ("main", "planName: ", "plan: ", "planName is missing"),
        ("main", "logLevel: logLevel", "logLevel: privateNetworking", "bool where string"),
        ("main", "network!.outputs.vaultZoneId", "network!.outputs.zoneId", "network has no"),
        ("main", "firewallMode: firewallMode", "firewallMode: logLevel", "may be other than"),
        ("main", "scope: group", "scope: rg", "scope is no resource"),
    ],
)
def test_a_slip_is_found(name: str, right: str, wrong: str, problem: str) -> None:
    path = INFRA / f"{name}.bicep"
    content = path.read_text(encoding="utf-8")
    assert right in content
    found = problems(path, content.replace(right, wrong, 1).encode())
    assert any(problem in line for line in found), found


def test_a_wrong_parameter_is_found(tmp_path: Path) -> None:
    (tmp_path / "main.bicep").write_text("param count int\n", encoding="utf-8")
    for line in (
        "param count = readEnvironmentVariable('N', '1')",
        "param size = int('1')",
        "param count = bool('true')",
    ):
        (tmp_path / "main.bicepparam").write_text(line + "\n", encoding="utf-8")
        assert len(parameter_problems(tmp_path / "main.bicepparam")) == 1


def test_there_is_an_alert_for_each_event_that_needs_somebody() -> None:
    text = (INFRA / "modules" / "alerts.bicep").read_text(encoding="utf-8")
    asked = {name for name in EVENTS if f"\\'{name}\\'" in text}
    warnings = {name for name, event in EVENTS.items() if event.level >= logging.WARNING}
    assert asked == warnings - {"token-limit-hit"}  # that is the limit at work


def test_every_alert_is_in_the_operating_guide() -> None:
    text = (INFRA / "modules" / "alerts.bicep").read_text(encoding="utf-8")
    guide = (INFRA.parent / "docs" / "operating.md").read_text(encoding="utf-8")
    names = re.findall(r"^ {4}name: '([\w-]+)'$", text, re.MULTILINE)
    assert len(names) >= 5
    assert [name for name in names if f"| `{name}` |" not in guide] == []
