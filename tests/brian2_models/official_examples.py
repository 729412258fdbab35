"""Brian2's official examples, where the folder of them is given: BRIAN2_EXAMPLES=.../brian2/examples.

They are Brian2's, and not copied here. docs/brian2-in.md has the table of what this shows.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("brian2")
from brian2_models.both import read_with_streams, recorded, run_brian2, run_ours

import thermoc as tc
from thermoc.frontends.brian2.script import first_run

FOLDER = os.environ.get("BRIAN2_EXAMPLES", "")
pytestmark = [
    pytest.mark.brian2,
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="BRIAN2_EXAMPLES names no folder of Brian2's examples"),
]
TICKS = int(os.environ.get("BRIAN2_EXAMPLES_TICKS", "300"))

READ = [
    "adaptive_threshold",
    "advanced/custom_events",
    "advanced/Ornstein_Uhlenbeck",
    "advanced/stochastic_odes",
    "coupled_oscillators",
    "CUBA",
    "frompapers/Brette_2004",
    "frompapers/Brette_Gerstner_2005",
    "frompapers/Brette_Guigon_2003",
    "frompapers/Hindmarsh_Rose_1984",
    "frompapers/Jansen_Rit_1995_single_column",
    "frompapers/Morris_Lecar_1981",
    "frompapers/Naud_et_al_2008_adex_firing_patterns",
    "IF_curve_LIF",
    "non_reliability",
    "phase_locking",
    "reliability",
    "standalone/simple_case",
    "synapses/continuous_interaction",
    "synapses/gapjunctions",
    "synapses/jeffress",
    "synapses/licklider",
    "synapses/nonlinear",
    "synapses/spike_based_homeostasis",
    "synapses/STDP",
    "synapses/synapses",
]
REFUSED = {
    "advanced/exprel_function": "T506",
    "frompapers/Brette_2012/Fig1": "T508",
    "frompapers/Graupner_Brunel_2012": "T524",
    "frompapers/Nicola_Clopath_2017": "T508",
}


@pytest.mark.parametrize("name", READ)
def test_an_example_runs_as_in_brian2(name: str, monkeypatch: pytest.MonkeyPatch):
    """With our draws in Brian2, no spike differs; states are within 1e-6 of their size."""
    path = Path(FOLDER) / f"{name}.py"
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("MPLBACKEND", "agg")
    with first_run(str(path), "") as found:
        graph, streams = read_with_streams(found.network, found.namespace, monkeypatch)
        ours = run_ours(graph, TICKS)
        run_brian2(found.network, found.namespace, streams, graph, TICKS)
    for what, mine, theirs in recorded(streams, found.namespace, ours, graph.dt):
        assert abs(mine - theirs).max(initial=0.0) <= 1e-6 * abs(theirs).max(initial=0.0), what


@pytest.mark.parametrize("name", REFUSED)
def test_an_example_is_refused(name: str):
    """What cannot be said is refused with its code."""
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(Path(FOLDER) / f"{name}.py", format="brian2")
    assert caught.value.code == REFUSED[name]
