import re
import time

import pytest

from gateway.exchange import Timing, request_id


@pytest.mark.parametrize("sent", ["a", "7f3b2c9e-1111-4222-8333-444455556666", "trace_1.2", "x" * 64])
def test_a_sane_correlation_id_is_kept(sent: str) -> None:
    assert request_id(sent) == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 65, "a b", "a\nb", "<script>", "é", "a,b"])
def test_any_other_is_replaced(sent: str | None) -> None:
    made = request_id(sent)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", made)
    assert made != sent


def test_every_hop_is_named_in_milliseconds() -> None:
    timing = Timing()
    timing.add("auth", 0.001)
    timing.add("auth", 0.0005)
    timing.add("upstream", 0.1)
    names = [part.split(";")[0] for part in timing.header().split(", ")]
    assert names == ["auth", "map", "upstream", "adapt", "total"]
    assert "auth;dur=1.50" in timing.header()
    assert "upstream;dur=100.00" in timing.header()
    assert "map;dur=0.00" in timing.header()


def test_a_hop_is_timed_also_when_it_fails() -> None:
    timing = Timing()

    def fail() -> None:
        time.sleep(0.01)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), timing.hop("adapt"):
        fail()
    assert timing.seconds["adapt"] >= 0.01
    assert timing.total() >= timing.seconds["adapt"]
