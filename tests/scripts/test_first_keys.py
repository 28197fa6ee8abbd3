import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_without_a_vault_it_is_wrong_usage() -> None:
    done = subprocess.run(  # noqa: S603 -- this project's own program
        [sys.executable, str(SCRIPTS / "first_keys.py")], capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 2
    assert "KEY_VAULT_URL" in done.stderr


def test_shell_scripts_parse_and_explain_themselves() -> None:
    for script in sorted(SCRIPTS.glob("*.sh")):
        subprocess.run(["/bin/sh", "-n", str(script)], check=True)  # noqa: S603 -- this project's own program
    told = subprocess.run(  # noqa: S603 -- this project's own program
        ["/bin/sh", str(SCRIPTS / "entra_app.sh"), "--help"], capture_output=True, text=True, check=True
    )
    assert "Gateway.Admin" in told.stdout
