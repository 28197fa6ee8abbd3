"""Tokens per second beside an empty function on the same host, and beside one that takes and sends as many bytes:
interleaved rounds, medians of the rounds and of their ratios, 64 connections.

`token` is the endpoint as served, where equal requests share a token for some seconds (ADR 0013); for `token_anew`
every request has a scope of its own, so that every token is signed.

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
# Scripts for wrk; a type named by a number in letters makes each scope another.
_SAME = """\
wrk.method = "POST"
wrk.body = "{form}"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
"""
_ANEW = """\
local body, number = wrk.body, os.time() * 100000
request = function()
  number = number + 1
  local letters = string.gsub(string.format("%.0f", number), "%d", function(digit) return string.char(97 + digit) end)
  return wrk.format(nil, nil, nil, body .. "+system/T" .. letters .. ".rs")
end
"""
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
    with _stack() as (token_url, script, script_anew), _peers() as peers:
        post = ["-s", str(script)]
        subjects = {
            "noop": (f"{peers}/noop", []),
            "same_size": (f"{peers}/same_size", post),
            "token": (token_url, post),
            "token_anew": (token_url, ["-s", str(script_anew)]),
        }
        for url, arguments in subjects.values():
            _wrk(url, 1, arguments)
        rounds: dict[str, list[Round]] = {name: [] for name in subjects}
        for _ in range(options.rounds):
            for name, (url, arguments) in subjects.items():
                rounds[name].append(_wrk(url, options.seconds, arguments))
    result: dict[str, float] = {}
    for name in subjects:
        result[f"{name}_per_second"] = round(statistics.median(each.per_second for each in rounds[name]))
    result["ratio"] = _ratio(rounds["token"], rounds["noop"])
    result["ratio_anew"] = _ratio(rounds["token_anew"], rounds["noop"])
    result["ratio_to_same_size"] = _ratio(rounds["token"], rounds["same_size"])
    for name in subjects:
        result[f"{name}_p50_ms"] = round(statistics.median(each.p50 for each in rounds[name]), 2)
        result[f"{name}_p99_ms"] = round(statistics.median(each.p99 for each in rounds[name]), 2)
    for name in subjects:
        result[f"{name}_tail"] = round(statistics.median(each.p99 / each.p50 for each in rounds[name]), 2)
    result["signature_microseconds"] = round(_signature_microseconds(), 1)
    for name, value in result.items():
        print(f"{name:24}{value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    return 0 if result["ratio"] >= GOAL and result["token_tail"] < GOAL_TAIL else 1


def _ratio(rounds: list[Round], others: list[Round]) -> float:
    ratios = (one.per_second / other.per_second for one, other in zip(rounds, others, strict=True))
    return round(statistics.median(ratios), 3)


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
def _stack() -> Iterator[tuple[str, Path, Path]]:
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
            script.write_text(_SAME.format(form=form))
            anew = Path(folder) / "anew.lua"
            anew.write_text(_SAME.format(form=form) + _ANEW)
            yield f"{stack.base_url}/oauth2/token", script, anew
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
