"""A file is written only under a suffix that says what is in it; others are refused with the right verb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.support.errors import ThermocError


@pytest.fixture
def net() -> tc.Network:
    with tc.Network("n") as net:
        tc.output("y", tc.affine(tc.input("x", (2,)), np.eye(2)))
    return net


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("m.onnx", "tc.compile(net, 'onnx').save('m.onnx')"),
        ("m.py", "tc.compile(net, 'brian2').save('m.py')"),
        ("m.lava", "tc.compile(net, 'lava').save('m.lava')"),
        ("m.program", "tc.compile(net, 'sim').save('m.program')"),
        ("m.net", ".net is read, not written"),
        ("m.thermos", "m.thermo"),
        ("m", "m.thermo"),
    ],
)
def test_a_network_is_saved_only_as_a_network(net: tc.Network, name: str, cure: str, tmp_path: Path):
    with pytest.raises(ThermocError) as caught:
        net.save(tmp_path / name)
    assert caught.value.code == "T506" and cure in str(caught.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("target", "name"), [("sim", "m.thermo"), ("onnx", "m.nir"), ("sim", "m.onnx")])
def test_an_artefact_is_saved_only_as_itself(net: tc.Network, target: str, name: str, tmp_path: Path):
    with pytest.raises(ThermocError) as caught:
        tc.compile(net, target).save(tmp_path / name)
    assert caught.value.code == "T506" and not list(tmp_path.iterdir())


def test_the_case_of_a_suffix_does_not_matter(net: tc.Network, tmp_path: Path):
    net.save(tmp_path / "M.THERMO")
    assert tc.load(tmp_path / "M.THERMO").graph == net.graph


def test_an_artefact_is_not_loaded_as_a_network(tmp_path: Path):
    with pytest.raises(ThermocError) as caught:
        tc.load(tmp_path / "m.program")
    assert caught.value.code == "T506" and "load the network that it was compiled from" in str(caught.value)
