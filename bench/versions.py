"""Adapting a searchset of 100 R4 Observations, JSON parse and dump included, beside parse and dump alone.

    .venv/bin/python bench/versions.py

Prints medians and 99th percentiles in milliseconds; the target is 15 ms (docs/adr/0009-version-adaptation.md). Reads
the shared test data beside the repository.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import quantiles

import orjson

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from gateway.versions import Adaptation, FhirVersion, adapt_bundle  # noqa: E402 - found beside this folder

OBSERVATIONS = REPOSITORY.parent / "shared" / "data" / "r4" / "Observation.ndjson"
ENTRIES = 100
ROUNDS = 300


def searchset() -> bytes:
    lines = OBSERVATIONS.read_bytes().splitlines()
    resources = [orjson.loads(line) for line in lines[:: len(lines) // ENTRIES][:ENTRIES]]
    entries = [
        {
            "fullUrl": f"https://ehr.example/r4/Observation/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in resources
    ]
    return orjson.dumps({"resourceType": "Bundle", "type": "searchset", "total": ENTRIES, "entry": entries})


def milliseconds(work: Callable[[], object]) -> tuple[float, float]:
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    percentiles = quantiles(times, n=100)
    return percentiles[49], percentiles[98]


def adapted(raw: bytes, adaptation: Adaptation) -> bytes:
    return orjson.dumps(adapt_bundle(orjson.loads(raw), adaptation))


def main() -> None:
    raw = searchset()
    print(f"{ENTRIES} Observations, {len(raw) / 1024:.0f} KiB")
    print(f"{'':24}{'median ms':>10}{'p99 ms':>10}")
    rows: list[tuple[str, Callable[[], object]]] = [("parse and dump alone", lambda: orjson.dumps(orjson.loads(raw)))]
    for source, target in (
        (FhirVersion.R4, FhirVersion.STU3),
        (FhirVersion.R4, FhirVersion.DSTU2),
        (FhirVersion.R4, FhirVersion.R4),
    ):
        rows.append((f"{source} to {target}", partial(adapted, raw, Adaptation(source, target))))
    for name, work in rows:
        median, p99 = milliseconds(work)
        print(f"{name:24}{median:10.2f}{p99:10.2f}")


if __name__ == "__main__":
    main()
