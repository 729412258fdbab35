"""The code generator is chosen by the work, and a long run is announced."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.brian2 import run as running
from thermoc.backends.brian2.run import loaded


def dense(layers: int, units: int) -> tc.Executable:
    rng = np.random.default_rng(0)
    with tc.Network("dense") as net:
        y = tc.input("x", (units,))
        for _ in range(layers):
            y = tc.tanh(tc.affine(y, rng.normal(size=(units, units)) / units))
        tc.output("y", y)
    return tc.compile(net, "brian2")


def test_the_code_generator_follows_from_the_work_of_a_tick():
    """It does not depend on how many there are: pieces of a run are its bits."""
    small, wide = loaded(dense(2, 4).artefact), loaded(dense(2, 300).artefact)
    assert small.codegen_for(1) == "numpy" and small.codegen_for(10**6) == "cython"
    assert wide.codegen_for(1) == "numpy" and wide.codegen_for(100) == "cython"


def test_the_estimate_counts_pieces_of_code_and_elements():
    """Two layers of 4: an input, two times synapses and a statement, a record; 16 synapses and 4 units each."""
    module = loaded(dense(2, 4).artefact)
    pieces, elements = module.WORK
    assert pieces == 6 and elements == 4 + 2 * (16 + 4) + 4
    seconds = module.estimated_seconds(10, 3)
    assert seconds["numpy"] == pytest.approx(10 * (25e-6 * 6 + 16e-9 * 48 * 3))
    assert seconds["cython"] == pytest.approx(10 * (10e-6 * 6 + 4e-9 * 48 * 3) + 15)


def test_without_a_compiler_it_is_numpy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    exe = dense(1, 4)
    module = loaded(exe.artefact)
    assert module.codegen_for(10**9) == "numpy"
    monkeypatch.setattr(module, "estimated_seconds", lambda ticks, batch: {"numpy": 9.0, "cython": 1.0})
    with pytest.warns(UserWarning, match="no C\\+\\+ compiler"):
        exe.run({"x": np.ones((1, 4))}, ticks=2)


def test_what_compiles_for_long_is_announced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(running, "LONG", 0.0)
    artefact = dense(1, 4).artefact
    module = loaded(artefact)
    running.code_generator_of(artefact, module, 1)
    assert "compiles" not in capsys.readouterr().err
    monkeypatch.setattr(module, "estimated_seconds", lambda ticks, batch: {"numpy": 9.0, "cython": 1.0})
    monkeypatch.setattr(running, "compiler", lambda: "g++")
    assert running.code_generator_of(artefact, module, 1) == "cython"
    assert "Brian2 compiles with Cython: about 10 s, once" in capsys.readouterr().err
