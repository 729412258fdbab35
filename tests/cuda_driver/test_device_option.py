"""The device that a user asks for: where it is said, what it is recorded as, what comes of one that is not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sessions.drifting import drift
from typer.testing import CliRunner

import thermoc as tc
from thermoc.cli.main import app
from thermoc.simulator import processors
from thermoc.simulator.cuda import gpu as this_gpu
from thermoc.support import notices
from thermoc.support.errors import ThermocError, error


class SpyGpu(processors.Cpu):
    """The CPU in the place of a GPU: what it is asked for."""

    started = 0

    def states(self, program: Any, batch: int) -> Any:
        SpyGpu.started += 1
        return super().states(program, batch)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> type[SpyGpu]:
    """A GPU of 1 MiB."""
    SpyGpu.started = 0
    monkeypatch.setattr(processors, "Gpu", SpyGpu)
    monkeypatch.setattr(this_gpu, "device", lambda: SimpleNamespace(name="Spy", memory=2**20))
    return SpyGpu


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def device() -> None:
        raise error("T421", "no program can run on a GPU: NVIDIA's driver is not installed")

    monkeypatch.setattr(this_gpu, "device", device)


def raised(act: Callable[[], Any]) -> str:
    with pytest.raises(ThermocError) as caught:
        act()
    return str(caught.value)


def test_an_unknown_device_is_refused():
    text = raised(lambda: tc.compile(drift(), device="gpu"))
    assert text.startswith("T303: device must be one of cpu, cuda, auto")
    assert "T303" in raised(lambda: tc.compile(drift(), "sim:gpu"))


def test_a_target_without_devices_says_which_has_them():
    assert "'sim'" in raised(lambda: tc.compile(drift(), "onnx:cuda"))


def test_two_devices_are_refused():
    assert raised(lambda: tc.compile(drift(), "sim:cuda", device="cpu")).startswith("T303: two devices")


def test_a_run_says_where_it_was(gpu: type[SpyGpu]):
    run = tc.compile(drift(), device="cuda").run(ticks=2)
    assert gpu.started == 1
    assert json.loads(run.provenance["options"])["device"] == "cuda"


def test_without_a_gpu_a_run_on_one_is_an_error(no_gpu: None):
    assert raised(lambda: tc.compile(drift(), device="cuda").run(ticks=2)).startswith("T421")


def test_auto_takes_the_gpu(gpu: type[SpyGpu]):
    assert tc.compile(drift(), device="auto").options.device == "cuda"


def test_auto_takes_the_cpu_where_there_is_no_gpu_and_says_so(no_gpu: None, monkeypatch: pytest.MonkeyPatch):
    told = list[str]()
    monkeypatch.setattr(notices, "notify", told.append)
    assert tc.compile(drift(), device="auto").options.device == "cpu"
    assert told == ["thermoc: on the CPU: no program can run on a GPU: NVIDIA's driver is not installed"]


def test_verify_takes_a_device_behind_the_target(gpu: type[SpyGpu]):
    verified = tc.verify(drift(), ["sim", "sim:cuda"], ticks=3)
    assert verified.ok
    assert gpu.started == 1
    assert {row.target for row in verified.rows} == {"sim", "sim:cuda"}


def test_a_checkpoint_goes_on_on_another_device(gpu: type[SpyGpu], tmp_path: Path):
    exe = tc.compile(drift(), device="cuda")
    whole = exe.run(ticks=20, seed=3)
    with exe.start(seed=3) as session:
        session.run(8)
        session.save(tmp_path / "a")
    gpu.started = 0
    on_cpu = tc.compile(drift())
    for session in (tc.Session.load(tmp_path / "a", device="cpu"), on_cpu.load_session(tmp_path / "a")):
        assert np.array_equal(session.run(12)["x"], whole["x"][8:])
    assert gpu.started == 0
    assert np.array_equal(tc.Session.load(tmp_path / "a").run(12)["x"], whole["x"][8:])
    assert gpu.started == 1


def test_the_memory_of_a_gpu_is_foretold(gpu: type[SpyGpu]):
    exe = tc.compile(drift(), device="cuda")
    little, much = exe.memory(ticks=5, batch=2).device, exe.memory(ticks=5, batch=4).device
    assert little is not None
    assert much is not None
    assert (much.network, much.samples) == (little.network, 2 * little.samples)
    assert "memory of Spy" in str(exe.memory(ticks=5))
    text = raised(lambda: exe.run(ticks=1, batch=10**5, record={}))
    assert text.startswith("T408: a run of 'drift' does not fit in the GPU's memory")
    assert "Spy has 1 MiB" in text
    samples = int(text.split("split the batch: ")[1].split()[0])
    exe.run(ticks=1, batch=samples, record={})


def test_commands_take_a_device(gpu: type[SpyGpu], tmp_path: Path):
    model = tmp_path / "net.thermo"
    drift().save(model)
    run = CliRunner().invoke(app, ["run", str(model), "--ticks", "4", "--device", "cuda", "--json"])
    assert run.exit_code == 0, run.output
    assert gpu.started == 1
    verify = ["verify", str(model), "--ticks", "4", "--targets", "sim,sim:cuda", "-O", "sim:cuda.precision=float64"]
    assert CliRunner().invoke(app, verify).exit_code == 0
    dry = CliRunner().invoke(app, ["run", str(model), "--ticks", "4", "--device", "cuda", "--dry-run", "--json"])
    assert json.loads(dry.stdout)["gpu"]["name"] == "Spy"
