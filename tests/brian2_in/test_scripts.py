"""Scripts are executed up to their first run, which is read and not run; the command line takes them too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("brian2")
import brian2
from typer.testing import CliRunner

import thermoc as tc
from thermoc.cli.main import app

pytestmark = pytest.mark.brian2

SCRIPT = """
from brian2 import *
set_device("cpp_standalone")
defaultclock.dt = 0.2*ms
tau = 10*ms
G = NeuronGroup(3, "dv/dt = (2 - v)/tau : 1", threshold="v > 1", reset="v = 0", method="exact")
G.v = "0.2*i"
M = SpikeMonitor(G)
"""
MAGIC = SCRIPT + "print('built')\nrun(30*ms)\nraise SystemError('after the run')\n"
NAMED = SCRIPT + "net = Network(G, M)\n\ndef go():\n    tau = 5*ms\n    net.run(20*ms)\n\ngo()\n"


def written(folder: Path, text: str) -> str:
    """Return the path of a script."""
    path = folder / "model.py"
    path.write_text(text)
    return str(path)


def test_the_first_run_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Objects of a script without a network, its step, its duration; what stands after the run never happens."""
    before = brian2.defaultclock.dt
    net = tc.load(written(tmp_path, MAGIC), format="brian2")
    assert net.graph.dt == 2e-4 and net.ticks == 150 and list(net.graph.outputs) == ["M"]
    assert any("set_device" in repair.what for repair in net.repairs)
    assert brian2.defaultclock.dt == before and "built" in capfd.readouterr().err
    assert tc.compile(net, "sim").run({}, ticks=net.ticks)["M"].sum() > 0


def test_a_network_by_its_name(tmp_path: Path):
    """``script.py:net``, with the names known where it is run."""
    net = tc.load(written(tmp_path, NAMED) + ":net", format="brian2")
    assert net.ticks == 100
    # Of the function's tau, 5 ms: 2 (1 - exp(-t / tau)) passes 1 after 3.5 ms.
    spikes = tc.compile(net, "sim").run({}, ticks=100)["M"][:, 0, 0]
    assert np.flatnonzero(spikes)[0] == 17


def test_a_network_that_is_never_run(tmp_path: Path):
    """It is read as it stands at the end; then nothing says for how long."""
    path = written(tmp_path, SCRIPT + "net = Network(G, M)\n")
    assert tc.load(f"{path}:net", format="brian2").ticks is None


@pytest.mark.parametrize(
    ("text", "name", "code", "words"),
    [
        (SCRIPT, "", "T506", "runs no network"),
        (NAMED, ":other", "T506", "before 'other'"),
        (SCRIPT + "x = 1\n", ":x", "T506", "no network 'x'"),
        (SCRIPT + "1/0\n", "", "T524", "model.py:9"),
        ("from brian2 import\n", "", "T524", "model.py"),
    ],
)
def test_a_script_that_fails(tmp_path: Path, text: str, name: str, code: str, words: str):
    """The error names the script and its line."""
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(written(tmp_path, text) + name, format="brian2")
    assert caught.value.code == code and words in str(caught.value)


def test_a_script_is_never_executed_by_its_suffix(tmp_path: Path):
    """Without the format's name it is refused unread; so is a format that there is not, and an option it has not."""
    path = written(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    for options in ({}, {"format": "pynn"}, {"format": "brian2", "dt": 1.0}):
        with pytest.raises(tc.ThermocError):
            tc.load(path, **options)
    assert not (tmp_path / "ran").exists()


def test_commands_take_a_script(tmp_path: Path):
    """``thermoc run script.py -R format=brian2`` runs it for as long as the script would."""
    path, out = written(tmp_path, MAGIC), tmp_path / "run.npz"
    result = CliRunner().invoke(app, ["run", path, "-R", "format=brian2", "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert np.load(out)["M"].shape == (150, 1, 3)
    shown = CliRunner().invoke(app, ["show", f"{written(tmp_path, NAMED)}:net", "-R", "format=brian2"])
    assert shown.exit_code == 0 and "core.delay" in shown.output
    refused = CliRunner().invoke(app, ["show", path])
    assert refused.exit_code == 1 and "format=brian2" in str(refused.exception)
