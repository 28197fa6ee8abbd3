import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from gateway.errors import Invalid

DEFAULT = timedelta(days=180)
LONGEST = timedelta(days=730)
_CENTURY = timedelta(days=36_500)
_SECOND = timedelta(seconds=1)

_DURATION = re.compile(r"([1-9]\d{0,4})([hdwmy])", re.IGNORECASE | re.ASCII)
_UNITS = {
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "m": timedelta(days=30),
    "y": timedelta(days=365),
}
_HOW = "must be a duration such as 12h, 180d, 26w, 6m or 2y, or a date such as 2027-06-30, two years from now at most"


def parse_expiry(text: str, at: datetime) -> datetime:
    """When something ends that lives for a duration from `at` on, or until the end of a date (UTC).

    Raises Invalid, which names the field `expires`, for anything else, for the past and for more than two years.
    """
    text = text.strip()
    match = _DURATION.fullmatch(text)
    ends = at + _length(match) if match else _date(text)
    if not at < ends <= at + LONGEST:
        raise Invalid(f"expires {_HOW}.", field="expires")
    return ends


def expiry(text: str | None, at: datetime) -> datetime:
    """As `parse_expiry`; 180 days from `at` on when nothing is said."""
    return at + DEFAULT if text is None else parse_expiry(text, at)


def parse_since(text: str, at: datetime) -> datetime:
    """A moment in the past: a duration before `at`, a date or a date and time. Raises Invalid, which names `since`."""
    text = text.strip()
    if match := _DURATION.fullmatch(text):
        return at - _length(match)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            "since must be a duration such as 12h or 7d, or a time such as 2026-06-30T12:00Z.", field="since"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _length(duration: re.Match[str]) -> timedelta:
    # Bounded, so that 99999y is out of range and no overflow.
    return min(int(duration[1]) * _UNITS[duration[2].lower()].total_seconds(), _CENTURY.total_seconds()) * _SECOND


def _date(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"expires {_HOW}.", field="expires") from None
    whole_day = len(text) == len("2027-06-30")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment + timedelta(days=1) - timedelta(seconds=1) if whole_day else moment


def _checked(value: object) -> object:
    if isinstance(value, str):
        try:
            parse_expiry(value, datetime.now(UTC))
        except Invalid:
            raise ValueError(_HOW) from None
    return value


type Expiry = Annotated[
    str,
    BeforeValidator(_checked),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([1-9][0-9]{0,4}[hdwmy]|20[0-9]{2}-[01][0-9]-[0-3][0-9](T.+)?)$",
            "description": "A duration such as 12h, 180d, 26w, 6m or 2y, or a date; two years at most",
            "examples": ["180d"],
        }
    ),
]
