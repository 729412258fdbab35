"""What the package does at the edges: of Lava's ports and 8-bit fields, of the command line, and of other people's folders."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret

TWICE = 2 * np.eye(2, dtype=int)
X = np.array([[[1, -2]], [[3, 0]], [[-5, 7]], [[2, 2]]])


def twice() -> None:
    y = tc.loihi.dense(tc.input("x", (2,), dtype="i32"), TWICE, message_bits=8)
    tc.output("y", tc.loihi.sigma(tc.loihi.dendrite([y, y])))


def unchanging() -> None:
    tc.output("y", tc.loihi.sigma(tc.input("x", (2,), dtype="i32")))
    tc.output("c", tc.constant(np.array([3, 4])))


def alike() -> None:
    x = tc.input("x", (2,), dtype="i32")
    tc.output("y", tc.loihi.dense(tc.input("out.y", (2,), dtype="i32"), TWICE, message_bits=8))
    tc.output("z", tc.loihi.sigma(x))


def padded() -> None:
    x = tc.reshape(tc.input("x", (2,), dtype="i32"), shape=(1, 1, 2))
    W = np.array([[[[2, -4]]]])
    tc.output("y", tc.loihi.conv(x, W, padding=((0, 0), (130, 130)), message_bits=8))


def made(parts) -> tc.Network:
    with tc.Network("edge") as net:
        parts()
    return net


def agrees(net: tc.Network, inputs: dict[str, np.ndarray]) -> None:
    exe, ticks = tc.compile(net, target="lava"), len(next(iter(inputs.values())))
    found = exe.run(inputs, ticks=ticks)
    expected = interpret(exe.graph, feed(exe.graph, inputs, ticks=ticks))
    for name, array in (expected.outputs | expected.states).items():
        np.testing.assert_array_equal((found.outputs | found.states)[name], array, err_msg=name)
        assert (found.outputs | found.states)[name].dtype == array.dtype


@pytest.mark.parametrize("parts", [twice, unchanging, alike, padded], ids=lambda parts: parts.__name__)
def test_parts_that_lava_does_not_connect_or_hold_by_itself(parts):
    net = made(parts)
    agrees(net, {name: X + place for place, name in enumerate(net.graph.inputs)})


def test_more_samples_than_lava_counts_groups():
    with tc.Network("many") as net:
        x = tc.input("x", (1, 2, 2), dtype="i32")
        tc.output("y", tc.loihi.conv(x, np.array([[[[2, -4], [6, 8]]]]), message_bits=8))
    agrees(net, {"x": np.random.default_rng(1).integers(-9, 9, (3, 130, 1, 2, 2))})


def graded() -> tc.Network:
    with tc.Network("graded") as net:
        x = tc.input("x", (2,), dtype="i32")
        tc.output("y", tc.loihi.graded(tc.loihi.dense(x, TWICE, message_bits=8)))
    return net


@pytest.mark.parametrize("exponents", [{"spike_exp": 2}, {"state_exp": 2}, {"spike_exp": 1, "state_exp": 1}], ids=str)
def test_float_models_hold_the_exponents_of_differences(lava: Path, tmp_path: Path, exponents: dict[str, int]):
    """Whole numbers times 4 lose nothing in any shift, so numbers and integers agree."""
    with tc.Network("differences") as net:
        x = tc.input("x", (2,), dtype="i32")
        tc.output("d", tc.loihi.delta(x, vth=3, **exponents))
        tc.output("s", tc.loihi.sigma_delta(x, bias=2, vth=1, **exponents))
    exe = tc.compile(net, target="lava")
    exe.save(tmp_path / "net.lava")
    given = 4 * np.random.default_rng(5).integers(-9, 9, (8, 1, 2))
    np.savez(tmp_path / "given.npz", x=given)
    arguments = ("--inputs", "given.npz", "--ticks", "8", "--precision", "float", "--outputs", "found.npz")
    done = alone(lava, tmp_path / "net.lava", *arguments)
    assert done.returncode == 0, done.stderr
    expected = interpret(exe.graph, feed(exe.graph, {"x": given}, ticks=8)).outputs
    assert np.unique(expected["s"]).size > 1 and np.unique(expected["d"]).size > 1
    with np.load(tmp_path / "found.npz") as found:
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array, err_msg=name)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    tc.compile(graded(), target="lava").save(tmp_path / "net.lava")
    np.savez(tmp_path / "given.npz", x=X)
    return tmp_path / "net.lava"


def alone(lava: Path, package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a package in a session of its own, and end what is left of it."""
    command = [str(lava), str(package / "run.py"), *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=package.parent, start_new_session=True, **pipes) as process:
        try:
            out, err = process.communicate(timeout=90)
        finally:
            left = _left(process.pid)
    assert not left, "a process of its group was still there"
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _left(group: int, limit: float = 10.0) -> bool:
    """Tell whether a group has processes for so long; end them."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    return True


def test_a_package_that_breaks_by_itself_says_who_and_ends(lava: Path, package: Path):
    file = package / "procs/graded/process.py"
    old = "        z = self.activation(self.a_in.recv())\n"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, f"{old}        raise ValueError('broken on purpose')\n"))
    done = alone(lava, package, "--inputs", "given.npz", "--ticks", "4")
    assert done.returncode == 1
    assert "process 'graded' failed" in done.stderr and "broken on purpose" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--inputs", "halves.npz", "--ticks", "4"), "not made of integers"),
        (("--inputs", "nowhere.npz", "--ticks", "4"), "nowhere.npz is no .npz"),
        (("--inputs", "given.npz", "--ticks", "0"), "at least 1"),
        (("--inputs", "given.npz", "--ticks", "3"), "--ticks 3, x 4"),
    ],
)
def test_a_command_line_that_cannot_be_run_is_refused(lava: Path, package: Path, arguments: tuple[str, ...], said: str):
    np.savez(package.parent / "halves.npz", x=X + 0.5)
    done = alone(lava, package, *arguments)
    assert done.returncode and said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ['{"name": "another kind of manifest"}', "no JSON", "[]"])
def test_a_folder_with_a_manifest_of_another_kind_is_left_alone(tmp_path: Path, text: str):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/manifest.json").write_text(text)
    (tmp_path / "mine/notes.txt").write_text("keep")
    with pytest.raises(tc.ThermocError, match="no Lava package"):
        tc.compile(graded(), target="lava").save(tmp_path / "mine")
    assert (tmp_path / "mine/notes.txt").read_text() == "keep"


def test_a_package_is_replaced_unless_something_else_lies_in_it(package: Path):
    tc.compile(graded(), target="lava").save(package)
    (package / "results.npz").write_text("mine")
    with pytest.raises(tc.ThermocError, match=r"it holds results\.npz"):
        tc.compile(graded(), target="lava").save(package)
    assert (package / "results.npz").read_text() == "mine" and (package / "build.py").is_file()
    assert sorted(path.name for path in package.parent.iterdir()) == ["given.npz", "net.lava"]


def test_a_message_of_more_than_24_bits_is_refused():
    """Lava adds in 32 bits, and was chosen for messages that leave room there."""
    with tc.Network("wide") as net:
        x = tc.input("x", (2,), dtype="i32")
        tc.output("y", tc.loihi.dense(x, np.array([[100, 100]]), weight_exp=-4, message_bits=24))
    exe = tc.compile(net, target="lava")
    with pytest.raises(tc.ThermocError, match="'x' is too large to be sent") as caught:
        exe.run({"x": np.full((1, 2), 2**23)}, ticks=2)
    assert caught.value.code == "T403"
    assert exe.run({"x": np.full((1, 2), 2**23 - 1)}, ticks=2)["y"].ravel().tolist() == [0, 100 * 2 * (2**23 - 1) >> 4]
