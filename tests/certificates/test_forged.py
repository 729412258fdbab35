"""Certificates forged by somebody who makes the digest anew: none passes, whatever was changed."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.certificates import recheck
from thermoc.certificates.document import digest
from thermoc.ir.serial import graph_bytes
from thermoc.support.arrays import npz_bytes

Document = dict[str, Any]


def network(T: float = 0.7) -> tc.Network:
    with tc.Network("memory", dt=0.3) as net:
        tc.output("m", tc.memory(tc.input("x", (2,)), T, 1.3))
        tc.output("T", tc.heat_network(0.0, [1.0, 2.0], [[0, 1.0], [1.0, 0]], 1.5, 0.3, 1.0)[0])
    return net


@pytest.fixture(scope="module")
def genuine() -> Document:
    exe = tc.compile(network(), "sim")
    return dict(tc.certify(exe.run({"x": np.ones((4, 2))}, ticks=40, seed=3)).document)


def model(net: tc.Network) -> str:
    return base64.b64encode(graph_bytes(net.graph)).decode()


def arrays(**named: Any) -> str:
    return base64.b64encode(npz_bytes(named)).decode()


def field(name: str, value: Any) -> Callable[[Document], Any]:
    return lambda document: document.__setitem__(name, value)


def law(index: int, name: str, value: Any) -> Callable[[Document], Any]:
    def forge(document: Document) -> None:
        document["laws"][index][name] = value
        document["laws"][index]["holds"] = True

    return forge


def option(name: str, value: Any) -> Callable[[Document], Any]:
    return lambda document: document["options"].__setitem__(name, value)


def replay(name: str, value: Any) -> Callable[[Document], Any]:
    return lambda document: document["replay"].__setitem__(name, value)


def without(name: str) -> Callable[[Document], Any]:
    return lambda document: document.pop(name)


FORGERIES: dict[str, Callable[[Document], Any]] = {
    "no replay": field("replay", None),
    "an empty replay": field("replay", {}),
    "a bound of its own": law(1, "bound", 1e9),
    "a bound slightly wider": lambda d: d["laws"][2].__setitem__("bound", d["laws"][2]["bound"] * 1.0001),
    "a bound slightly narrower": lambda d: d["laws"][2].__setitem__("bound", d["laws"][2]["bound"] * 0.9999),
    "an infinite bound": law(1, "bound", "inf"),
    "a bound that is text": law(1, "bound", "1e9"),
    "a measurement": law(2, "measured", 0.0),
    "what is expected": law(2, "expected", 1e-3),
    "a side": law(2, "side", "above"),
    "more samples": law(2, "samples", 10**6),
    "another statement": law(2, "statement", "energy is conserved"),
    "another op": law(2, "op", "thermo.memory %y"),
    "another law": law(2, "law", "P99"),
    "details": law(1, "details", {"z": 1.0}),
    "a law left out": lambda d: d["laws"].pop(),
    "no laws": field("laws", []),
    "a law twice": lambda d: d["laws"].append(d["laws"][-1]),
    "laws in another order": lambda d: d["laws"].reverse(),
    "a law made up": lambda d: d["laws"].append({**d["laws"][0], "statement": "all is well"}),
    "a verdict": lambda d: d["laws"][0].__setitem__("holds", False),
    "the verdict": lambda d: d.__setitem__("holds", not d["holds"]),
    "the network's name": field("network", "another"),
    "the target": field("target", "onnx"),
    "a target that is none": field("target", "abacus"),
    "the time step": field("dt", 0.4),
    "the seed": field("seed", 4),
    "fewer ticks": field("ticks", 39),
    "endless ticks": field("ticks", 10**12),
    "negative ticks": field("ticks", -1),
    "endless samples": field("batch", 10**12),
    "other samples": field("first_sample", 1),
    "other ticks": field("first_tick", 1),
    "a shorter warm-up": field("warmup", 9),
    "a warm-up past the end": field("warmup", 10**9),
    "the network's hash": field("graph_sha256", "0" * 64),
    "the inputs' hash": field("inputs_sha256", "0" * 64),
    "the result's hash": field("result_sha256", "0" * 64),
    "something skipped": field("skipped", [{"op": "a", "law": "", "reason": "b"}]),
    "no convergence": field("convergence", {}),
    "the version": field("thermoc", "0.0.0"),
    "a field too many": field("approved", True),
    "a field too few": without("warmup"),
    "a network of another temperature": replay("graph", model(network(0.6))),
    "a network that is none": replay("graph", "AAAA"),
    "inputs of another value": replay("inputs", arrays(x=np.zeros((4, 2)))),
    "inputs of another name": replay("inputs", arrays(z=np.ones((4, 2)))),
    "inputs that are none": replay("inputs", "!"),
    "a precision": option("precision", "float32"),
    "a folder to write to": option("dump_ir", "DUMP"),
    "a chip that is a file": option("chip", "/etc/passwd.toml"),
    "a chip in another folder": option("chip", "../secret"),
    "samples to calibrate on": option("calibrate", {"x": [[1.0, 1.0]]}),
    "threads without end": option("threads", 10**9),
    "a chance": law(2, "p", 0.9),
    "a level": law(2, "level", 1e-300),
    "a power": law(2, "bias", 1e-9),
    "a run that is long enough": lambda d: d["laws"][1].__setitem__("needed", None),
    "a control": lambda d: d["controls"][0].__setitem__("caught", "it was"),
    "a control left out": lambda d: d["controls"].pop(),
    "a rate at which nothing fails": field("false_alarms", 1e-300),
    "a rate slightly lower": field("false_alarms", 0.9e-4),
    "a resolution at which all is told": field("resolution", 1e9),
    "the level": field("level", 1e-3),
    "the verdict in words": field("verdict", "fails"),
    "an older version": field("version", 1),
    "a version to come": field("version", 3),
    "a signature that is none": field("signature", {"key": "AAAA", "signature": "AAAA"}),
}


def saved(document: Document, path: Path) -> Path:
    path.write_text(json.dumps({**document, "sha256": digest(document)}))
    return path


def test_the_genuine_one_passes(genuine: Document, tmp_path: Path):
    assert recheck(saved(genuine, tmp_path / "c.json")).document["laws"] == genuine["laws"]


@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_passes(genuine: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    document = copy.deepcopy(genuine)
    FORGERIES[name](document)
    saved(document, tmp_path / "c.json")
    with pytest.raises(tc.ThermocError) as caught:
        recheck(tmp_path / "c.json")
    assert caught.value.code in {"T302", "T401", "T404", "T407", "T502", "T503"}
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]


def test_there_are_fifty():
    assert len(FORGERIES) >= 50


@pytest.mark.slow
def test_without_a_replay_the_command_says_so_and_fails(genuine: Document, tmp_path: Path):
    path = saved({**genuine, "replay": None}, tmp_path / "c.json")
    done = subprocess.run([sys.executable, "-m", "thermoc", "certify", str(path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "not re-checked" in done.stderr
    assert "laws hold" not in done.stdout


def test_a_run_too_long_is_repeated_on_request(genuine: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from thermoc.certificates import replay as module

    monkeypatch.setattr(module, "MOST_NUMBERS", 100)
    path = saved(genuine, tmp_path / "c.json")
    with pytest.raises(tc.ThermocError, match=r"(?s)T407.*not re-checked.*--large"):
        recheck(path)
    assert recheck(path, large=True).laws


@pytest.mark.parametrize("options", [{"chip": "thermo-1"}, {"precision": "float32"}, {"threads": 1}])
def test_options_that_change_a_run_are_repeated(tmp_path: Path, options: dict[str, Any]):
    with tc.Network("small") as net:
        tc.output("m", tc.memory(np.array([0.0, 0.5]), 0.7, 1.3))
    target = "chip" if "chip" in options else "sim"
    certificate = tc.certify(tc.compile(net, target, **options).run(ticks=30, batch=4, seed=1))
    certificate.save(tmp_path / "c.json")
    assert certificate.document["options"].get("threads") is None
    recheck(tmp_path / "c.json")


def test_a_chip_of_the_users_own_is_not_opened_again(tmp_path: Path):
    from thermoc.simulator.chips import chip

    source = Path(chip.__file__).with_name("thermo-1.toml").read_text()
    (tmp_path / "mine.toml").write_text(source)
    with tc.Network("small") as net:
        tc.output("m", tc.memory(np.array([0.0, 0.5]), 0.7, 1.3))
    exe = tc.compile(net, "chip", chip=str(tmp_path / "mine.toml"))
    document = tc.certify(exe.run(ticks=30, batch=4, seed=1)).document
    assert document["replay"] is None
    assert document["options"]["chip"] == "mine.toml"
    assert str(tmp_path) not in json.dumps(document)
