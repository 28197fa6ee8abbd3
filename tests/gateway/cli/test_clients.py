from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

GUID = "0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11"
TENANT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

type Run = Callable[..., Result]
type RunJson = Callable[..., Any]


def test_a_clients_life(run: Run, run_json: RunJson) -> None:
    made = run_json("client", "add", "--name", "Patients app", "--all-tenants")
    client, first = made["client_id"], made["secret_id"]
    assert made["client_secret"].startswith("pgw_")
    assert made["tenants"] == "*"
    second = run_json("secret", "add", client, "--description", "new", "--expires", "30d", "--revoke-others")
    assert second.keys() >= {"client_id", "secret_id", "client_secret", "expires"}
    states = {secret["secret_id"]: secret["state"] for secret in run_json("secret", "list", client)}
    assert states == {first: "revoked", second["secret_id"]: "active"}
    assert "new" in run("client", "show", client).stdout
    run("secret", "revoke", client, second["secret_id"], "--yes")
    assert {secret["state"] for secret in run_json("client", "show", client)["secrets"]} == {"revoked"}
    updated = run_json("client", "update", client, "--tenant", TENANT, "--name", "App")
    assert (updated["tenants"], updated["name"]) == ([TENANT], "App")
    assert not run_json("client", "disable", client)["enabled"]
    assert [found["client_id"] for found in run_json("client", "list")] == [client]
    run("client", "remove", client, "--yes")
    assert run_json("client", "list") == []
    actions = [entry["action"] for entry in run_json("audit", "list", "--client", client)]
    assert actions == [
        "client.remove",
        "client.update",
        "client.update",
        "secret.revoke",
        "secret.add",
        "client.create",
    ]


def test_the_secret_is_shown_once_and_only_on_standard_output(run: Run) -> None:
    result = run("client", "add", "--id", GUID, "--name", "App", "--all-tenants")
    assert result.stdout.count("pgw_") == 2  # the value, and the hint in the table of secrets
    assert "pgw_" not in result.stderr
    again = run("client", "add", "--id", GUID, "--name", "App", "--all-tenants")
    assert again.stdout.count("pgw_") == 1
    assert "cannot be shown again" in again.stderr


def test_without_a_secret(run_json: RunJson) -> None:
    made = run_json("client", "add", "--name", "App", "--tenant", TENANT, "--no-secret")
    assert "client_secret" not in made
    assert made["secrets"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("client", "add", "--name", "App"), 2, "either --tenant or --all-tenants"),
        (("client", "add", "--name", "App", "--tenant", "x"), 2, "must be a GUID"),
        (("client", "add", "--name", "App", "--all-tenants", "--expires", "9y"), 2, "expires must be a duration"),
        (("client", "add", "--name", "App", "--all-tenants", "--auth-method", "none"), 2, "auth_methods"),
        (("client", "add", "--name", "App", "--all-tenants", "--jwks", "pyproject.toml"), 2, "no JSON"),
        (("secret", "add", GUID), 1, "There is no client of that id"),
        (("secret", "revoke", GUID, "x", "--yes"), 2, "secret_id must be a GUID"),
        (("client", "show", "x"), 2, "client_id must be a GUID"),
    ],
)
def test_what_is_wrong_is_one_message(run: Run, arguments: tuple[str, ...], code: int, text: str) -> None:
    result = run(*arguments, code=code)
    assert text in result.stderr
    assert result.stdout == ""


def test_keys_are_rotated_and_retired(run: Run, run_json: RunJson) -> None:
    keys = run_json("key", "rotate")
    assert [key["state"] for key in keys] == ["signing", "waiting"]
    assert "rotate first" in run("key", "retire", keys[0]["kid"], "--yes", code=1).stderr
    run("key", "retire", keys[1]["kid"], "--yes")
    assert keys[1]["kid"] in run("key", "list").stdout


def test_the_trail_is_listed_for_people_and_filtered_by_time(run: Run, run_json: RunJson) -> None:
    run("client", "add", "--id", GUID, "--name", "App", "--all-tenants")
    assert "client.create" in run("audit", "list", "--since", "1h").stdout
    assert run_json("audit", "list", "--since", "2099-01-01") == []
    assert "since must be" in run("audit", "list", "--since", "yesterday", code=1).stderr
    anchor = run_json("audit", "verify")["anchor"]
    assert run_json("audit", "verify", "--anchor", anchor)["findings"] == []
    run("audit", "verify", "--anchor", "1:" + "0" * 64, code=1)
    assert "NO:HASH" in run("audit", "verify", "--anchor", "x", code=2).stderr


def test_a_patients_hash_is_the_one_of_the_access_log(run: Run) -> None:
    run("client", "add", "--id", GUID, "--name", "App", "--all-tenants")
    first = run("audit", "patient-hash", TENANT, "12345").stdout.strip()
    assert len(first) == 32
    assert run("audit", "patient-hash", TENANT.upper(), "12345").stdout.strip() == first
    assert run("audit", "patient-hash", GUID, "12345").stdout.strip() != first
