"""Brian2's official examples, where the folder of them is given: BRIAN2_EXAMPLES=.../brian2/examples.

They are Brian2's, and not copied here. docs/brian2-in.md has the table of what this shows.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("brian2")
import brian2
from brian2_models.both import over_trials, read_with_streams, recorded, run_brian2, run_ours

import thermoc as tc
from thermoc.frontends.brian2.script import Found, first_run

FOLDER = os.environ.get("BRIAN2_EXAMPLES", "")
LONGER = float(os.environ.get("BRIAN2_EXAMPLES_LONGER", "1"))
"""Ticks are multiplied by this, up to an example's own duration."""
pytestmark = [
    pytest.mark.brian2,
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="BRIAN2_EXAMPLES names no folder of Brian2's examples"),
]

TICKS = {
    "adaptive_threshold": 20000,
    "advanced/custom_events": 5000,
    "advanced/Ornstein_Uhlenbeck": 10000,
    "advanced/stochastic_odes": 1000,
    "COBAHH": 400,
    "coupled_oscillators": 2000,
    "CUBA": 3000,
    "frompapers/Brette_2004": 20000,
    "frompapers/Brette_Gerstner_2005": 1000,
    "frompapers/Brette_Guigon_2003": 10000,
    "frompapers/Clopath_et_al_2010_homeostasis": 2000,
    "frompapers/Clopath_et_al_2010_no_homeostasis": 100,
    "frompapers/Diesmann_et_al_1999": 1000,
    "frompapers/Hindmarsh_Rose_1984": 2000,
    "frompapers/Izhikevich_2003": 1000,
    "frompapers/Jansen_Rit_1995_single_column": 4000,
    "frompapers/Morris_Lecar_1981": 2500,
    "frompapers/Naud_et_al_2008_adex_firing_patterns": 6000,
    "frompapers/Platkiewicz_Brette_2011": 1200,
    "frompapers/Rossant_et_al_2011bis": 1000,
    "frompapers/Stimberg_et_al_2019/example_3_bisection": 800,
    "frompapers/Sturzl_et_al_2000": 5000,
    "frompapers/Touboul_Brette_2008": 2500,
    "frompapers/Tsodyks_Pawelzik_Markram_1998": 12000,
    "frompapers/Tsodyks_Uziel_Markram_2000": 600,
    "frompapers/Vogels_et_al_2011": 40,
    "frompapers/Wang_Buszaki_1996": 2500,
    "IF_curve_Hodgkin_Huxley": 1000,
    "IF_curve_LIF": 10000,
    "non_reliability": 5000,
    "phase_locking": 10000,
    "reliability": 5000,
    "standalone/cuba_openmp": 1000,
    "standalone/simple_case": 1000,
    "standalone/simple_case_build": 200,
    "synapses/continuous_interaction": 1000,
    "synapses/gapjunctions": 5000,
    "synapses/jeffress": 2000,
    "synapses/licklider": 2000,
    "synapses/nonlinear": 2000,
    "synapses/spike_based_homeostasis": 2000,
    "synapses/STDP": 1000,
    "synapses/synapses": 200,
}
"""By example: ticks in which it spikes, where it has units that do, or all that it runs for."""
SETTLING = {"frompapers/Brette_Gerstner_2005": 1, "frompapers/Touboul_Brette_2008": 1}
"""Runs without a spike that come first: they are left out, and the one after them starts from the script's start."""
BY_CHANCE = {
    "adaptive_threshold": 3000,
    "advanced/custom_events": 5000,
    "advanced/Ornstein_Uhlenbeck": 1000,
    "advanced/stochastic_odes": 1000,
    "frompapers/Brette_Guigon_2003": 500,
    "frompapers/Izhikevich_2003": 400,
    "non_reliability": 2000,
    "reliability": 2000,
    "synapses/jeffress": 1500,
    "synapses/licklider": 1500,
    "synapses/spike_based_homeostasis": 1000,
    "synapses/STDP": 300,
}
"""Examples in which chance decides, and for how many ticks their trials run."""
TRIALS = 16
ALARM = 1e-4
"""Of one comparison where nothing is wrong; about 35 of them."""
REFUSED = {
    "advanced/exprel_function": "T506",
    "frompapers/Brette_2012/Fig1": "T508",
    "frompapers/Graupner_Brunel_2012": "T524",
    "frompapers/Nicola_Clopath_2017": "T508",
    "network_operation_stop": "T508",
}


@contextlib.contextmanager
def example(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Found, Any]]:
    """Give what an example runs first, and its network with a monitor for each group that spikes unwatched."""
    path = Path(FOLDER) / f"{name}.py"
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("MPLBACKEND", "agg")
    text = path.read_text()
    if name in SETTLING:
        text = re.sub(r"(?m)^( *)run\(.*\).*$", r"\1pass", text, count=SETTLING[name])
        path = folder / path.name
        path.write_text(text)
    np.random.seed(1)
    brian2.seed(1)
    with first_run(str(path), "") as found:
        items = list(found.network.objects)
        watched = {id(item.source) for item in items if isinstance(item, brian2.SpikeMonitor)}
        groups = [item for item in items if isinstance(item, brian2.NeuronGroup) and "spike" in item.events]
        more = [brian2.SpikeMonitor(group) for group in groups if id(group) not in watched]
        # A script's run claims its objects for a network of its own.
        for item in found.network.sorted_objects:
            item._network = None
        yield found, brian2.Network(*items, *more)


def within(found: Found, dt: float, ticks: int) -> int:
    """Return so many ticks, or the run's own."""
    own = ticks if found.duration is None else round(found.duration / dt)
    return min(round(ticks * LONGER), own)


@pytest.mark.parametrize("name", TICKS)
def test_an_example_runs_as_in_brian2(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With our draws in Brian2, no spike differs; states are within 1e-6 of their size."""
    with example(name, tmp_path, monkeypatch) as (found, network):
        graph, streams = read_with_streams(network, found.namespace, monkeypatch)
        ticks = within(found, graph.dt, TICKS[name])
        ours = run_ours(graph, ticks)
        run_brian2(network, found.namespace, streams, graph, ticks)
        for what, mine, theirs in recorded(streams, found.namespace, ours, graph.dt):
            limit = 1e-6 * abs(theirs).max(initial=0.0) if "." in what else 0.0
            assert abs(mine - theirs).max(initial=0.0) <= limit, what


@pytest.mark.parametrize("name", BY_CHANCE)
def test_an_example_agrees_in_distribution(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """16 trials of Brian2's own draws and of ours: how many spikes, when, where states end."""
    with example(name, tmp_path, monkeypatch) as (found, network):
        graph, streams = read_with_streams(network, found.namespace, monkeypatch)
        ticks = within(found, graph.dt, BY_CHANCE[name])
        p_values = over_trials(network, found.namespace, streams, graph, ticks, TRIALS)
    assert p_values and min(p_values.values()) > ALARM, p_values


@pytest.mark.parametrize("name", REFUSED)
def test_an_example_is_refused(name: str):
    """What cannot be said is refused with its code."""
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(Path(FOLDER) / f"{name}.py", format="brian2")
    assert caught.value.code == REFUSED[name]
