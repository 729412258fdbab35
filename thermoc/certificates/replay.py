"""What a certificate holds so that its run can be repeated: the network, the inputs, the options of the target."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from thermoc.compiled import Compiled
from thermoc.ir.graph import Graph
from thermoc.ir.serial import graph_bytes, parse_graph_file
from thermoc.passes.pipeline_text import print_pipeline
from thermoc.run import Call
from thermoc.simulator.chips import chip as chips
from thermoc.support.arrays import npz_bytes, parse_npz
from thermoc.support.errors import error
from thermoc.support.limits import MIB
from thermoc.support.loading import cut, damaged, shown

MOST_BYTES = 4 * MIB
"""A network and inputs larger than this are not put into the certificate."""
MOST_NUMBERS, MOST_UPDATES = 2**23, 2**30
"""Values of all units over all ticks and samples, and updates of units, that a re-check repeats unless told to."""


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 40


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300


def _range(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple) and len(value) == 2 and all(map(_number, value)))


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _shipped(value: Any) -> bool:
    """A chip that comes with thermoc; a file of one is never opened because a certificate names it."""
    return value is None or (isinstance(value, str) and value in chips.names())


_CHIP = {
    **dict.fromkeys(("precision", "temperature", "placement", "start", "cells", "adc"), _text),
    "chip": _shipped,
    "slot": _number,
    "input_range": _range,
}
_BRIAN2 = {**dict.fromkeys(("coding", "device", "codegen", "noise", "time_unit"), _text), "input_range": _range}
_LAVA = {
    **dict.fromkeys(("coding", "runtime"), _text),
    "chips": lambda value: type(value) is int and 0 < value < 2**16,
    "stock_only": _flag,
    "input_range": _range,
}
ALLOWED: dict[str, dict[str, Callable[[Any], bool]]] = {
    "sim": {"precision": _text},
    "onnx": {"precision": _text, "step": _flag},
    "brian2": _BRIAN2,
    "lava": _LAVA,
    "chip": _CHIP,
}
"""The options that change what a run gives, by target. None of them names a path."""


def recorded_options(exe: Compiled) -> dict[str, Any]:
    """Return what a certificate records of how a network was compiled. A chip's file goes by its name alone."""
    rules = ALLOWED.get(exe.backend.name, {})
    recorded = {name: value for name, value in asdict(exe.options).items() if name in rules}
    if isinstance(recorded.get("chip"), str):
        recorded["chip"] = Path(recorded["chip"]).name
    return recorded if exe.passes is None else {**recorded, "passes": print_pipeline(exe.passes)}


def encode(call: Call) -> dict[str, str] | None:
    """Return the network and inputs of a run as text, or None where the run cannot be repeated from them.

    That is where they are too large, where the run went on in a session, and where the target, its passes, a chip's
    file or samples to calibrate on are the user's.
    """
    exe = call.executable
    stated = asdict(exe.options)
    rules = ALLOWED.get(exe.backend.name)
    if call.start is not None or rules is None or exe.passes is not None or stated.get("calibrate") is not None:
        return None
    if not all(rule(stated[name]) for name, rule in rules.items() if name in stated):
        return None
    model, inputs = graph_bytes(exe.source), npz_bytes(call.inputs, compress=True)
    if len(model) + len(inputs) > MOST_BYTES:
        return None
    return {"graph": base64.b64encode(model).decode(), "inputs": base64.b64encode(inputs).decode()}


def decode(document: Mapping[str, Any], path: object) -> tuple[Graph, dict[str, NDArray], dict[str, Any]]:
    """Return the network, inputs and options of a certificate's run. Errors: T1xx, T407 (an option), T502, T504."""
    replay = document["replay"]
    if replay.keys() != {"graph", "inputs"} or not all(isinstance(text, str) for text in replay.values()):
        raise damaged(path, "a certificate", "its replay is not a network and inputs")
    rules = ALLOWED.get(document["target"], {})
    # Before anything is compiled: an option could name a file to open or a program to run.
    for name, value in document["options"].items():
        if name not in rules or not rules[name](value):
            notes = [f"{cut(name, 40)} = {cut(repr(value), 80)}"]
            hint = "options of a certificate name no path and no program"
            raise error("T407", f"{shown(path)}: an option that is never taken from a file", notes=notes, hint=hint)
    try:
        model, inputs = (base64.b64decode(replay[name], validate=True) for name in ("graph", "inputs"))
    except (binascii.Error, ValueError) as reason:
        raise damaged(path, "a certificate", f"its replay is not base64: {reason}") from None
    graph = parse_graph_file(model, f"{shown(path)}: its network")
    return graph, parse_npz(inputs, f"{shown(path)}: its inputs"), document["options"]


def check_effort(document: Mapping[str, Any], graph: Graph, path: object) -> None:
    """Refuse a run that would take long to repeat, before it starts. Errors: T407."""
    ticks, batch = document["ticks"], document["batch"]
    if not (ticks > 0 and batch > 0 and 0 <= document["warmup"] < ticks):
        raise damaged(path, "a certificate", f"{ticks} ticks, {batch} samples, {document['warmup']} of warm-up")
    values = [(op, value.type.size) for op in graph.ops for value in op.results if value.type is not None]
    numbers = ticks * batch * sum(size for op, size in values if op.opname != "core.constant")
    updates = ticks * batch * sum(size * _repeats(op.attrs) for op, size in values)
    for what, amount, limit in (("numbers", numbers, MOST_NUMBERS), ("updates of units", updates, MOST_UPDATES)):
        if amount > limit:
            notes = [f"its run has {amount} {what}, the limit is {limit}"]
            hint = "thermoc certify FILE --large repeats it all the same; it may take long"
            raise error("T407", f"{shown(path)} was not re-checked", notes=notes, hint=hint)


def _repeats(attrs: Mapping[str, Any]) -> int:
    """Return how often an op updates its units in a tick, at most: the product of its whole attributes above 1."""
    counts = (attrs.get(name) for name in ("sweeps", "steps", "substeps"))
    return math.prod(count for count in counts if type(count) is int and count > 1)
