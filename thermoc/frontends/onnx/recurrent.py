"""RNN, GRU and LSTM: a step for each place of the sequence, whose length is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thermoc.frontends.onnx import axes, rounding, special
from thermoc.frontends.onnx.linear import product
from thermoc.frontends.onnx.logic import chosen
from thermoc.frontends.onnx.operator import Node, operator, text
from thermoc.frontends.onnx.site import Site, of_python
from thermoc.frontends.onnx.tensor import Tensor, known
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle

Activation = Callable[[Handle], Handle]
States = tuple[Tensor, ...]

ACTIVATIONS: dict[str, Callable[..., Handle]] = {
    "affine": lambda x, a=1.0, b=0.0: a * x + b,
    "elu": lambda x, a=1.0, b=0.0: special.select(x < 0.0, a * call("core.expm1", call("core.minimum", x, 0.0)), x),
    "hardsigmoid": lambda x, a=0.2, b=0.5: rounding.clip(x * a + b, 0.0, 1.0),
    "leakyrelu": lambda x, a=0.01, b=0.0: special.select(x < 0.0, a * x, x),
    "relu": lambda x, a=0.0, b=0.0: call("core.maximum", x, 0.0),
    "scaledtanh": lambda x, a=1.0, b=1.0: a * call("core.tanh", b * x),
    "sigmoid": lambda x, a=0.0, b=0.0: special.sigmoid(x),
    "softplus": lambda x, a=0.0, b=0.0: special.softplus(x),
    "softsign": lambda x, a=0.0, b=0.0: x / (1.0 + abs(x)),
    "tanh": lambda x, a=0.0, b=0.0: call("core.tanh", x),
    "thresholdedrelu": lambda x, a=1.0, b=0.0: special.select(x > a, x, 0.0 * x),
}
USUAL = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@dataclass(frozen=True, kw_only=True)
class RecurrentDirection:
    """What one direction computes with: its node, weights (rows are gates), and activations."""

    node: Node
    w: Tensor
    r: Tensor
    wb: Tensor
    rb: Tensor
    peephole: Tensor | None
    activations: list[Activation]
    hidden: int

    def clipped(self, s: Site, x: Tensor) -> Tensor:
        """Return what an activation reads: within ``clip`` where the node has one."""
        bound = self.node.attrs.get("clip")
        return x if not bound else axes.elementwise(s, lambda v: rounding.clip(v, -bound, bound), x)

    def act(self, s: Site, place: int, x: Tensor) -> Tensor:
        """Return an activation of x."""
        return axes.elementwise(s, self.activations[place], self.clipped(s, x))

    def part(self, s: Site, t: Tensor, gate: int, count: int = 1) -> Tensor:
        """Return the rows of some gates."""
        return axes.cut(s, t, t.rank - 1, gate * self.hidden, (gate + count) * self.hidden)


@operator("RNN", "GRU", "LSTM", known=(4,))
def recurrent(s: Site, n: Node) -> tuple[Tensor, ...]:
    """Y (all places), Y_h and for LSTM Y_c (the last ones), one direction after another."""
    x = n[0] if not n.attr("layout", 0) else axes.swapped(s, n[0], 0, 1)
    direction, layout = text(n.attr("direction", "forward")), bool(n.attr("layout", 0))
    count = 2 if direction == "bidirectional" else 1
    directions = [_direction(s, n, x, i, direction == "reverse" or i == 1) for i in range(count)]
    stacked = [
        axes.unsqueeze(s, axes.concat(s, [axes.unsqueeze(s, t, 0) for t in places], 0), 1) for places, _ in directions
    ]
    y = axes.concat(s, stacked, 1)
    lasts = [
        axes.concat(s, [axes.unsqueeze(s, states[i], 0) for _, states in directions], 0)
        for i in range(len(directions[0][1]))
    ]
    if layout:
        y = axes.transpose(s, y, (2, 0, 1, 3))
        lasts = [axes.swapped(s, t, 0, 1) for t in lasts]
    return (y, *lasts)


def _direction(s: Site, n: Node, x: Tensor, index: int, backwards: bool) -> tuple[list[Tensor], States]:
    """Return the hidden state at each place of the sequence, and the states after the last."""
    cell = _cell(s, n, index)
    length = x.shape[0]
    states = tuple(_initial(s, n, x, index, cell, number) for number in ((5, 6) if n.kind == "LSTM" else (5,)))
    lengths = s.numbers(n.get(4), "sequence_lens").reshape(-1) if n.get(4) is not None else None
    places: list[Tensor | None] = [None] * length
    # All inputs at once: one product, and one bias, for the whole sequence.
    driven = product(s, x, axes.swapped(s, cell.w, 0, 1))
    driven = axes.elementwise(s, lambda a, b: a + b, driven, cell.wb)
    zero = axes.elementwise(s, lambda h: 0.0 * h, states[0])
    for t in range(length)[::-1] if backwards else range(length):
        new = STEPS[n.kind](s, cell, axes.squeeze(s, axes.cut(s, driven, 0, t, t + 1), 0), states)
        shown = new[0]
        if lengths is not None and (lengths <= t).any():
            # Beyond its own end a sequence keeps its states, and shows 0.
            inside = known((lengths > t).reshape(-1, 1))
            new = tuple(chosen(s, inside, a, b) for a, b in zip(new, states))
            shown = chosen(s, inside, shown, zero)
        states, places[t] = new, shown
    return [number for number in places if number is not None], states


def _cell(s: Site, n: Node, index: int) -> RecurrentDirection:
    hidden, gates = n[2].shape[-1], GATES[n.kind]
    names = [text(name) for name in n.attr("activations") or USUAL[n.kind] * 2]
    own = names[index * len(USUAL[n.kind]) :][: len(USUAL[n.kind])]
    alphas, betas = list(n.attr("activation_alpha") or []), list(n.attr("activation_beta") or [])
    bias = n.get(3)
    if bias is None:
        bias = known(np.zeros((index + 1, 2 * gates * hidden), n[0].elem))
    both = axes.squeeze(s, axes.cut(s, bias, 0, index, index + 1), 0)
    peephole = n.get(7)
    return RecurrentDirection(
        node=n,
        w=axes.squeeze(s, axes.cut(s, n[1], 0, index, index + 1), 0),
        r=axes.squeeze(s, axes.cut(s, n[2], 0, index, index + 1), 0),
        wb=axes.cut(s, both, 0, 0, gates * hidden),
        rb=axes.cut(s, both, 0, gates * hidden, 2 * gates * hidden),
        peephole=None if peephole is None else axes.squeeze(s, axes.cut(s, peephole, 0, index, index + 1), 0),
        activations=[_activation(s, name, i, alphas, betas) for i, name in enumerate(own)],
        hidden=hidden,
    )


def _activation(s: Site, name: str, place: int, alphas: list[float], betas: list[float]) -> Activation:
    if name.lower() not in ACTIVATIONS:
        raise s.refuse(f"activation {name!r} is not the standard's")
    parameters = {key: float(listed[place]) for key, listed in (("a", alphas), ("b", betas)) if place < len(listed)}
    return lambda x: ACTIVATIONS[name.lower()](x, **parameters)


def _initial(s: Site, n: Node, x: Tensor, index: int, cell: RecurrentDirection, place: int) -> Tensor:
    initial = n.get(place)
    if initial is None:
        return axes.expand(s, of_python(np.zeros((1, 1)), x), (x.shape[1], cell.hidden))
    if n.attr("layout", 0):
        initial = axes.swapped(s, initial, 0, 1)
    return axes.squeeze(s, axes.cut(s, initial, 0, index, index + 1), 0)


def _recurrent(s: Site, cell: RecurrentDirection, h: Tensor, gate: int, count: int) -> Tensor:
    """Return h R^T + Rb of some gates."""
    rows = axes.cut(s, cell.r, 0, gate * cell.hidden, (gate + count) * cell.hidden)
    y = product(s, h, axes.swapped(s, rows, 0, 1))
    return axes.elementwise(s, lambda a, b: a + b, y, cell.part(s, cell.rb, gate, count))


def _plus(s: Site, *ts: Tensor) -> Tensor:
    total = ts[0]
    for t in ts[1:]:
        total = axes.elementwise(s, lambda a, b: a + b, total, t)
    return total


def _times(s: Site, a: Tensor, b: Tensor) -> Tensor:
    return axes.elementwise(s, lambda x, y: x * y, a, b)


def _rnn(s: Site, cell: RecurrentDirection, x: Tensor, states: States) -> States:
    return (cell.act(s, 0, _plus(s, x, _recurrent(s, cell, states[0], 0, 1))),)


def _gru(s: Site, cell: RecurrentDirection, x: Tensor, states: States) -> States:
    (h,) = states
    update_reset = cell.act(s, 0, _plus(s, cell.part(s, x, 0, 2), _recurrent(s, cell, h, 0, 2)))
    z, r = cell.part(s, update_reset, 0), cell.part(s, update_reset, 1)
    if cell.node.attr("linear_before_reset", 0):
        inner = _times(s, r, _recurrent(s, cell, h, 2, 1))
    else:
        inner = _recurrent(s, cell, _times(s, r, h), 2, 1)
    new = cell.act(s, 1, _plus(s, cell.part(s, x, 2), inner))
    return (axes.elementwise(s, lambda z, n, h: (1.0 - z) * n + z * h, z, new, h),)


def _lstm(s: Site, cell: RecurrentDirection, x: Tensor, states: States) -> States:
    """Gates stand in the order input, output, forget, cell; the peephole's in input, output, forget."""
    h, c = states
    gates = _plus(s, x, _recurrent(s, cell, h, 0, 4))
    i, o, f, g = (cell.part(s, gates, gate) for gate in range(4))
    peep = [None if cell.peephole is None else cell.part(s, cell.peephole, gate) for gate in range(3)]
    i = cell.act(s, 0, i if peep[0] is None else _plus(s, i, _times(s, c, peep[0])))
    if cell.node.attr("input_forget", 0):
        f = axes.elementwise(s, lambda v: 1.0 - v, i)
    else:
        f = cell.act(s, 0, f if peep[2] is None else _plus(s, f, _times(s, c, peep[2])))
    new = _plus(s, _times(s, f, c), _times(s, i, cell.act(s, 1, g)))
    o = cell.act(s, 0, o if peep[1] is None else _plus(s, o, _times(s, new, peep[1])))
    return _times(s, o, axes.elementwise(s, cell.activations[2], new)), new


STEPS: dict[str, Callable[[Site, RecurrentDirection, Tensor, States], States]] = {
    "RNN": _rnn,
    "GRU": _gru,
    "LSTM": _lstm,
}
