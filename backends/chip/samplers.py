"""Banks of units that draw, or follow an equation in time, at the temperature of their place; and their couplings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.products import couplings_of
from thermoc.backends.chip.reads import units_read
from thermoc.backends.chip.work_types import Draft, ElementRange, Spans, TaskKind, elements_read, even_cuts, full_cuts
from thermoc.ir.dialects import devices, sampling, thermo
from thermoc.ir.ops import CONTINUOUS, STATEFUL, STOCHASTIC, Op
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.support.errors import error


def needs_units(op: Op | type[Op]) -> bool:
    """True for ops that thermal units do: noise at a temperature, and differential equations."""
    if op is devices.DeviceStep or isinstance(op, devices.DeviceStep):
        return True
    return STOCHASTIC in op.traits or (CONTINUOUS in op.traits and STATEFUL in op.traits)


def temperature(op: Op) -> Value | None:
    """Return the operand that is the temperature of an op's noise."""
    specs = op.operand_specs.items()
    names = [name for name, spec in specs if spec.role is Role.temperature and not spec.uniform and not spec.constant]
    return getattr(op, names[0]) if names and STOCHASTIC in op.traits else None


def split_units(draft: Draft, op: Op) -> None:
    """Write banks of units; where they are coupled, arrays whose sums drive them, colour after colour.

    Errors: T305 where the chip has no units that do this, or none of such devices.
    """
    _check_units(draft, op)
    value = op.results[0]
    matrix = couplings_of(draft, op, value.size)
    colours = _colours(draft, op, value.size) if matrix is not None else np.zeros(value.size, np.int64)
    banks = _banks(draft, op, colours, coupled=matrix is not None)
    first = _compared(draft, banks, value) if isinstance(op, thermo.SampleCategorical) else banks
    for result in op.results:
        draft.lies[result.name] = first if result.size == value.size else _gathered(draft, banks, result)
    draft.sites[value.name] = tuple(bank.task for bank in banks)
    draft.colours[value.name] = colours
    # Coupled units exchange states through their arrays; others may read neighbours' states directly.
    if matrix is not None:
        _couple(draft, matrix, banks)
    else:
        _exchange_states(draft, op, banks)


def _check_units(draft: Draft, op: Op) -> None:
    if draft.chip.samplers:
        _check_device(draft, op)
        return
    draws = STOCHASTIC in op.traits
    units = "p-bits" if draws else "units that follow an equation in time"
    step = "takes a step of its equation in each tick, on a unit of its own"
    needs = "draws at the temperature of its place" if draws else step
    notes = [f"{op.opname} ({op.results[0].name}) {needs}", "the banks of a [sampler] do that, and this chip has none"]
    hint = "take a chip with a [sampler], as thermo-1"
    raise error("T305", f"chip {draft.chip.name!r} has no {units}", where=op.location, notes=notes, hint=hint)


def _check_device(draft: Draft, op: Op) -> None:
    """Refuse devices of another model than the chip's own, and steps of devices by themselves. Errors: T305."""
    if isinstance(op, devices.DeviceStep):
        what, hint = f"{op.opname} ({op.after.name}) stands by itself", "write the devices by tc.device"
        raise error("T305", what, where=op.location, notes=["the chip's banks step thermo.device"], hint=hint)
    if isinstance(op, devices.DeviceDynamics) and op.model != draft.chip.device:
        device = draft.chip.device
        notes = [f"{op.opname} ({op.results[0].name}) is made of {op.model}", f"the chip's units are {device}"]
        hint = f"take a chip whose [sampler] has device = {op.model!r}, or devices of {device}"
        raise error("T305", f"chip {draft.chip.name!r} holds no {op.model}", where=op.location, notes=notes, hint=hint)


def _banks(draft: Draft, op: Op, colours: NDArray[np.int64], *, coupled: bool) -> Spans:
    """Write an op's banks of at most a core's units each, and what they read within the tick."""
    value, number = op.results[0], int(colours.max(initial=0)) + 1
    kind = TaskKind.step if CONTINUOUS in op.traits and not isinstance(op, sampling.Gibbs) else TaskKind.sample
    heated, banks = _heated(draft, op), Spans()
    for low, high in even_cuts(value.size, draft.chip.samplers):
        counts = tuple(int((colours[low:high] == colour).sum()) for colour in range(number))
        rounds = counts * getattr(op, "sweeps", 1) if coupled else ()
        updates = max(1, len(rounds))
        task = draft.add(kind, low, high, rounds=rounds, colours=number, heated=heated, updates=updates)
        banks.append(ElementRange(low, high, task))
        for operand in op.instant_inputs:
            if operand.name not in draft.constants:
                draft.read(task, operand, *elements_read(operand.inferred, low, high, value.inferred))
    return banks


def _heated(draft: Draft, op: Op) -> bool:
    """True where the temperature follows from the tick alone: heaters can carry such a schedule out."""
    T = temperature(op)
    # What depends on an input is not known before the run, so no heater can be told of it.
    return T is not None and T.name not in draft.constants and T.name in draft.graph.uniform


def _colours(draft: Draft, op: Op, size: int) -> NDArray[np.int64]:
    """Return the colour of each unit: those of one are updated together."""
    colours = getattr(op, "colors", None)
    if colours is None or getattr(op, "order", "") == "parallel" or colours.name not in draft.constants:
        return np.zeros(size, np.int64)
    return np.unique(draft.constants[colours.name], return_inverse=True)[1]


def _gathered(draft: Draft, banks: Spans, value: Value) -> Spans:
    """Let one core put a result together that each bank has something of, such as a sum over all units."""
    if len(banks) == 1:
        return [ElementRange(0, value.size, banks[0].task)]
    task = draft.add(TaskKind.gather, 0, value.size, passes=len(banks) - 1)
    for bank in banks:
        draft.send(bank.task, task, draft.sum_bytes(value.size))
    return [ElementRange(0, value.size, task)]


def _compared(draft: Draft, banks: Spans, value: Value) -> Spans:
    """One unit of a row is drawn: banks send the best of theirs and its number, and one core compares them."""
    row = value.shape[-1]
    # Where banks end with rows each row is compared within its bank.
    if all(bank.high % row == 0 for bank in banks):
        return banks
    bests = [(bank.high - 1) // row - bank.low // row + 1 for bank in banks]  # rows that a bank has units of
    task = draft.add(TaskKind.gather, 0, value.size, elements=sum(bests))
    for best, bank in zip(bests, banks):
        draft.send(bank.task, task, draft.sum_bytes(best))
    return [ElementRange(0, value.size, task)]


def _exchange_states(draft: Draft, op: Op, banks: Spans) -> None:
    """Let banks read the states of others that an op's units depend on, as they were when the tick began."""
    for reader in banks if len(banks) > 1 else ():
        units = units_read(op, reader.low, reader.high)
        for bank in banks:
            count = int(((units >= bank.low) & (units < bank.high)).sum())
            if count and bank.task != reader.task:
                draft.send(bank.task, reader.task, draft.value_bytes(op.results[0], count), late=True)


def _couple(draft: Draft, matrix: NDArray[np.bool_], banks: Spans) -> None:
    """Write the arrays of couplings between units: products of each round, from and to the banks."""
    for bank in banks:
        for left, right in full_cuts(bank.high - bank.low, draft.chip.array_columns):
            for top, bottom in full_cuts(len(matrix), draft.chip.array_rows):
                used = matrix[top:bottom, bank.low + left : bank.low + right]
                if used.any():
                    sides = {"rows": bottom - top, "columns": right - left, "cells": int(used.sum())}
                    _coupling_array(draft, bank, banks, (top, bottom), (left, right), sides)


def _coupling_array(
    draft: Draft,
    bank: ElementRange,
    banks: Spans,
    rows: tuple[int, int],
    columns: tuple[int, int],
    sides: dict[str, int],
) -> None:
    """Write one array: the states of its rows' units come from their banks, a bit each, and its sums go to ``bank``."""
    rounds, (top, bottom), (left, right) = draft.tasks[bank.task].rounds, rows, columns
    task = draft.add(TaskKind.product, bank.low + left, bank.low + right, rounds=rounds, **sides)
    draft.send(task, bank.task, draft.sum_bytes(right - left), times=len(rounds))
    for source in banks:
        overlap = min(source.high, bottom) - max(source.low, top)
        if overlap > 0:
            draft.send(source.task, task, -(-overlap // 8), times=len(rounds))
