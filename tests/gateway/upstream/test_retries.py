from datetime import UTC, datetime

import pytest

from gateway.upstream.retries import backoff_seconds, is_read, retry_after_seconds

NOW = datetime(2026, 11, 24, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("Tue, 24 Nov 2026 08:49:47 GMT", 10),
        ("Tue, 24 Nov 2026 08:49:27 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


def test_the_backoff_grows_and_has_an_end() -> None:
    firsts = {backoff_seconds(1) for _ in range(50)}
    assert len(firsts) > 40  # jitter
    assert all(0.1 <= each <= 0.2 for each in firsts)
    assert all(1.0 <= backoff_seconds(20) <= 2.0 for _ in range(50))


@pytest.mark.parametrize(
    ("method", "path", "read"),
    [
        ("GET", "/fhir/Patient/1", True),
        ("HEAD", "/fhir/Patient/1", True),
        ("POST", "/fhir/Patient/_search", True),
        ("POST", "/fhir", False),
        ("PUT", "/fhir/Patient/1", False),
    ],
)
def test_only_reads_are_repeated(method: str, path: str, read: bool) -> None:
    assert is_read(method, path) is read
