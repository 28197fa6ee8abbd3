import json
import os
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "scripts" / "entra_app.sh"

# Ends each argument with a unit separator and each call with a record separator. EXISTS: the registration, the service
# principal and the trust are there already.
AZ = r"""#!/bin/sh
printf '%s\037' "$@" >>"$LOG"
printf '\036' >>"$LOG"
case "$1 $2 $3 $4" in
"ad app create "*) echo client ;;
"ad app show "*) echo object ;;
"account show "*) echo tenant ;;
"cloud show --query endpoints.activeDirectory") echo https://login.example ;;
"cloud show --query "*) echo https://graph.example/ ;;
"ad app list "*) echo "$EXISTS" ;;
"ad app federated-credential list") echo "$EXISTS" ;;
"ad sp show "*) [ -n "$EXISTS" ] ;;
esac
"""


class Run:
    def __init__(self, folder: Path) -> None:
        program = folder / "bin" / "az"
        program.parent.mkdir()
        program.write_text(AZ, encoding="utf-8")
        program.chmod(0o755)
        self.folder = folder

    def __call__(self, *arguments: str, exists: bool = False, **environment: str) -> tuple[str, list[list[str]]]:
        """What it prints, and the calls of the Azure CLI."""
        done = subprocess.run(  # noqa: S603 -- this project's own program
            ["/bin/sh", str(SCRIPT), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "LOG": str(self.folder / "log"),
                "EXISTS": "client" if exists else "",
            }
            | environment,
        )
        log = (self.folder / "log").read_text(encoding="utf-8")
        return done.stdout.strip(), [call.split("\x1f")[:-1] for call in log.split("\x1e")[:-1]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def only(calls: list[list[str]], *beginning: str) -> list[str]:
    (found,) = [call for call in calls if tuple(call[: len(beginning)]) == beginning]
    return found


def test_redirects_are_those_of_the_portal(run: Run) -> None:
    printed, calls = run("https://gateway.example/")
    assert printed == "client"
    update = only(calls, "ad", "app", "update")
    given = update[update.index("--web-redirect-uris") + 1 : update.index("--app-roles")]
    portal = (REPOSITORY / "gateway" / "portal" / "entra.py").read_text(encoding="utf-8")
    paths = re.findall(r'_redirect_uri"?[:=\s]+f"\{[\w.]+base_url\}(/[\w/-]+)"', portal)
    assert sorted(given) == sorted(f"https://gateway.example{path}" for path in paths)


def test_roles_are_those_that_the_service_knows(run: Run) -> None:
    _, calls = run("https://gateway.example")
    update = only(calls, "ad", "app", "update")
    roles = json.loads(update[update.index("--app-roles") + 1])
    assert {role["value"] for role in roles} == {"Gateway.Admin", "Gateway.Reader"}
    assert len({role["id"] for role in roles}) == 2


def test_access_tokens_are_of_the_version_whose_issuer_is_checked(run: Run) -> None:
    _, calls = run("https://gateway.example")
    patch = only(calls, "rest", "--method", "patch")
    assert "https://graph.example/v1.0/applications/object" in patch
    assert json.loads(patch[patch.index("--body") + 1]) == {"api": {"requestedAccessTokenVersion": 2}}


def test_the_apps_identity_is_trusted_where_it_is_named(run: Run) -> None:
    _, calls = run("https://gateway.example", APP_PRINCIPAL_ID="principal")
    trust = only(calls, "ad", "app", "federated-credential", "create")
    assert json.loads(trust[trust.index("--parameters") + 1]) == {
        "name": "gateway-principal",
        "issuer": "https://login.example/tenant/v2.0",
        "subject": "principal",
        "audiences": ["api://AzureADTokenExchange"],
    }


def test_a_second_run_creates_nothing(run: Run) -> None:
    printed, calls = run("https://gateway.example", exists=True, APP_PRINCIPAL_ID="principal")
    assert printed == "client"
    assert not [call for call in calls if "create" in call]


def test_without_an_identity_there_is_no_trust(run: Run) -> None:
    _, calls = run("https://gateway.example")
    assert not [call for call in calls if "federated-credential" in call]
