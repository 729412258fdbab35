"""One name for temperature: every op that takes or gives one calls it T; kT= is taken as the same number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.graph import Graph
from thermoc.ir.handle import Handle
from thermoc.ir.ops import REGISTRY
from thermoc.ir.types import Role


def test_every_temperature_that_an_op_takes_is_called_T():
    names = {
        (op, name)
        for op, cls in REGISTRY.items()
        for name, spec in cls.operand_specs.items()
        if spec.role is Role.temperature
    }
    assert len(names) > 12
    assert {name for _, name in names} <= {"T", "T_ambient", "T_layer", "T_boundary", "initial", "x"}


def memory(x: Handle, **T: float) -> Any:
    return tc.memory(x, gamma=2.0, **T)


@pytest.mark.parametrize("write", [memory, tc.boltzmann, tc.sample_binary])
def test_both_spellings_are_one_network(write: Callable[..., Any]):
    graphs: list[Graph] = []
    for spelling in ("T", "kT"):
        with tc.Network("n", dt=0.1) as net:
            tc.output("y", write(tc.input("x", (3,)), **{spelling: 0.5}))
        graphs.append(net.graph)
    assert graphs[0] == graphs[1] and "kT" not in str(graphs[0])


def test_both_at_once_are_refused():
    with pytest.raises(tc.ThermocError) as caught, tc.Network("n"):
        tc.boltzmann(np.zeros(3), T=0.5, kT=0.5)
    assert caught.value.code == "T111" and "kT" in str(caught.value)
