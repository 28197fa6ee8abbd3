"""Tokens per second beside an empty function on the same host, and beside one that takes and sends as many bytes:
interleaved rounds, medians, 64 connections.

    python bench/token_endpoint.py [--rounds 5] [--seconds 10] [--json FILE]

Starts its own stack on free ports and stops it. Needs wrk (apt install wrk).
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.tokens.keys import SigningKey  # noqa: E402  # found by the line above
from gateway.tokens.signer import sign  # noqa: E402
from local.ports import free_port  # noqa: E402
from local.stack_file import read_stack  # noqa: E402

CONNECTIONS = 64
GOAL, GOAL_TAIL = 0.8, 3.0
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass
class Round:
    per_second: float
    p50: float
    p99: float
    """Milliseconds."""


def main() -> int:
    """Print the table; 0 when the goals are met, 1 when not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with _stack() as (token_url, script), _peers() as peers:
        post = ["-s", str(script)]
        subjects = {
            "noop": (f"{peers}/noop", []),
            "same_size": (f"{peers}/same_size", post),
            "token": (token_url, post),
        }
        for url, arguments in subjects.values():
            _wrk(url, 1, arguments)
        rounds: dict[str, list[Round]] = {name: [] for name in subjects}
        for _ in range(options.rounds):
            for name, (url, arguments) in subjects.items():
                rounds[name].append(_wrk(url, options.seconds, arguments))
    noop, same_size, token = (_median(rounds[name]) for name in ("noop", "same_size", "token"))
    result = {
        "noop_per_second": round(noop.per_second),
        "same_size_per_second": round(same_size.per_second),
        "token_per_second": round(token.per_second),
        "ratio": round(token.per_second / noop.per_second, 3),
        "ratio_to_same_size": round(token.per_second / same_size.per_second, 3),
        "token_p50_ms": round(token.p50, 2),
        "token_p99_ms": round(token.p99, 2),
        "tail": round(token.p99 / token.p50, 2),
        "signature_microseconds": round(_signature_microseconds(), 1),
    }
    for name, value in result.items():
        print(f"{name:24}{value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    return 0 if result["ratio"] >= GOAL and result["tail"] < GOAL_TAIL else 1


def _median(rounds: list[Round]) -> Round:
    return Round(*(statistics.median(getattr(each, name) for each in rounds) for name in ("per_second", "p50", "p99")))


def _wrk(url: str, seconds: int, arguments: list[str]) -> Round:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", *arguments, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"{url} did not answer 200 to every request:\n{text}")
    values = dict(re.findall(r"(50%|99%|Requests/sec:)\s+(\S+)", text))
    return Round(float(values["Requests/sec:"]), _milliseconds(values["50%"]), _milliseconds(values["99%"]))


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]  # wrk's format
    return float(number) * _UNITS[unit]


def _signature_microseconds() -> float:
    key = SigningKey.generate(datetime.now(UTC))
    times = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(2000):
            sign({"sub": "x"}, key)
        times.append((time.perf_counter() - started) / 2000 * 1e6)
    return min(times)


@contextmanager
def _stack() -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        ports = {"PORT": str(free_port()), "AZURITE_TABLE_PORT": str(free_port())}
        environment = {**os.environ, **ports, "PATIENTS_GATEWAY_LOCAL": folder}
        subprocess.run([sys.executable, "-m", "local", "up"], cwd=ROOT, env=environment, check=True)
        try:
            stack = read_stack(Path(folder))
            assert stack is not None  # noqa: S101  # `up` has just written it
            client, tenant = stack.clients[0], stack.tenants[0]
            form = urlencode(
                {
                    "grant_type": "client_credentials",
                    "client_id": client.client_id,
                    "client_secret": client.client_secret,
                    "scope": tenant.tenant_id,
                }
            )
            script = Path(folder) / "token.lua"
            script.write_text(
                f'wrk.method = "POST"\nwrk.body = "{form}"\n'
                'wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n'
            )
            yield f"{stack.base_url}/oauth2/token", script
        finally:
            subprocess.run([sys.executable, "-m", "local", "down"], cwd=ROOT, env=environment, check=True)


@contextmanager
def _peers() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "local.worker", "--app", "bench/token_peers", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT) as program:
        url = f"http://127.0.0.1:{port}/api"
        try:
            for _ in range(100):
                try:
                    with urlopen(f"{url}/noop"):  # noqa: S310  # our own program
                        break
                except URLError:
                    time.sleep(0.1)
            yield url
        finally:
            program.terminate()


if __name__ == "__main__":
    sys.exit(main())
