"""Names that Brian2, SymPy, Python or C++ have for other things: networks may use them all the same."""

from __future__ import annotations

import builtins
import keyword
import re
import types

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.brian2.names import BRIAN2, RESERVED, UNITS_OF_BRIAN2, Names, identifier
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret

NAMES = "xi xi_v gamma trace S N t mV volt lambda double input rand variables thresholder a_pre"


@pytest.mark.parametrize("name", NAMES.split())
def test_a_unit_an_input_and_a_value_of_any_name_run(name: str):
    with tc.Network(name, dt=0.1) as net:
        x = tc.input("x", (2,))
        tc.output(name, tc.lif(x, 2.0, v_threshold=0.3, name=name)[0])
    with tc.Network("n", dt=0.1) as other:
        y = tc.add(tc.input(name, (2,)), 0.1, name="sum")
        tc.output("m", tc.memory(y, 0.1, 2.0, name=f"{name}.m"))
    for network in (net, other):
        exe = tc.compile(network, "brian2", codegen="numpy")
        inputs = {next(iter(exe.graph.inputs)): np.random.default_rng(0).normal(size=(30, 1, 2)) + 1}
        run, expected = exe.run(inputs), interpret(exe.graph, feed(exe.graph, inputs))
        for output, values in expected.outputs.items():
            np.testing.assert_allclose(run[output], values, rtol=1e-12, atol=1e-14)


def test_no_name_of_the_libraries_is_handed_out():
    """The list holds every name of the installed SymPy, Brian2 and Python; units follow a pattern."""
    import sympy
    from brian2 import NeuronGroup, Synapses
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from brian2.units import allunits, stdunits
    from brian2.units.fundamentalunits import Unit

    group = NeuronGroup(1, "v : 1", name="names_of_a_group")
    taken = {
        *dir(sympy),
        *dir(builtins),
        *keyword.kwlist,
        *dir(group),
        *dir(Synapses(group, group)),
        *DEFAULT_FUNCTIONS,
    }
    modules = {name for name in dir(sympy) if isinstance(getattr(sympy, name), types.ModuleType)}
    taken = {name for name in taken - modules if re.fullmatch("[a-zA-Z][a-zA-Z0-9_]*", name)}
    assert len(taken) > 1000 and taken <= RESERVED
    units = {name for module in (allunits, stdunits) for name in dir(module) if isinstance(getattr(module, name), Unit)}
    assert len(units) > 2000
    assert [unit for unit in units if unit not in RESERVED and not UNITS_OF_BRIAN2.fullmatch(unit)] == []
    for name in ("mV", "nampere2", "gamma", "xi", "xi_3", "input"):
        assert Names().variable(name) != name and Names().variable(name) not in BRIAN2


def test_a_readable_name_stays():
    assert [identifier(name) for name in ("hidden", "layer.0.v", "3d", "a__b")] == ["hidden", "layer_0_v", "x3d", "a_b"]
