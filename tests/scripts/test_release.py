import os
import subprocess
from pathlib import Path

import pytest

RELEASE = Path(__file__).parents[2] / "scripts" / "release.sh"

GH = """#!/bin/sh
echo "gh $*" >>"$LOG"
case "$1 $2" in
"run list") echo "$PREVIOUS" ;;
"run download")
    case "$3" in
    "$GONE") exit 1 ;;
    esac
    while [ "$1" != --dir ]; do shift; done
    mkdir -p "$2" && : >"$2/package.zip"
    ;;
esac
"""
AZ = """#!/bin/sh
echo "az $*" >>"$LOG"
case "$1" in
keyvault)
    [ -z "$NO_SECRET" ] || exit 3
    echo pgw_hush
    ;;
esac
"""
# The first word of VERDICTS is the exit code of the first run, and so on.
PYTHON = """#!/bin/sh
echo "smoke $* secret=${SMOKE_CLIENT_SECRET:-none}" >>"$LOG"
set -- $(cat "$VERDICTS")
verdict=$1
shift
echo "$*" >"$VERDICTS"
exit "$verdict"
"""


class Run:
    """The script among programs that only write down how they were called."""

    def __init__(self, folder: Path) -> None:
        (folder / "scripts").mkdir()
        (folder / "scripts" / "release.sh").write_text(RELEASE.read_text(encoding="utf-8"), encoding="utf-8")
        for name, program in (("bin/gh", GH), ("bin/az", AZ), (".venv/bin/python", PYTHON)):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(program, encoding="utf-8")
            path.chmod(0o755)
        self.folder = folder

    def __call__(self, *verdicts: int, previous: str = "7", **environment: str) -> tuple[int, str, list[str]]:
        """Exit code, standard error, the calls that were made."""
        (self.folder / "verdicts").write_text(" ".join(map(str, verdicts)), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 -- this project's own program
            ["/bin/sh", str(self.folder / "scripts" / "release.sh")],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "LOG": str(self.folder / "log"),
                "VERDICTS": str(self.folder / "verdicts"),
                "PREVIOUS": previous,
                "GONE": "",
                "NO_SECRET": "",
                "AZURE_RESOURCE_GROUP": "group",
                "FUNCTION_APP_NAME": "app",
                "PUBLIC_BASE_URL": "https://gateway.example",
                "KEY_VAULT_URL": "https://vault.example/",
                "GITHUB_RUN_ID": "8",
            }
            | environment,
        )
        return done.returncode, done.stderr, (self.folder / "log").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def packages(calls: list[str]) -> list[str]:
    """`new` or `previous` for each deployment."""
    return [
        call.split("--src ")[1].split("/package.zip")[0].rsplit("/", 1)[1] for call in calls if "config-zip" in call
    ]


def test_a_release_that_passes_stays(run: Run) -> None:
    code, _, calls = run(0)
    assert code == 0
    assert packages(calls) == ["new"]


def test_a_release_that_fails_is_taken_back_and_still_fails(run: Run) -> None:
    code, told, calls = run(1, 0)
    assert code == 1
    assert packages(calls) == ["new", "previous"]
    assert "the package of run 7 serves again" in told


def test_it_is_said_when_the_earlier_package_fails_too(run: Run) -> None:
    code, told, calls = run(1, 1)
    assert code == 1
    assert packages(calls) == ["new", "previous"]
    assert "does not pass the smoke test either" in told


def test_the_first_release_says_that_it_cannot_be_taken_back(run: Run) -> None:
    code, told, calls = run(0, previous="")
    assert code == 0
    assert "first release" in told
    code, told, calls = run(1, previous="")
    assert code == 1
    assert packages(calls) == ["new", "new"]
    assert "no earlier package to go back to" in told


def test_an_earlier_package_that_is_gone_stops_no_release(run: Run) -> None:
    code, told, calls = run(0, GONE="7")
    assert code == 0
    assert packages(calls) == ["new"]
    assert "cannot be rolled back" in told


def test_the_test_client_gets_its_secret_from_the_vault_only(run: Run) -> None:
    code, told, calls = run(0, SMOKE_CLIENT_ID="client", SMOKE_TENANT="tenant")
    assert code == 0
    assert any("keyvault secret show --id https://vault.example/secrets/smoke-client-secret" in call for call in calls)
    smoke = next(call for call in calls if call.startswith("smoke "))
    assert "--client-id client --client-secret-env SMOKE_CLIENT_SECRET --tenant tenant secret=pgw_hush" in smoke
    assert "pgw_hush" not in told


def test_without_a_test_client_no_secret_is_read(run: Run) -> None:
    _, told, calls = run(0)
    assert not any("keyvault" in call for call in calls)
    assert "no token is asked for" in told


def test_nothing_is_deployed_when_the_test_clients_secret_is_missing(run: Run) -> None:
    code, _, calls = run(0, SMOKE_CLIENT_ID="client", SMOKE_TENANT="tenant", NO_SECRET="1")
    assert code != 0
    assert packages(calls) == []
