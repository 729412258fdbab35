"""What Brian2 cannot hold, what is missing, and what is interrupted: each says so, and leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.brian2 import run as running
from thermoc.backends.brian2 import standalone


def test_a_delay_of_numbers_that_is_too_long_names_its_limit():
    with tc.Network("long") as net:
        tc.output("y", tc.delay(tc.input("x", (2,)), ticks=65))
    with pytest.raises(tc.ThermocError, match="65 ticks, at most 64 for numbers") as caught:
        _ = tc.compile(net, "brian2").artefact
    assert caught.value.code == "T301"


def test_spikes_may_be_delayed_for_as_long_as_one_likes():
    with tc.Network("long") as net:
        s = tc.threshold(tc.input("x", (2,)))
        tc.output("y", tc.affine(tc.delay(s, ticks=500), np.eye(2)))
    x = np.zeros((502, 1, 2))
    x[1, 0, 1] = 2
    run = tc.compile(net, "brian2", codegen="numpy").run({"x": x})
    assert np.argwhere(run["y"]).tolist() == [[501, 0, 1]]


def test_a_refractory_time_that_is_no_multiple_of_dt_is_refused():
    with tc.Network("odd", dt=0.3) as net:
        tc.output("s", tc.lif(tc.input("x", (2,)), 1.0, refractory=1.0)[0])
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net, "brian2")
    assert caught.value.code == "T204"


def test_an_empty_value_is_refused():
    with tc.Network("empty") as net:
        tc.output("y", tc.exp(tc.input("x", (0,))))
    with pytest.raises(tc.ThermocError, match="no elements"):
        _ = tc.compile(net, "brian2").artefact


@pytest.mark.parametrize(
    ("option", "value"),
    [("device", "gpu"), ("codegen", "c"), ("noise", "xi"), ("coding", "latency"), ("time_unit", "h")],
)
def test_options_are_checked(option: str, value: str):
    with tc.Network("n") as net:
        tc.output("y", tc.input("x", (1,)))
    with pytest.raises(tc.ThermocError, match=f"no such {option}"):
        tc.compile(net, "brian2", **{option: value})


def test_a_script_is_not_saved_over_its_own_arrays(tmp_path: Path):
    with pytest.raises(tc.ThermocError, match="cannot be called"):
        tc.compile(tiny(), "brian2").save(tmp_path / "net.npz")
    assert not list(tmp_path.iterdir())


def tiny() -> tc.Network:
    with tc.Network("tiny") as net:
        tc.output("y", 2 * tc.input("x", (1,)))
    return net


def test_without_a_compiler_numpy_runs_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "compiler", lambda: None)
    module = running.loaded((exe := tc.compile(tiny(), "brian2")).artefact)
    monkeypatch.setattr(module, "estimated_seconds", lambda ticks, batch: {"numpy": 2.0, "cython": 1.0})
    with pytest.warns(UserWarning, match="no C\\+\\+ compiler was found"):
        run = exe.run({"x": [[1.5]]})
    assert run["y"].item() == 3.0


@pytest.mark.parametrize("options", [{"device": "cpp_standalone"}, {"codegen": "cython"}])
def test_without_a_compiler_what_needs_one_is_refused(options: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "compiler", lambda: None)
    monkeypatch.setattr(standalone, "compiler", lambda: None)
    with pytest.raises(tc.ThermocError, match="needs a C\\+\\+ compiler") as caught:
        tc.compile(tiny(), "brian2", **options).run({"x": [[1.5]]})
    assert caught.value.code == "T302"


def test_a_build_that_is_interrupted_leaves_no_folder(monkeypatch: pytest.MonkeyPatch):
    from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

    def interrupt(*args, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(CPPStandaloneDevice, "compile_source", interrupt)
    before = set(Path(tempfile.gettempdir()).glob("thermoc-brian2-*"))
    with pytest.raises(KeyboardInterrupt):
        tc.compile(tiny(), "brian2", device="cpp_standalone").run({"x": [[1.0]]})
    assert set(Path(tempfile.gettempdir()).glob("thermoc-brian2-*")) == before
    assert tc.compile(tiny(), "brian2", codegen="numpy").run({"x": [[1.0]]})["y"].item() == 2  # Brian2 still works
