import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.e2e


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "local.sandbox", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:  # noqa: S603 - our own program
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip().rpartition(" ")[2]
        finally:
            process.kill()


def test_it_prints_its_url_serves_and_stops_cleanly() -> None:
    with _running("lakeside", "--port", "0") as (process, url):
        with urlopen(f"{url}/Patient/1001", timeout=10) as response:  # noqa: S310 - http to the process above
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")


def test_a_taken_port_is_one_clear_line() -> None:
    with _running("riverbend", "--port", "0") as (_, url):
        port = url.removeprefix("http://127.0.0.1:").partition("/")[0]
        with _running("lakeside", "--port", port) as (second, _):
            _, err = second.communicate(timeout=10)
        assert second.returncode == 1
        assert err == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"
