import json
from pathlib import Path

import pytest

from bench.load import Call, LoadFailed, NothingAnswered, lua, parse

URL = "http://127.0.0.1:1/fhir/r4/Patient/1"
# What wrk 4.1 prints of its own, before the line of our script.
OWN_WORDS = """\
Running 3s test @ http://127.0.0.1:1/fhir/r4/Patient/1
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    12.31ms    4.02ms  80.12ms   91.20%
  15000 requests in 3.00s, 30.10MB read
Requests/sec:   5000.00
"""


def printed(**changed: int) -> str:
    values = {"requests": 15_000, "microseconds": 3_000_000, "p50": 12_000, "p95": 20_500}
    values |= {"p99": 31_250, "connect": 0, "read": 0, "write": 0, "timeout": 0, "status": 0}
    return f"{OWN_WORDS}wrk-result {json.dumps(values | changed)}\n"


def test_rate_and_percentiles() -> None:
    sample = parse(printed(), URL)
    assert sample.per_second == 5000
    assert (sample.p50, sample.p95, sample.p99) == (12.0, 20.5, 31.25)


@pytest.mark.parametrize("kind", ["connect", "read", "write", "timeout", "status"])
def test_one_failed_request_spoils_the_run(kind: str) -> None:
    with pytest.raises(LoadFailed, match=f"'{kind}': 1"):
        parse(printed(**{kind: 1}), URL)


def test_no_answer_spoils_the_run() -> None:
    with pytest.raises(NothingAnswered):
        parse(printed(requests=0), URL)


def test_output_without_a_result_spoils_the_run() -> None:
    with pytest.raises(LoadFailed, match="no result"):
        parse(OWN_WORDS, URL)


def test_failed_batch_entry_spoils_the_run() -> None:
    with pytest.raises(LoadFailed, match="entry"):
        parse("wrk-entry-failed\n" + printed(), URL)


def test_script_says_method_headers_and_body() -> None:
    script = lua(Call(URL, "POST", {"Content-Type": "application/fhir+json"}, '{"id": "a\\b"}'))
    assert 'wrk.method = "POST"' in script
    assert 'wrk.headers["Content-Type"] = "application/fhir+json"' in script
    assert r'wrk.body = "{\"id\": \"a\\b\"}"' in script


def test_script_reads_tokens_only_where_there_are_some() -> None:
    assert 'io.lines("/tokens")' in lua(Call(URL, token_file=Path("/tokens")))
    assert "io.lines" not in lua(Call(URL))
