"""Planned instants, requests and keys come from the seed alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from loadtests.arrivals import NO_KEY, RequestStream, plan_arrivals
from loadtests.scenarios.catalogue import CRUD_MIX
from loadtests.scenarios.model import Keys, Request

seeds = st.integers(min_value=0, max_value=2**63 - 1)
kinds = st.sampled_from(["poisson", "uniform"])


def request(name: str, weight: float = 1.0, keys: Keys | None = None) -> Request:
    return Request(name=name, path="/{key}" if keys else "/", weight=weight, keys=keys)


@given(rate=st.floats(0.5, 5_000), duration=st.floats(0.05, 2.0), kind=kinds, seed=seeds)
@settings(max_examples=60)
def test_arrivals_rise_within_the_trial_and_depend_on_the_seed_only(rate, duration, kind, seed):
    first = plan_arrivals(rate, duration, kind, seed)
    assert first.dtype == np.int64
    assert np.all(np.diff(first) >= 0)
    assert np.all((first >= 0) & (first < round(duration * 1e9)))
    assert np.array_equal(first, plan_arrivals(rate, duration, kind, seed))


@given(rate=st.floats(1, 5_000), duration=st.floats(0.1, 2.0), seed=seeds)
@settings(max_examples=60)
def test_uniform_arrivals_are_as_many_as_asked_and_evenly_spaced(rate, duration, seed):
    arrivals = plan_arrivals(rate, duration, "uniform", seed)
    assert abs(len(arrivals) - rate * duration) <= 1
    assert np.all(np.abs(np.diff(arrivals) - 1e9 / rate) <= 2)


def test_poisson_gaps_are_exponential_and_counts_are_poisson() -> None:
    gaps = np.diff(plan_arrivals(2_000, 10.0, "poisson", 11))
    assert stats.kstest(gaps, "expon", args=(0, 1e9 / 2_000)).pvalue > 0.01
    counts = [len(plan_arrivals(50, 1.0, "poisson", seed)) for seed in range(400)]
    assert np.mean(counts) == pytest.approx(50, abs=4 * np.sqrt(50 / 400))
    assert np.var(counts) / np.mean(counts) == pytest.approx(1, abs=0.35)


def test_a_rare_arrival_may_fall_outside_and_then_there_is_none() -> None:
    counts = {len(plan_arrivals(0.1, 0.5, "poisson", seed)) for seed in range(20)}
    assert 0 in counts


def test_different_seeds_give_different_arrivals() -> None:
    assert not np.array_equal(
        plan_arrivals(100, 1, "poisson", 1)[:10], plan_arrivals(100, 1, "poisson", 2)[:10]
    )


def test_weights_are_honoured() -> None:
    requests = CRUD_MIX.request
    draw = RequestStream([r.model_copy(update={"keys": None}) for r in requests], 5).draw(20_000)
    counted = np.bincount(draw.which, minlength=len(requests))
    weights = np.array([entry.weight for entry in requests])
    expected = weights / weights.sum() * 20_000
    assert stats.chisquare(counted, expected).pvalue > 0.01


def test_keys_are_equally_likely_and_both_ends_occur() -> None:
    draw = RequestStream([request("a", keys=Keys(first=3, last=12))], 5).draw(10_000)
    counted = np.bincount(draw.keys, minlength=13)
    assert counted[:3].sum() == 0
    assert stats.chisquare(counted[3:]).pvalue > 0.01


@given(seed=seeds, cuts=st.lists(st.integers(1, 300), min_size=1, max_size=6))
@settings(max_examples=60)
def test_a_stream_is_the_same_however_it_is_cut(seed, cuts):
    requests = [
        request("any", 3, Keys(first=1, last=50)),
        request("once", 2, Keys(first=100, last=140, unique=True)),
        request("none", 1),
    ]
    whole = RequestStream(requests, seed).draw(sum(cuts))
    stream = RequestStream(requests, seed)
    pieces = [stream.draw(cut) for cut in cuts]
    assert np.array_equal(whole.which, np.concatenate([piece.which for piece in pieces]))
    assert np.array_equal(whole.keys, np.concatenate([piece.keys for piece in pieces]))


@given(seed=seeds, count=st.integers(0, 600), size=st.integers(1, 80))
@settings(max_examples=60)
def test_unique_keys_never_repeat_and_every_key_is_in_range(seed, count, size):
    once = Keys(first=10, last=9 + size, unique=True)
    requests = [request("once", 5, once), request("any", 1, Keys(first=1, last=3)), request("no")]
    draw = RequestStream(requests, seed).draw(count)
    assert len(draw.which) == count
    taken = draw.keys[draw.which == 0]
    assert len(set(taken.tolist())) == len(taken)
    assert np.all((taken >= 10) & (taken <= 9 + size))
    assert np.all(draw.keys[draw.which == 2] == NO_KEY)
    assert np.all(np.isin(draw.keys[draw.which == 1], [1, 2, 3]))


def test_a_stream_of_unique_keys_only_ends_with_them() -> None:
    stream = RequestStream([request("once", keys=Keys(first=1, last=30, unique=True))], 1)
    assert len(stream.draw(20).which) == 20
    assert len(stream.draw(20).which) == 10
    assert len(stream.draw(20).which) == 0
