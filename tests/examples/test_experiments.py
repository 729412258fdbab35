"""The examples of policies, quantum heat and non-equilibrium, with fewer samples: their own checks hold and figures come."""

import functools
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **smaller: Any) -> None:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    example: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    for constant, value in smaller.items():
        assert hasattr(example, constant)
        setattr(example, constant, value)
    monkeypatch.setattr("sys.argv", [name, str(tmp_path / "figure.png")])
    example.main()
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_works_of_driven_networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    run("fluctuation_theorems", monkeypatch, tmp_path, SAMPLES=5000)


def test_cartpole_is_solved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pytest.importorskip("gymnasium")
    run("cartpole", monkeypatch, tmp_path, SEEDS=(3,))


def test_qubits_in_baths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pytest.importorskip("qutip")
    run("quantum_heat", monkeypatch, tmp_path, DURATIONS=(1.0, 10.0, 300.0), RESET_STEPS=300)


def test_the_dynamic_exponent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    run("critical_dynamics", monkeypatch, tmp_path, SIDE=128, SAMPLES=256, SWEEPS=(10, 200))


def test_avalanches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from thermoc.apps.nonequilibrium.avalanches import neuristor_spikes

    shorter = functools.partial(neuristor_spikes, duration=100e-6)
    run("neuristor_avalanches", monkeypatch, tmp_path, SEEDS=(0,), neuristor_spikes=shorter)


@pytest.mark.brian2
def test_ordinary_and_thermodynamic_layers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    run("hybrid", monkeypatch, tmp_path, TICKS=20)
