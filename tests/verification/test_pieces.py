"""``verify(pieces=)``: a target is held to the reference as a session of several calls."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.sim.run import ProgramSession
from thermoc.ir.feed import Feed


def network() -> tc.Network:
    with tc.Network("walk") as net:
        tc.output("y", tc.delay(tc.memory(tc.input("x", (3,)), 0.5, 1.0), 0.0, ticks=2))
    return net


@pytest.mark.parametrize("target", ["sim", "onnx"])
@pytest.mark.parametrize("pieces", [2, 7, 1000])
def test_a_session_in_pieces_is_verified(target: str, pieces: int):
    assert tc.verify(network(), [target], ticks=9, seed=3, pieces=pieces).ok


def test_a_session_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch):
    def advance(self: ProgramSession, feed: Feed, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
        first = {name: np.zeros_like(array) for name, array in self.states.items()}
        self.set_states(first)
        return sound(self, feed, names)

    sound = ProgramSession.advance
    monkeypatch.setattr(ProgramSession, "advance", advance)
    assert tc.verify(network(), ["sim"], ticks=9, seed=3).ok
    assert not tc.verify(network(), ["sim"], ticks=9, seed=3, pieces=3).ok


@pytest.mark.parametrize("pieces", [0, -1, 1.5, True])
def test_pieces_are_a_whole_number(pieces: object):
    with pytest.raises(tc.ThermocError, match="T404"):
        tc.verify(network(), ["sim"], pieces=pieces)  # pyright: ignore[reportArgumentType]
