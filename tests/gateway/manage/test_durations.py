from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Invalid
from gateway.manage.durations import expiry, parse_expiry, parse_since

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("12h", AT + timedelta(hours=12)),
        ("180d", AT + timedelta(days=180)),
        ("26W", AT + timedelta(weeks=26)),
        ("6m", AT + timedelta(days=180)),
        ("2y", AT + timedelta(days=730)),
        ("2026-06-30", datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)),
        ("2026-06-30T10:00:00+02:00", datetime(2026, 6, 30, 8, tzinfo=UTC)),
        ("2026-06-30T10:00", datetime(2026, 6, 30, 10, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_duration_or_a_date(text: str, ends: datetime) -> None:
    assert parse_expiry(text, AT) == ends


@pytest.mark.parametrize(
    "text", ["", "d", "0d", "-1d", "731d", "3y", "99999y", "180", "٣d", "2026-01-30", "2030-01-01", "soon"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_expiry(text, AT)
    assert error.value.field == "expires"


def test_a_secret_lives_for_180_days_unless_told_otherwise() -> None:
    assert expiry(None, AT) == AT + timedelta(days=180)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7d", AT - timedelta(days=7)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T10:00:00Z", datetime(2026, 1, 1, 10, tzinfo=UTC)),
    ],
)
def test_since_reaches_back(text: str, moment: datetime) -> None:
    assert parse_since(text, AT) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_since(text, AT)
    assert error.value.field == "since"
