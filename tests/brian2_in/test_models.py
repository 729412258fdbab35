"""Each kind of model of Brian2's examples gives Brian2's own spikes and states, its noise being drawn by ours."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("brian2")
from brian2_models.both import read_with_streams, recorded, run_brian2, run_ours
from brian2_models.models import MODELS, TICKS, built

pytestmark = pytest.mark.brian2


@pytest.mark.parametrize("name", MODELS)
def test_a_model_runs_as_in_brian2(name: str, monkeypatch: pytest.MonkeyPatch):
    """No spike differs; states agree to 1e-9 of their size, for both round alike but where sums are of another order."""
    ticks = TICKS.get(name, 400)
    network, names = built(MODELS[name])
    graph, streams = read_with_streams(network, names, monkeypatch)
    ours = run_ours(graph, ticks)
    run_brian2(network, names, streams, graph, ticks)
    pairs = list(recorded(streams, names, ours, graph.dt))
    assert pairs and any(theirs.any() for _, _, theirs in pairs)
    for what, mine, theirs in pairs:
        if set(np.unique(theirs)) <= {0.0, 1.0}:
            assert theirs.any() and (mine != theirs).sum() == 0, what
        else:
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9 * np.abs(theirs).max(), err_msg=what)
