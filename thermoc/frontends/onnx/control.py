"""If, Loop and Scan: branches that are chosen, and bodies that are written out once for each round."""

from __future__ import annotations

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.logic import chosen
from thermoc.frontends.onnx.operator import Node, operator
from thermoc.frontends.onnx.selection import taken
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import Tensor, known

MOST_ROUNDS = 10_000
"""Rounds of a loop that are written out."""


@operator("If")
def if_(s: Site, n: Node) -> tuple[Tensor, ...]:
    """One branch where the condition is known; else both, and for each sample the one that holds."""
    condition = n[0]
    if condition.numbers is not None and condition.other is None:
        return tuple(n.attr("then_branch" if bool(condition.numbers.reshape(())) else "else_branch")([]))
    yes, no = n.attr("then_branch")([]), n.attr("else_branch")([])
    single = axes.reshape(s, condition, ())
    for a, b in zip(yes, no):
        if a.shape != b.shape or a.elem != b.elem:
            facts = [f"then: {a.elem.name} {axes.shown(a.shape)}", f"else: {b.elem.name} {axes.shown(b.shape)}"]
            raise s.refuse("its branches give different shapes, and which one holds is computed", *facts)
    return tuple(chosen(s, single, a, b) for a, b in zip(yes, no))


@operator("Loop", known=(0, 1))
def loop(s: Site, n: Node) -> tuple[Tensor, ...]:
    """A known number of rounds, each written out; a computed condition freezes what is carried once it is false."""
    limit, condition = n.get(0), n.get(1)
    rounds = MOST_ROUNDS + 1 if limit is None else int(s.numbers(limit, "the number of rounds").reshape(()))
    carried = [_given(s, t) for t in n.inputs[2:]]
    collected: list[list[Tensor]] = []
    going = condition if condition is not None else known(np.bool_(True))
    if limit is None and going.numbers is None:
        raise s.refuse("how many rounds it takes is computed")
    for i in range(rounds):
        if going.numbers is not None and not bool(going.numbers.reshape(())):
            break
        if i == MOST_ROUNDS:
            raise s.refuse("it takes too many rounds", f"the limit is {MOST_ROUNDS}", code="T504")
        asked, *results = n.attr("body")([known(np.int64(i)), going, *carried])
        new, scanned = results[: len(carried)], results[len(carried) :]
        if going.numbers is None:
            if scanned:
                raise s.refuse("how many rounds it takes is computed, and it collects results of each")
            flag = axes.reshape(s, going, ())
            new = [chosen(s, flag, a, b) for a, b in zip(new, carried)]
            asked = axes.elementwise(s, lambda a, b: a & b, flag, axes.reshape(s, asked, ()))
        collected.append(scanned)
        carried, going = new, asked
        if limit is None and going.numbers is None:
            raise s.refuse("how many rounds it takes is computed")
    stacks = [axes.concat(s, [axes.unsqueeze(s, t, 0) for t in column], 0) for column in zip(*collected)]
    if not collected and n.outputs > len(carried):
        raise s.refuse("it collects results of no round at all")
    return (*carried, *stacks)


def _given(s: Site, t: Tensor | None) -> Tensor:
    if t is None:
        raise s.refuse("what it carries is left out")
    return t


@operator("Scan")
def scan(s: Site, n: Node) -> tuple[Tensor, ...]:
    """A round for each place of the scanned axes, whose length is known."""
    if n.version < 9:
        return _scan8(s, n)
    count = int(n.attr("num_scan_inputs"))
    inputs = n.given
    states, scanned = inputs[: len(inputs) - count], inputs[len(inputs) - count :]
    in_axes = [axes.axis_of(s, int(a), t.rank) for a, t in zip(n.attr("scan_input_axes") or [0] * count, scanned)]
    back = list(n.attr("scan_input_directions") or [0] * count)
    states, columns = _rounds(s, n, states, scanned, in_axes, back)
    out_axes = list(n.attr("scan_output_axes") or [0] * len(columns))
    back = list(n.attr("scan_output_directions") or [0] * len(columns))
    stacks: list[Tensor] = []
    for column, axis, reverse in zip(columns, out_axes, back):
        axis = axes.axis_of(s, int(axis), column[0].rank + 1)
        parts = [axes.unsqueeze(s, t, axis) for t in (column[::-1] if reverse else column)]
        stacks.append(axes.concat(s, parts, axis))
    return (*states, *stacks)


def _rounds(
    s: Site, n: Node, states: list[Tensor], scanned: list[Tensor], in_axes: list[int], back: list[int]
) -> tuple[list[Tensor], list[tuple[Tensor, ...]]]:
    lengths = {t.shape[axis] for t, axis in zip(scanned, in_axes)}
    if len(lengths) != 1:
        raise s.refuse("what it scans has different lengths", f"{sorted(lengths)}")
    (length,) = lengths
    if length > MOST_ROUNDS:
        raise s.refuse("it takes too many rounds", f"it scans {axes.shown((length,))}", code="T504")
    rows: list[list[Tensor]] = []
    for i in range(length):
        at = [length - 1 - i if reverse else i for reverse in back]
        parts = [axes.squeeze(s, axes.cut(s, t, a, p, p + 1), a) for t, a, p in zip(scanned, in_axes, at)]
        results = n.attr("body")([*states, *parts])
        states = results[: len(states)]
        rows.append(results[len(states) :])
    return states, list(zip(*rows))


def _scan8(s: Site, n: Node) -> tuple[Tensor, ...]:
    """Opset 8: every tensor has a batch in front, which the body does not see."""
    count = int(n.attr("num_scan_inputs"))
    if n.inputs[0] is not None:
        raise s.refuse("lengths of sequences in opset 8 are not read")
    inputs = n.given
    back = list(n.attr("directions") or [0] * count)
    samples: list[list[Tensor]] = []
    for b in range(inputs[0].shape[0]):
        slices = [axes.squeeze(s, taken(s, t, 0, np.array([b])), 0) for t in inputs]
        states, columns = _rounds(s, n, slices[: len(slices) - count], slices[len(slices) - count :], [0] * count, back)
        stacks = [axes.concat(s, [axes.unsqueeze(s, t, 0) for t in column], 0) for column in columns]
        samples.append([*states, *stacks])
    return tuple(axes.concat(s, [axes.unsqueeze(s, t, 0) for t in column], 0) for column in zip(*samples))
