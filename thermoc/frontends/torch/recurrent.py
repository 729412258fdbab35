"""RNN, GRU and LSTM: a step for each place of the sequence, whose length is known; layers, directions, cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.tensor import Tensor
from thermoc.frontends.torch.aten import Aten, aten
from thermoc.frontends.torch.linear import linear

States = tuple[Tensor, ...]
Cell = Callable[[Aten, Tensor, Tensor, States], States]
"""What a step makes of (W_ih x + b_ih, W_hh h + b_hh, states): the states after it, h first."""


def _parts(t: Aten, x: Tensor, count: int) -> tuple[Tensor, ...]:
    """Return gates side by side in the last axis."""
    size, last = x.shape[-1] // count, x.rank - 1
    return tuple(axes.cut(t.site, x, last, i * size, (i + 1) * size) for i in range(count))


def _lstm(t: Aten, given: Tensor, fed: Tensor, states: States) -> States:
    """c' = f c + i g, h' = o tanh(c')."""
    i, f, g, o = _parts(t, t("Add", given, fed), 4)
    retained, new = t("Mul", t("Sigmoid", f), states[1]), t("Mul", t("Sigmoid", i), t("Tanh", g))
    c = t("Add", retained, new)
    return t("Mul", t("Sigmoid", o), t("Tanh", c)), c


def _gru(t: Aten, given: Tensor, fed: Tensor, states: States) -> States:
    """n = tanh(given + r fed), h' = (1 - z) n + z h."""
    (ri, zi, ni), (rh, zh, nh) = _parts(t, given, 3), _parts(t, fed, 3)
    r, z = t("Sigmoid", t("Add", ri, rh)), t("Sigmoid", t("Add", zi, zh))
    n = t("Tanh", t("Add", ni, t("Mul", r, nh)))
    return (t("Add", n, t("Mul", z, t("Sub", states[0], n))),)


def _plain(kind: str) -> Cell:
    return lambda t, given, fed, states: (t(kind, t("Add", given, fed)),)


CELLS: dict[str, Cell] = {"lstm": _lstm, "gru": _gru, "rnn_tanh": _plain("Tanh"), "rnn_relu": _plain("Relu")}


def _direction(t: Aten, cell: Cell, x: Tensor, weights: Sequence[Tensor], states: States, back: bool) -> Any:
    """Return the outputs (steps, batch, hidden) of one direction, and its last states."""
    w_ih, w_hh, b_ih, b_hh = (*weights, None, None)[:4]
    projected = linear(t, x, w_ih, b_ih)
    outputs: dict[int, Tensor] = {}
    places = range(x.shape[0])
    for i in reversed(places) if back else places:
        now = axes.squeeze(t.site, axes.cut(t.site, projected, 0, i, i + 1), 0)
        states = cell(t, now, linear(t, states[0], w_hh, b_hh), states)
        outputs[i] = axes.unsqueeze(t.site, states[0], 0)
    return axes.concat(t.site, [outputs[i] for i in places], 0), states


def _of_layer(t: Aten, state: Tensor, place: int) -> Tensor:
    return axes.squeeze(t.site, axes.cut(t.site, state, 0, place, place + 1), 0)


def _read(
    t: Aten,
    kind: str,
    input: Any,
    states: Sequence[Any],
    params: Sequence[Tensor] = (),
    has_biases: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
    batch_first: bool = False,
    **named: Any,
) -> tuple[Tensor, ...]:
    if named:
        raise t.site.refuse("packed sequences are not read", code="T507", hint="give it a padded sequence")
    s, cell = t.site, CELLS[kind]
    directions, per_direction = 1 + bool(bidirectional), 4 if has_biases else 2
    if len(params) != num_layers * directions * per_direction:
        raise s.refuse("projections (proj_size) are not read", code="T507")
    x = axes.swapped(s, input, 0, 1) if batch_first and input.rank == 3 else input
    last: list[States] = []
    for layer in range(num_layers):
        outputs: list[Tensor] = []
        for d in range(directions):
            index = layer * directions + d
            weights = params[index * per_direction : (index + 1) * per_direction]
            y, ends = _direction(t, cell, x, weights, tuple(_of_layer(t, h, index) for h in states), d == 1)
            outputs.append(y)
            last.append(ends)
        x = axes.concat(s, outputs, x.rank - 1) if directions > 1 else outputs[0]
    y = axes.swapped(s, x, 0, 1) if batch_first and input.rank == 3 else x
    return (y, *(axes.concat(s, [axes.unsqueeze(s, end, 0) for end in ends], 0) for ends in zip(*last)))


@aten("lstm")
def lstm(t: Aten, input: Any = None, hx: Any = (), **named: Any) -> Any:
    """Long short-term memory."""
    return _read(t, "lstm", input, list(hx), **named)


def _one_state(kind: str) -> Any:
    return lambda t, input=None, hx=None, **named: _read(t, kind, input, (hx,), **named)


for _kind in ("gru", "rnn_tanh", "rnn_relu"):
    aten(_kind)(_one_state(_kind))


def _cell(kind: str) -> Any:
    def read(t: Aten, input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Any = None, b_hh: Any = None) -> Any:
        states = tuple(hx) if kind == "lstm" else (hx,)
        ends = CELLS[kind](t, linear(t, input, w_ih, b_ih), linear(t, states[0], w_hh, b_hh), states)
        return ends if kind == "lstm" else ends[0]

    return read


for _kind in CELLS:
    aten(f"{_kind}_cell")(_cell(_kind))
