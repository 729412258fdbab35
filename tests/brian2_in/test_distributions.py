"""Where chance decides, Brian2's own draws and ours give the same distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("brian2")
import brian2
from brian2_models.both import alike, read_with_streams, recorded, run_brian2_alone, run_ours
from brian2_models.models import CHANCE, built

pytestmark = pytest.mark.brian2
ALARM = 1e-4
"""Of a comparison where nothing is wrong; 17 of them: 0.0017 of all runs, were the seeds not fixed."""
TICKS = 600


@pytest.mark.parametrize("made", CHANCE, ids=lambda made: made.__name__)
def test_counts_latencies_and_intervals_agree(made: Any, monkeypatch: pytest.MonkeyPatch):
    """Of 300 units alike, by the two-sample test of Kolmogorov and Smirnov."""
    network, names = built(made)
    graph, streams = read_with_streams(network, names, monkeypatch)
    ours = run_ours(graph, TICKS)
    run_brian2_alone(network, names, graph, TICKS, seed=11)
    found = [p for record in recorded(streams, names, ours, graph.dt) for p in alike(*record)]
    assert len(found) >= 3 and min(p for _, p in found) > ALARM, found


def test_a_wrong_rate_is_noticed(monkeypatch: pytest.MonkeyPatch):
    """Sources a fifth too fast are no longer alike: the comparison has the power to say so."""
    counts = []
    for rate in (400, 480):
        brian2.start_scope()
        source = brian2.PoissonGroup(300, rates=rate * brian2.Hz)
        spikes = brian2.SpikeMonitor(source)
        network, names = brian2.Network(source, spikes), {"spikes": spikes}
        graph, streams = read_with_streams(network, names, monkeypatch)
        ours = run_ours(graph, TICKS)
        run_brian2_alone(network, names, graph, TICKS, seed=11)
        counts.append(next(iter(recorded(streams, names, ours, graph.dt))))
    what, ours, _ = counts[0]
    assert dict(alike(what, ours, counts[1][2]))["spikes: counts"] < ALARM
    assert np.array_equal(counts[0][1].shape, counts[1][1].shape)
