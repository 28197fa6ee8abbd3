import pytest

from gateway.errors import TooManyFailures, TooManyTokens
from gateway.tokens.failures import (
    PER_ADDRESS,
    PER_CLIENT,
    PER_CLIENT_AND_ADDRESS,
    WINDOW_SECONDS,
    Failures,
    caller_address,
)
from gateway.tokens.rate import TokenRate


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("", "unknown"),
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7:51234", "203.0.113.7"),  # what stands first is the caller's own word
        ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("nonsense", "unknown"),
        ("203.0.113.7,", "unknown"),
    ],
)
def test_the_address_is_what_the_front_end_appended(forwarded: str, address: str) -> None:
    assert caller_address({"x-forwarded-for": forwarded, "x-azure-clientip": "192.0.2.1"}) == address


def test_failures_of_a_client_from_an_address_are_limited() -> None:
    clock = Clock()
    failures = Failures(clock)
    for _ in range(PER_CLIENT_AND_ADDRESS):
        failures.add("client", "a")
    with pytest.raises(TooManyFailures) as raised:
        failures.add("client", "a")
    assert raised.value.headers == {"Retry-After": str(WINDOW_SECONDS)}
    failures.check("client", "b")
    failures.check("other", "a")
    clock.at += WINDOW_SECONDS
    failures.add("client", "a")


def test_failures_of_an_address_are_limited_whatever_client_they_name() -> None:
    failures = Failures(Clock())
    for number in range(PER_ADDRESS):
        failures.add(f"client{number}", "a")
    with pytest.raises(TooManyFailures):
        failures.add("another", "a")
    failures.check("another", "b")


def test_failures_of_a_client_are_limited_across_addresses() -> None:
    failures = Failures(Clock())
    for number in range(PER_CLIENT):
        failures.add("client", f"a{number}")
    with pytest.raises(TooManyFailures):
        failures.check("client", "fresh")


def test_memory_is_bounded() -> None:
    failures = Failures(Clock())
    for number in range(6000):
        failures.add(f"{number}" * 30, f"a{number}")
    assert len(failures) <= 10_000


def test_tokens_per_second() -> None:
    clock = Clock()
    rate = TokenRate(2, clock)
    rate.take("client")
    rate.take("client")
    with pytest.raises(TooManyTokens) as raised:
        rate.take("client")
    assert raised.value.headers["Retry-After"] == "1"
    rate.take("other")
    clock.at += 0.5
    rate.take("client")
    with pytest.raises(TooManyTokens):
        rate.take("client")


def test_no_rate_means_no_limit() -> None:
    rate = TokenRate(0, Clock())
    for _ in range(1000):
        rate.take("client")
