"""Recorders: what they hold follows from the values alone, never from where these were cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermoc.ir.recording import Counts, EventList, Every, Extremes, Last, Moments, Recorder, Signal, Sums, moments

TICKS, ROW = 23, (2, 3)
RNG = np.random.default_rng(0)
VALUES = {
    "floats": (RNG.normal(1e6, 1.0, (TICKS, *ROW)), None),
    "spins": (RNG.choice([-1.0, 1.0], (TICKS, *ROW)), (-1, 1)),
    "spikes": (RNG.choice([0.0, 1.0], (TICKS, *ROW)), (0, 1)),
    "truth": (RNG.random((TICKS, *ROW)) < 0.3, None),
    "integers": (RNG.integers(-3, 4, (TICKS, *ROW), np.int32), None),
}
MAKERS: dict[str, Callable[[Signal], Recorder]] = {
    "all": Every,
    "every 4th": lambda signal: Every(signal, 4),
    "last": Last,
    "mean": moments,
    "extremes": Extremes,
    "events": EventList,
    "counts": Counts,
}


def signal(kind: str) -> Signal:
    array, levels = VALUES[kind]
    return Signal(ticks=TICKS, batch=ROW[0], shape=ROW[1:], dtype=array.dtype, levels=levels)


def whole(kind: str, name: str) -> Recorder:
    recorder = MAKERS[name](signal(kind))
    recorder.take(VALUES[kind][0])
    return recorder


@given(kind=st.sampled_from(sorted(VALUES)), name=st.sampled_from(sorted(MAKERS)), data=st.data())
def test_cuts_and_snapshots_change_no_bit(kind: str, name: str, data: st.DataObject):
    cuts = sorted(data.draw(st.lists(st.integers(0, TICKS), max_size=5)))
    recorder = MAKERS[name](signal(kind))
    for part in np.split(VALUES[kind][0], cuts):
        if len(part):
            recorder.take(part)
        snapshot = recorder.snapshot()
        recorder = MAKERS[name](signal(kind))
        recorder.restore(snapshot)
    expected = whole(kind, name).fields
    for field, array in recorder.fields.items():
        assert array.dtype == expected[field].dtype
        assert np.array_equal(array, expected[field]), field


@pytest.mark.parametrize("kind", VALUES)
def test_mean_and_variance(kind: str):
    """Sums are exact; Welford's recurrence keeps the digits that a mean of 10^6 takes from a sum of squares."""
    array, fields = VALUES[kind][0].astype(float), whole(kind, "mean").fields
    assert isinstance(whole(kind, "mean"), Moments if kind in ("floats", "integers") else Sums)
    np.testing.assert_allclose(fields["mean"], array.mean(0), rtol=1e-15)
    np.testing.assert_allclose(fields["variance"], array.var(0), rtol=1e-9)
    assert fields["count"] == TICKS


def test_exact_variance_of_a_long_run():
    """Of 2^40 ticks the numbers leave int64, and the variance stays exact."""
    long = Sums(Signal(ticks=2**40, batch=1, dtype=np.dtype(bool)))
    long.seen, long.total, long.squares = 2**40, np.array([2**39]), np.array([2**39])
    assert long.fields["variance"] == 0.25


@pytest.mark.parametrize("kind", VALUES)
def test_the_rest_is_what_numpy_says(kind: str):
    array, levels = VALUES[kind]
    assert np.array_equal(whole(kind, "every 4th").fields["values"], array[3::4])
    assert np.array_equal(whole(kind, "last").fields["last"], array[-1])
    assert np.array_equal(whole(kind, "extremes").fields["minimum"], array.min(0))
    assert np.array_equal(whole(kind, "extremes").fields["maximum"], array.max(0))
    places = np.argwhere(array > 0 if levels else array != 0)
    events = whole(kind, "events").fields
    assert np.array_equal(events["events"], places)
    assert ("payloads" in events) == (kind in ("floats", "integers"))
    if "payloads" in events:
        assert np.array_equal(events["payloads"], array[tuple(places.T)])


def test_counts_are_in_the_order_of_binary_counting():
    array = np.array([[[1.0, -1.0, -1.0]], [[-1.0, 1.0, 1.0]], [[-1.0, 1.0, 1.0]]])
    counts = Counts(Signal(ticks=3, batch=1, shape=(3,), dtype=array.dtype, levels=(-1, 1)))
    counts.take(array)
    assert dict(enumerate(counts.counts[counts.counts > 0].tolist(), 1)) == {1: 2, 2: 1}
    assert counts.counts[0b100] == 1
    assert counts.counts[0b011] == 2
