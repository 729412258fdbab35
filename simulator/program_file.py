"""Programs from files, checked before anything runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.bounds import check
from thermoc.simulator.instructions.products import MVM
from thermoc.simulator.program import KIND, VERSION, Form, Program, ProgramParameter, ProgramPort, ProgramState
from thermoc.support.bundle import read_bundle
from thermoc.support.loading import reading

WHOLE_WEIGHTS = 3
"""The version from which on whole weights of crossbars stand in the table."""
LONGEST = 2**40
"""A file that states a longer axis is damaged."""


def load(path: str | os.PathLike[str]) -> Program:
    """Read a program. Errors: T501 to T504; T502 also for one that would reach outside its arrays."""
    bundle = read_bundle(path, kind=KIND, version=VERSION)
    with reading(path, f"a {KIND} that can run"):
        program = _decode(bundle.document, bundle.arrays)
        if bundle.version < WHOLE_WEIGHTS and (program.code[:, 0] == MVM.opcode).any():
            raise ValueError("its products of crossbars are laid out as an older thermoc read them: compile it again")
        check(program)
    return program


def _shape(entry: dict[str, Any]) -> tuple[int, ...]:
    lengths = tuple(entry["shape"])
    if not all(type(length) is int and 0 <= length < LONGEST for length in lengths):
        raise ValueError("a shape is made of lengths")
    return lengths


def _decode(document: dict[str, Any], arrays: Mapping[str, NDArray]) -> Program:
    def port(entry: dict[str, Any]) -> ProgramPort:
        return ProgramPort(**{**entry, "shape": _shape(entry)})

    def state(index: int, entry: dict[str, Any]) -> ProgramState:
        entry = {**entry, "shape": _shape(entry), "form": Form(entry.get("form", Form.RING))}
        initial = arrays[f"state.{index}"]
        if initial.size != entry["ticks"] * prod(entry["shape"]):
            raise ValueError(f"state {index} starts from {initial.size} elements, of another number than it has")
        return ProgramState(**entry, initial=initial)

    def parameter(index: int, entry: dict[str, Any]) -> ProgramParameter:
        places = arrays.get(f"parameter.{index}.places")
        return ProgramParameter(
            **{**entry, "shape": _shape(entry)}, places=None if places is None else np.array(places)
        )

    flat: dict[str, Any] = {name: np.array(arrays[name]) for name in ("code", "slots", "floats", "ints", "table")}
    return Program(
        name=str(document["name"]),
        dt=float(document["dt"]),
        precision=document["precision"],
        work=tuple(document["work"]),
        inputs=tuple(map(port, document["inputs"])),
        outputs=tuple(map(port, document["outputs"])),
        states=tuple(state(i, entry) for i, entry in enumerate(document["states"])),
        parameters=tuple(parameter(i, entry) for i, entry in enumerate(document.get("parameters", ()))),
        **flat,
    )
