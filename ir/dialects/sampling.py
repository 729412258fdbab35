"""Coupled binary units sampled by heat bath: one energy for Ising, QUBO, Hopfield and Boltzmann couplings (P12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.colouring import clash, colouring
from thermoc.ir.dialects.thermo import into
from thermoc.ir.ops import (
    STATEFUL,
    STOCHASTIC,
    Op,
    Problem,
    ShapeProblem,
    at_least_one,
    attr,
    non_negative,
    one_of,
    op,
    operand,
    result,
)
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray, IntArray
from thermoc.support.errors import caller, error

Rows = tuple[AnyArray, AnyArray, AnyArray]


class _Coupled(Op):
    """What ops over couplings share: J dense, or the entries of its rows, both zero on the diagonal."""

    @classmethod
    def prepare(cls, operands: dict[str, Any]) -> dict[str, Any]:
        """Accept a SciPy sparse matrix as J, where stored zeros couple nothing; colour units if the caller did not."""
        J: Any = operands.get("J")
        if hasattr(J, "tocsr"):
            sparse = J.tocsr(copy=True)
            # SciPy counts entries that are stated twice as their sum; compressed rows here name each pair once.
            sparse.sum_duplicates()
            # A stored zero couples nothing, and would cost a colour.
            sparse.eliminate_zeros()
            _finite(cls.opname, sparse)
            operands |= {"J": None, "values": sparse.data, "columns": sparse.indices, "offsets": sparse.indptr}
        if "colors" in cls.operand_specs and operands.get("colors") is None:
            numbers = {name: _number(operands.get(name)) for name in ("J", "values", "columns", "offsets")}
            rows = compressed(numbers)
            if rows is not None:
                operands["colors"] = colouring(rows[2], rows[1])
            else:
                # Couplings that are not known yet: a colour for each unit is right for all of them.
                units = _units(operands)
                operands["colors"] = None if units is None else np.arange(units)
        return operands

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        dense, sparse = shapes["J"] is not None, [shapes[name] is not None for name in ("values", "columns", "offsets")]
        if dense == any(sparse) or (any(sparse) and not all(sparse)):
            present = [name for name in ("J", "values", "columns", "offsets") if shapes[name] is not None]
            raise ShapeProblem(
                "couplings are J, or values, columns and offsets of its rows",
                f"given are {', '.join(present) or 'none'}",
            )
        n = shapes["J"][0] if dense else shapes["offsets"][0] - 1
        return self.coupled_shapes(n, shapes)

    def coupled_shapes(self, n: int, shapes: dict[str, Any]) -> dict[str, Shape]:
        """Return result shapes for n units. Raises ShapeProblem."""
        raise NotImplementedError

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        """Yield what is wrong with the couplings' numbers."""
        if getattr(self, "order", "") == "colors" and getattr(self, "colors", None) is None:
            yield Problem("T105", "units updated colour by colour need colors", (), 'order="parallel" needs none')
        rows = compressed(numbers)
        if rows is None:
            return
        values, columns, offsets = rows
        n = len(offsets) - 1
        if "values" in numbers and not _well_formed(values, columns, offsets):
            yield Problem("T105", "offsets and columns must name entries and units that are there", (f"{n} units",))
            return
        unit = np.repeat(np.arange(n), np.diff(offsets))
        # A heat bath needs the energy between a unit's two levels, to which J_ii s_i does not belong.
        diagonal = np.flatnonzero((unit == columns) & (values != 0))
        if len(diagonal):
            i = int(unit[diagonal[0]])
            notes = (f"J[{i}, {i}] = {values[diagonal[0]]}",)
            yield Problem("T105", "a unit must not be coupled to itself", notes, "set the diagonal of J to 0")
        if getattr(self, "order", "") == "parallel" and getattr(self, "draws", "unit") != "unit":
            yield Problem("T105", "units updated in parallel draw one by one", (), 'take draws="unit"')
        if "colors" in numbers and getattr(self, "order", "") == "colors":
            pair = clash(offsets, columns, numbers["colors"])
            if pair is not None:
                i, j = pair
                notes = (f"units {i} and {j} are coupled", f"both have colour {int(numbers['colors'][i])}")
                yield Problem(
                    "T112",
                    "coupled units would be updated together",
                    notes,
                    'leave colors out, or ask for order="parallel", which samples another distribution',
                )


def _finite(opname: str, J: Any) -> None:
    """Raise T107 with the first couplings of a sparse matrix that is not a number, by its units."""
    wrong = np.flatnonzero(~np.isfinite(J.data))
    if len(wrong):
        starts: IntArray = np.asarray(J.indptr)
        unit = int((starts <= wrong[0]).sum()) - 1
        notes = [f"J[{unit}, {J.indices[wrong[0]]}] = {J.data[wrong[0]]}"]
        raise error("T107", f"{opname}: couplings must be finite", where=caller(), notes=notes)


def _units(operands: dict[str, Any]) -> int | None:
    for name, extra in (("J", 0), ("offsets", 1)):
        shape: Any = getattr(operands.get(name), "shape", None)
        if shape:
            return shape[0] - extra
    return None


def _number(item: Any) -> AnyArray | None:
    """Return the numbers of an operand of a call: an array, or a parameter, which couples and colours as it begins."""
    item = getattr(item, "initial", item)
    try:
        return np.asarray(cast("ArrayLike", item)) if isinstance(item, (np.ndarray, list, tuple)) else None
    except ValueError:  # ragged: the builder says so
        return None


def _well_formed(values: AnyArray, columns: AnyArray, offsets: AnyArray) -> bool:
    if offsets[0] != 0 or offsets[-1] != len(values) or len(columns) != len(values) or (np.diff(offsets) < 0).any():
        return False
    return not len(columns) or (columns.min() >= 0 and columns.max() < len(offsets) - 1)


def compressed(numbers: Mapping[str, Any]) -> Rows | None:
    """Return (values, columns, offsets) of the couplings, or None where they are not all known numbers."""
    J = numbers.get("J")
    if J is not None:
        if J.ndim != 2 or J.shape[0] != J.shape[1]:
            return None
        unit, columns = np.nonzero(J)
        return J[unit, columns], columns, np.searchsorted(unit, np.arange(len(J) + 1))
    values, columns, offsets = (numbers.get(name) for name in ("values", "columns", "offsets"))
    if any(array is None or array.ndim != 1 for array in (values, columns, offsets)):
        return None
    return cast("Rows", (values, columns, offsets))


@op("thermo.gibbs")
class Gibbs(_Coupled):
    """Sweeps of heat-bath updates over coupled binary units: they settle to exp(-E / T), E = -s.J.s / 2 - h.s (P12).

    Unit i goes to its upper level where drive_i > T_i logit(u_i) (P6); drive_i is sum_j J_ij s_j + h_i, twice that for
    spins. Units of one colour are not coupled and are updated together, colours follow each other: with J symmetric
    each update leaves exp(-E / T) as it is. order="parallel" updates all at once, which samples something else.

    J: (n, n), or values, columns and offsets of its rows (or a SciPy sparse matrix as J in the builder). levels: spin
    {-1, +1} or binary {0, 1}. T broadcasts to (sweeps, n): one for all, one a unit, or a column (sweeps, 1). sweeps: a
    tick's. u is the uniform of element sample * n + unit, draw the number of the sweep within its tick. s(t) is the
    state at the start of the tick; ``thermo.ising_energy`` gives its energy.

    draws: "word" and "replica" let 64 units share random words, for kernels that update them together: U < ceil(2^52 p)
    with p = 1 / (1 + exp(-drive / T)) and digit r of U a bit of round r of a word W, which is half (the first for even
    r) of the block at (W, tick * sweeps + sweep, r // 2, stream). "word": 64 units of one colour, in their order, share
    W, counted on from colour to colour and sample to sample. "replica": 64 samples of a unit share W = sample // 64 * n
    + unit. Both sample the same law as "unit", by other numbers.
    """

    T: Value = operand("~t", role=Role.temperature)
    J: Value | None = operand("n n", optional=True, constant=True)
    h: Value = operand("~n", default=0.0)
    values: Value | None = operand("z", optional=True, constant=True)
    columns: Value | None = operand("z", kind="index", optional=True, constant=True)
    offsets: Value | None = operand("k", kind="index", optional=True, constant=True)
    colors: Value | None = operand("c", kind="int", optional=True, constant=True)
    initial: Value = operand("~n", uniform=True, default=1.0)
    levels: str = attr(default="spin", check=one_of("spin", "binary"))
    order: str = attr(default="colors", check=one_of("colors", "parallel"))
    sweeps: int = attr(default=1, check=at_least_one)
    draws: str = attr(default="unit", check=one_of("unit", "word", "replica"))
    stream: int = attr(check=non_negative)
    s: Value = result("n", role=Role.spike)

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC})
    # s is the state before the sweeps, so T and h may be computed from it.
    instant: ClassVar = ("initial",)

    def coupled_shapes(self, n: int, shapes: dict[str, Any]) -> dict[str, Shape]:
        _fit(n, self.sweeps, shapes)
        into((n,), initial=shapes["initial"])
        return {"s": (n,)}

    def states(self) -> dict[str, Shape]:
        return {"s": self.s.shape}

    def state_ranges(self) -> dict[str, tuple[int, int]]:
        return {"s": (-1 if self.levels == "spin" else 0, 1)}


@op("thermo.gibbs_sweeps")
class GibbsSweeps(_Coupled):
    """The sweeps of a tick of ``thermo.gibbs``, from x to s; the same operands and attributes."""

    x: Value = operand("n")
    T: Value = operand("~t", role=Role.temperature)
    J: Value | None = operand("n n", optional=True, constant=True)
    h: Value = operand("~n", default=0.0)
    values: Value | None = operand("z", optional=True, constant=True)
    columns: Value | None = operand("z", kind="index", optional=True, constant=True)
    offsets: Value | None = operand("k", kind="index", optional=True, constant=True)
    colors: Value | None = operand("c", kind="int", optional=True, constant=True)
    levels: str = attr(default="spin", check=one_of("spin", "binary"))
    order: str = attr(default="colors", check=one_of("colors", "parallel"))
    sweeps: int = attr(default=1, check=at_least_one)
    draws: str = attr(default="unit", check=one_of("unit", "word", "replica"))
    stream: int = attr(check=non_negative)
    s: Value = result("n", role=Role.spike)

    traits: ClassVar = frozenset({STOCHASTIC})

    def coupled_shapes(self, n: int, shapes: dict[str, Any]) -> dict[str, Shape]:
        _fit(n, self.sweeps, shapes)
        if shapes["x"] != (n,):
            notes = f"x has shape {list(shapes['x'])}", f"there are {n} units"
            raise ShapeProblem("x and the couplings disagree", *notes)
        return {"s": (n,)}


@op("thermo.ising_energy")
class IsingEnergy(_Coupled):
    """E(s) = -s.J.s / 2 - h.s (P12)."""

    s: Value = operand("n")
    J: Value | None = operand("n n", optional=True, constant=True)
    h: Value = operand("~n", default=0.0)
    values: Value | None = operand("z", optional=True, constant=True)
    columns: Value | None = operand("z", kind="index", optional=True, constant=True)
    offsets: Value | None = operand("k", kind="index", optional=True, constant=True)
    E: Value = result("", role=Role.energy)

    def coupled_shapes(self, n: int, shapes: dict[str, Any]) -> dict[str, Shape]:
        into((n,), h=shapes["h"])
        if shapes["s"] != (n,):
            notes = f"s has shape {list(shapes['s'])}", f"there are {n} units"
            raise ShapeProblem("s and the couplings disagree", *notes)
        return {"E": ()}


def _fit(n: int, sweeps: int, shapes: dict[str, Any]) -> None:
    into((sweeps, n), T=shapes["T"])
    into((n,), h=shapes["h"])
    if shapes["colors"] not in (None, (n,)):
        raise ShapeProblem("colors must name one for each unit", f"it has shape {list(shapes['colors'])}", f"{n} units")
