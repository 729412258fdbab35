"""Loihi's units written a second time, one number at a time in Python's own integers, and how to run a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.handle import Handle
from thermoc.ir.reference import ReferenceTrace, interpret


def fade(x: int, keep: int) -> int:
    """Keep keep / 4096 of a number, what is left over dropped towards 0."""
    return x * keep // 4096 if x >= 0 else -(-x * keep // 4096)


def lif(
    given: Iterable[int],
    *,
    du: int,
    dv: int,
    vth: int,
    bias: int = 0,
    u: int = 0,
    v: int = 0,
    at_least: bool = False,
    subtract: bool = False,
) -> list[tuple[int, int, int]]:
    """Return (s, v, u) of each tick of one unit."""
    found = []
    for a in given:
        u = fade(u, 4095 - du) + 64 * a
        while u > 2**23:
            u -= 2**24
        while u <= -(2**23):
            u += 2**24
        v = fade(v, 4096 - dv) + u + bias
        v = 2**23 - 1 if v >= 2**23 else -(2**23) + 1 if v <= -(2**23) else v
        top = 64 * vth
        fires = v >= top if at_least else v > top
        if fires:
            v = v - top if subtract else 0
        found.append((int(fires), v, u))
    return found


def sigma_delta(
    given: Iterable[int], *, vth: int, bias: int, relu: bool, spike_exp: int, state_exp: int, cum_error: bool
) -> list[int]:
    """Return what one unit sends in each tick."""
    scale, total, before, left, error, sent = 2 ** (spike_exp + state_exp), 0, 0, 0, 0, []
    for a in given:
        total += a
        now = total + bias * scale
        now = 0 if relu and now < 0 else now
        change = now - before + left
        error += change
        sends = abs(error if cum_error else change) >= vth * scale
        out = change if sends else 0
        error = 0 if out else error
        before, left = now, change - out
        sent.append(out // 2**state_exp)
    return sent


def reference(net: tc.Network, inputs: dict[str, NDArray], **place: Any) -> ReferenceTrace:
    """Run the reference; inputs (ticks, batch, *shape)."""
    return interpret(net.graph, feed(net.graph, inputs), **place)


def run(make: Callable[[Handle], Any], x: Any, **place: Any) -> list[NDArray]:
    """Run the reference of a network of one integer input (ticks, units), one sample; return its outputs."""
    x = np.asarray(x)
    with tc.Network("one") as net:
        made = make(tc.input("x", x.shape[1:], dtype="i32"))
        made = made if isinstance(made, tuple) else (made,)
        for number, handle in enumerate(made):
            tc.output(f"y{number}", handle)
    trace = reference(net, {"x": x[:, np.newaxis]}, **place)
    return [trace.outputs[f"y{number}"][:, 0] for number in range(len(made))]
