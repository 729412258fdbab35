"""Where there is no Python 3.10, Lava runs in an environment of the running Python, bit for bit alike."""

import sys

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.lava import interpreter
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.support.files import cache_root


def test_lava_runs_in_the_running_python(monkeypatch: pytest.MonkeyPatch):
    """A convolution: of all processes it asks most of NumPy."""
    monkeypatch.setenv("THERMOC_CACHE", str(cache_root() / "fallback"))  # kept between runs, like the other
    monkeypatch.setenv("THERMOC_LAVA", str(interpreter.install(base=sys.executable)))
    with tc.Network("conv") as net:
        x = tc.input("x", (2, 3, 3), dtype="i32")
        y = tc.loihi.conv(x, 2 * np.arange(-8, 8).reshape(2, 2, 2, 2), message_bits=8)
        tc.output("s", tc.loihi.lif(y, vth=3)[0])
    exe, given = tc.compile(net, target="lava"), {"x": np.random.default_rng(2).integers(-9, 9, (5, 2, 2, 3, 3))}
    found, expected = exe.run(given, ticks=5), interpret(exe.graph, feed(exe.graph, given, ticks=5))
    assert 0 < expected.outputs["s"].mean() < 1
    for name, array in (expected.outputs | expected.states).items():
        np.testing.assert_array_equal((found.outputs | found.states)[name], array, err_msg=name)
