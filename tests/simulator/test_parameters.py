"""Parameters on the simulator: the bits of constants, also after they were replaced; nothing is compiled for that."""

from __future__ import annotations

import pytest
from cases import BATCH, SEED, TICKS, inputs, network, variants

import thermoc as tc
from thermoc.ir.dialects.core import Constant, Parameter
from thermoc.ir.graph import Graph
from thermoc.ir.parameters import frozen
from thermoc.support.errors import ThermocError


def parameterised(graph: Graph) -> Graph:
    """Return the graph with every constant of floats as a parameter."""
    return graph.with_ops(
        Parameter(name=op.y.name, value=op.value, role=op.role, y=op.y, location=op.location)
        if isinstance(op, Constant) and op.y.dtype.is_float
        else op
        for op in graph.ops
    )


def same(a: tc.Run, b: tc.Run) -> None:
    for arrays, others in ((a.outputs, b.outputs), (a.states, b.states)):
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            assert array.tobytes() == others[name].tobytes(), name


@pytest.mark.parametrize("case, varying, precision", variants())
def test_bits_of_constants(case: str, varying: str, precision: str):
    """Parameters, and parameters replaced by numbers 1/8 larger, give what the same constants give."""
    net = tc.Network.of(parameterised(network(case, varying).graph))
    given = {"inputs": inputs(net), "ticks": TICKS, "batch": BATCH, "seed": SEED}
    exe = tc.compile(net, "sim", precision=precision)
    same(exe.run(**given), tc.compile(frozen(net.graph), "sim", precision=precision).run(**given))
    for factor in (1.125, 0.9):
        try:
            changed = {
                name: exe.parameters[name] * factor for name in exe.parameters if name not in exe.frozen_parameters
            }
            other = net.with_parameters(changed)
        except ThermocError as problem:  # some numbers must be what they are
            assert problem.code != "T418"
            continue
        expected = tc.compile(frozen(other.graph), "sim", precision=precision).run(**given)
        same(exe.run(**given, parameters=changed), expected)
