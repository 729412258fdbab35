"""A run that does not fit in memory is refused before it starts, with how much of how much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.support import memory
from thermoc.support.errors import ThermocError


def network() -> tc.Network:
    with tc.Network("wide") as net:
        tc.output("y", 2.0 * tc.input("x", (1000,)))
    return net


@pytest.mark.parametrize("target", ["sim", "onnx", "brian2"])
def test_every_target_refuses_what_does_not_fit(target: str):
    with tc.Network("noise") as net:
        tc.output("s", tc.gibbs(T=1.0, J=np.zeros((1000, 1000))))
    with pytest.raises(ThermocError) as caught:
        tc.compile(net, target).run(ticks=2**31, batch=1)
    assert caught.value.code == "T408"
    # 2^31 ticks of 1000 units of 8 bytes, on onnx of 4
    assert ("7.813 TiB" if target == "onnx" else "15.63 TiB") in str(caught.value)


def test_the_reference_refuses_it_too():
    from thermoc.ir.feed import feed

    with pytest.raises(ThermocError, match="T408"):
        feed(network().graph, {"x": np.zeros((1, 1000))}, ticks=2**32)


def test_what_fits_is_counted_to_the_byte():
    exe = tc.compile(network())
    inputs = {"x": np.zeros((3, 2, 1000))}
    need = exe.memory(inputs).total
    # 3 ticks of 2 samples: what is recorded, outputs and inputs that change on their way; a chunk is one tick
    exe.run(inputs, max_memory=need)
    with pytest.raises(ThermocError, match="T408"):
        exe.run(inputs, max_memory=8 * 2 * 3000 - 1)


def test_a_system_that_does_not_tell_refuses_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "available", lambda: None)
    assert tc.compile(network()).run({"x": np.zeros((1, 1000))})["y"].shape == (1, 1, 1000)


def test_the_limit_of_a_container_counts(tmp_path: Path):
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("600000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100000\n")
    assert memory.available(tmp_path) == 500_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available(tmp_path) != 500_000


def test_the_first_version_of_control_groups_counts(tmp_path: Path):
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("1000000\n")
    (tmp_path / "memory" / "memory.usage_in_bytes").write_text("400000\n")
    assert memory.available(tmp_path) == 600_000
