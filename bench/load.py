"""Load from wrk: one request, repeated on so many connections for so many seconds, and what came of it."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

INSTALL = "wrk is needed: apt install wrk"
_MARK = "wrk-result "
# The percentiles that wrk prints by itself leave out the 95th.
_DONE = """\
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '%s{"requests":%%d,"microseconds":%%d,"p50":%%d,"p95":%%d,"p99":%%d,' ..
    '"connect":%%d,"read":%%d,"write":%%d,"timeout":%%d,"status":%%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
"""
# Each request has the next token of a file.
_TOKENS = """\
local requests, number = {}, 0
init = function()
  for token in io.lines(%s) do
    wrk.headers["Authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format()
  end
end
request = function()
  number = number %% #requests + 1
  return requests[number]
end
"""
# Each body has a scope of its own: a type named by a number in letters.
_SCOPES = """\
local body, number = wrk.body, os.time() * 100000
request = function()
  number = number + 1
  local digits = string.format("%.0f", number)
  local letters = string.gsub(digits, "%d", function(digit) return string.char(97 + digit) end)
  return wrk.format(nil, nil, nil, body .. "+system/T" .. letters .. ".rs")
end
"""
# A batch answers 200 whatever became of its entries.
_ENTRIES = """\
response = function(status, headers, body)
  local _, good = string.gsub(body, '"status":"200', "")
  if good ~= %d then
    io.write("wrk-entry-failed\\n")
    wrk.thread:stop()
  end
end
"""


class LoadFailed(Exception):
    """The load was not answered as it should be, so its numbers mean nothing."""


class NothingAnswered(LoadFailed):
    """No request was answered before the time was over."""


@dataclass(frozen=True)
class Call:
    """One request. With `token_file`, each repetition bears the next token of that file (a line each); with
    `scopes`, each adds a made-up type to the scope at the end of the body; `entries` is the number of entries of a
    batch response that must say 200.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    token_file: Path | None = None
    scopes: bool = False
    entries: int | None = None


@dataclass(frozen=True)
class Sample:
    """One run of wrk; latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def find_wrk() -> str:
    """Raises LoadFailed, saying how to install it, when there is none."""
    path = shutil.which("wrk")
    if path is None:
        raise LoadFailed(INSTALL)
    return path


def put_load(call: Call, *, connections: int, seconds: int, folder: Path) -> Sample:
    """Repeat `call`, each connection as soon as it has its answer. The script for wrk stays in `folder`.

    Raises LoadFailed unless every answer was 2xx or 3xx and no connection failed.
    """
    script = folder / "wrk.lua"
    script.write_text(lua(call))
    command = [
        find_wrk(),
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "-s",
        str(script),
        call.url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LoadFailed(f"wrk failed: {done.stderr.strip()}")
    return parse(done.stdout, call.url)


def lua(call: Call) -> str:
    """The script that makes wrk send `call` and print what `parse` reads."""
    lines = [f"wrk.method = {_quoted(call.method)}"]
    lines += [f"wrk.headers[{_quoted(name)}] = {_quoted(value)}" for name, value in call.headers.items()]
    if call.body:
        lines.append(f"wrk.body = {_quoted(call.body)}")
    parts: Sequence[str] = (
        _TOKENS % _quoted(str(call.token_file)) if call.token_file else "",
        _SCOPES if call.scopes else "",
        _ENTRIES % call.entries if call.entries is not None else "",
        _DONE % _MARK,
    )
    return "\n".join([*lines, *filter(None, parts)])


def parse(output: str, url: str) -> Sample:
    """What a run with `lua`'s script printed. Raises LoadFailed when an answer was an error, or there was none."""
    if "wrk-entry-failed" in output:
        raise LoadFailed(f"{url}: an entry of a batch response was no success")
    result = next((line.removeprefix(_MARK) for line in output.splitlines() if line.startswith(_MARK)), None)
    if result is None:
        raise LoadFailed(f"{url}: wrk printed no result")
    values = json.loads(result)
    failed = {name: values[name] for name in ("connect", "read", "write", "timeout", "status") if values[name]}
    if failed:
        raise LoadFailed(f"{url}: of {values['requests']} requests failed: {failed}")
    if not values["requests"]:
        raise NothingAnswered(f"{url}: no request was answered")
    milliseconds = (values[name] / 1000 for name in ("p50", "p95", "p99"))
    return Sample(values["requests"], values["microseconds"] / 1e6, *milliseconds)


def _quoted(text: str) -> str:
    # JSON's escapes are Lua's for what stands in URLs, headers and FHIR bodies, but for \u and \/, which dumps avoids.
    return json.dumps(text, ensure_ascii=False)
