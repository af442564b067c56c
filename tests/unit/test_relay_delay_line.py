"""The relay's queue and its arithmetic, without a clock or a socket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.relay.delay_line import DelayLine, Lateness, Lead


@given(
    delay_ns=st.integers(0, 10_000),
    gaps_ns=st.lists(st.integers(0, 500), max_size=40),
    looks_ns=st.lists(st.integers(0, 3_000), max_size=40),
)
def test_everything_arrives_once_in_order_and_never_before_its_delay(
    delay_ns: int, gaps_ns: list[int], looks_ns: list[int]
) -> None:
    line: DelayLine[int] = DelayLine(delay_ns)
    sent_ns, now_ns = [], 0
    for number, gap_ns in enumerate(gaps_ns):
        now_ns += gap_ns
        sent_ns.append(now_ns)
        line.put(now_ns, number)
    came: list[int] = []
    for look_ns in [*looks_ns, 10**9]:
        now_ns += look_ns
        arrived = list(line.arrived(now_ns))
        assert all(due_ns == sent_ns[item] + delay_ns <= now_ns for due_ns, item in arrived)
        came += [item for _, item in arrived]
        assert line.next_due_ns is None or line.next_due_ns > now_ns
    assert came == list(range(len(gaps_ns)))
    assert len(line) == 0


def test_what_is_put_while_others_arrive_waits_its_own_time() -> None:
    line: DelayLine[str] = DelayLine(100)
    line.put(0, "there")
    came = []
    for due_ns, item in line.arrived(100):
        came.append((due_ns, item))
        line.put(due_ns, "and back")
    assert came == [(100, "there")]
    assert line.next_due_ns == 200


def test_the_lead_settles_at_the_median_lateness_whatever_the_tail() -> None:
    """Wakings take 40 to 60 µs, one in ten 5 ms: things then leave at their time, within a few µs,
    where a mean would have led by half a millisecond."""
    lead = Lead(1_000_000)
    for number in range(2_000):
        waking_ns = 5_000_000 if number % 10 == 0 else 40_000 + 2_000 * (number % 11)
        lead.learn(waking_ns - lead.ns)
    assert 40_000 <= lead.ns <= 60_000


def test_the_lead_falls_when_wakings_become_quicker_and_never_below_nothing() -> None:
    lead = Lead(1_000_000)
    for _ in range(500):
        lead.learn(70_000 - lead.ns)
    high_ns = lead.ns
    for _ in range(500):
        lead.learn(-1 - lead.ns)
    assert high_ns > 60_000
    assert lead.ns == 0


@pytest.mark.parametrize(("one_way_ns", "most_ns"), [(100_000, 50_000), (10**8, Lead.MOST_NS)])
def test_the_lead_is_bounded(one_way_ns: int, most_ns: int) -> None:
    lead = Lead(one_way_ns)
    for _ in range(10_000):
        lead.learn(10**9)
    assert lead.ns == most_ns


def test_lateness_counts_in_classes_and_holds_what_is_beyond_the_last() -> None:
    lateness = Lateness()
    assert lateness.percentile_ms(0.5) is None
    for late_ns in (-5_000, 3_000, 12_000, 15_000, 10**12):
        lateness.add(late_ns)
    assert lateness.count == 5
    assert lateness.percentile_ms(0.4) == 0.01  # two of five left within 10 µs, one of them early
    assert lateness.percentile_ms(0.41) == 0.02
    assert lateness.percentile_ms(1.0) == 10.0


def test_an_early_item_does_not_count_as_late() -> None:
    lateness = Lateness()
    for late_ns in range(-90_000, 0, 10_000):
        lateness.add(late_ns)
    assert lateness.percentile_ms(0.99) == 0.01
