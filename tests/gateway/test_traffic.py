import sys

from gateway.exchange import HOPS
from gateway.portal.traffic_picture import HEIGHT, WIDTH, hops, requests
from gateway.traffic import MINUTES, Traffic


class Clock:
    at = 1_000_000 * 60.0

    def __call__(self) -> float:
        return self.at


def test_a_minute_adds_up_and_an_hour_later_is_gone() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.record(200, {"auth": 0.001, "upstream": 0.020})
    traffic.record(503, {"auth": 0.003})
    clock.at += 59
    traffic.record(404, {})
    newest = traffic.last_hour()[-1]
    assert (newest.requests, newest.failures) == (3, 1)
    assert round(newest.mean_milliseconds("upstream"), 6) == round(20 / 3, 6)
    clock.at += 1 + 58 * 60
    minutes = traffic.last_hour()
    assert (len(minutes), minutes[0].requests, sum(one.requests for one in minutes)) == (MINUTES, 3, 3)
    clock.at += 60
    assert sum(one.requests for one in traffic.last_hour()) == 0


def test_a_minute_of_an_hour_ago_is_not_added_to() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.record(200, {})
    clock.at += MINUTES * 60
    traffic.record(200, {})
    assert [one.requests for one in traffic.last_hour()] == [0] * (MINUTES - 1) + [1]


def test_memory_is_the_same_after_many_requests() -> None:
    clock = Clock()
    traffic = Traffic(clock)

    def size() -> int:
        return sys.getsizeof(traffic._ring) + sum(sys.getsizeof(one.seconds) for one in traffic._ring)

    before = size()
    for _ in range(5000):
        clock.at += 7
        traffic.record(200, dict.fromkeys(HOPS, 0.001))
    assert size() == before


def test_bars_stand_on_each_other_within_the_picture() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    for status in [200] * 30 + [500] * 10:
        traffic.record(status, {"auth": 0.010, "map": 0.010, "upstream": 0.020})
    drawn = requests(traffic.last_hour())
    assert drawn.top == 50
    failed, answered = drawn.bars
    assert (failed.kind, failed.y + failed.height) == ("failed", HEIGHT)
    assert (answered.kind, answered.y + answered.height) == ("answered", failed.y)
    assert answered.height == 3 * failed.height == HEIGHT * 30 / 50
    assert answered.x == WIDTH - 10
    times = hops(traffic.last_hour())
    assert (times.top, [bar.kind for bar in times.bars]) == (50, ["auth", "map", "upstream"])
    assert all(bar.y >= 0 for bar in times.bars)


def test_an_hour_without_requests_is_an_empty_picture() -> None:
    drawn = requests(Traffic().last_hour())
    assert (drawn.bars, drawn.top) == ((), 1)
