"""Particles in a bath: Brownian and Langevin dynamics (P29), forces between pairs and along bonds (P10, P11).

Forces are values of the network: whatever computes one from the positions may drive the particles. Positions are
states, x(t) the ones at the start of the tick, so the cycle force -> positions -> force is written with a placeholder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

import numpy as np

from thermoc.ir.bounds import above_zero, not_negative
from thermoc.ir.dialects.heat import at_least_zero
from thermoc.ir.dialects.thermo import into
from thermoc.ir.ops import (
    CONTINUOUS,
    STATEFUL,
    STOCHASTIC,
    Check,
    Op,
    Problem,
    ShapeProblem,
    attr,
    non_negative,
    one_of,
    op,
    operand,
    positive,
    result,
)
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray

lengths = Check(
    "a tuple of lengths > 0",
    lambda value: isinstance(value, tuple) and all(positive.holds(length) for length in cast("tuple[Any, ...]", value)),
)
truth = Check("true or false", lambda value: isinstance(value, bool))


@op("thermo.brownian")
class Brownian(Op):
    """dx = mobility (force - stiffness x) dt + sqrt(2 mobility T) dW (P29): overdamped Langevin dynamics.

    With stiffness the linear part is exact in law; the rest is Euler-Maruyama, weak and strong order 1 for this
    additive noise, for which Ito and Stratonovich agree. T, mobility and force are held over the tick.
    """

    force: Value = operand("*s")
    T: Value = operand("~s", role=Role.temperature)
    mobility: Value = operand("~s", default=1.0)
    # Apart from the force: within it a stiff harmonic part would bound dt.
    stiffness: Value | None = operand("~s", optional=True)
    initial: Value = operand("~s", uniform=True, default=0.0)
    stream: int = attr(check=non_negative)
    x: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC, CONTINUOUS})
    # The force of a tick moves the next position, so it may be computed from the present one.
    instant: ClassVar = ("initial",)

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "mobility", "stiffness")

    def states(self) -> dict[str, Shape]:
        return {"x": self.x.shape}


@op("thermo.langevin")
class Langevin(Op):
    """m dv = (force - m friction v) dt + sqrt(2 m friction T) dW, dx = v dt (P29), by BAOAB splitting.

    Weak order 2 in dt; configurations of a harmonic force have no error at any stable dt (Leimkuhler and Matthews
    2013). Noise is additive, so Ito and Stratonovich agree. friction = 0 is velocity Verlet. w is the velocity short of
    the closing half kick of the tick before, which needs the force at x: ``thermo.velocity`` adds it.
    """

    force: Value = operand("*s")
    T: Value = operand("~s", role=Role.temperature)
    mass: Value = operand("~s", default=1.0)
    friction: Value = operand("~s", default=1.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    velocity: Value = operand("~s", uniform=True, default=0.0)
    stream: int = attr(check=non_negative)
    x: Value = result("*s")
    w: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC, CONTINUOUS})
    instant: ClassVar = ("initial", "velocity")

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "mass")
        yield from not_negative(numbers, "friction")

    def states(self) -> dict[str, Shape]:
        shape = self.x.shape
        # kick: the share of a whole kick that the next step gives; only the first step begins with a half.
        return {"x": shape, "w": shape, "kick": ()}


@op("thermo.velocity")
class Velocity(Op):
    """v = w + dt force / (2 mass): closes the tick before of ``thermo.langevin``; nothing is missing at the first tick.

    w and force are those of the same tick.
    """

    w: Value = operand("*s")
    force: Value = operand("~s")
    mass: Value = operand("~s", default=1.0)
    v: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "mass")

    def states(self) -> dict[str, Shape]:
        return {"kick": ()}


@op("thermo.kinetic_energy")
class KineticEnergy(Op):
    """K = sum m v^2 / 2 (P9)."""

    v: Value = operand("*s")
    mass: Value = operand("~s", default=1.0)
    K: Value = result("", role=Role.energy)

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "mass")


@op("thermo.pair_force")
class PairForce(Op):
    """Force, energy and virial sum r f of all pairs of particles (P10); x is (n, d).

    harmonic: strength r^2 / 2; lennard_jones: 4 strength ((sigma/r)^12 - (sigma/r)^6); coulomb: strength q_i q_j / s
    with s^2 = r^2 + softening^2; table: ``energies`` over an increasing ``grid`` of distances, interpolated linearly.
    cutoff > 0: pairs at or beyond it count zero, and with ``shift`` the energy there is taken off the others'.
    box: the sides of a periodic box, in which the nearest image counts; () is open space.
    At r = 0 lennard_jones, coulomb without softening, and a table that starts at 0 have no force: two particles at one
    place are refused at the start, and if they meet during a run it ends with T405, which names them, the sample and
    the tick (in the reference and the simulator). An ONNX file cannot raise: there the forces, energy and virial become
    inf or nan, and so does what follows from them.
    """

    x: Value = operand("n d")
    strength: Value = operand("", default=1.0)
    sigma: Value = operand("", default=1.0)
    charge: Value = operand("~n", default=1.0)
    grid: Value | None = operand("k", constant=True, optional=True)
    energies: Value | None = operand("k", constant=True, optional=True)
    kind: str = attr(check=one_of("harmonic", "lennard_jones", "coulomb", "table"))
    cutoff: float = attr(default=0.0, check=at_least_zero, unit="length")
    shift: bool = attr(default=False, check=truth)
    softening: float = attr(default=0.0, check=at_least_zero, unit="length")
    box: tuple[float, ...] = attr(default=(), check=lengths, unit="length")
    f: Value = result("n d")
    U: Value = result("", role=Role.energy)
    W: Value = result("", role=Role.energy)

    # Positions are a state: what can be checked before a run are those it starts with.
    at_start: ClassVar = ("x",)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        n, d = shapes["x"]
        into((n,), charge=shapes["charge"])
        if self.box and len(self.box) != d:
            raise ShapeProblem("a box has a side an axis", f"box = {self.box}", f"x has shape {[n, d]}")
        if (self.kind == "table") != (shapes["grid"] is not None) or (shapes["grid"] is None) != (
            shapes["energies"] is None
        ):
            raise ShapeProblem("a table, and no other kind, takes a grid and energies", f"kind = {self.kind}")
        return {"f": (n, d), "U": (), "W": ()}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "sigma")
        # A second image of the same particle would be within reach, and only the nearest is counted.
        if self.box and self.cutoff > min(self.box) / 2:
            notes = (f"cutoff = {self.cutoff}", f"half the shortest side is {min(self.box) / 2}")
            yield Problem("T105", "the cut-off reaches beyond the nearest image", notes, "shorten it, or widen the box")
        grid = numbers.get("grid")
        if grid is not None and (np.diff(grid) <= 0).any():
            k = int(np.flatnonzero(np.diff(grid) <= 0)[0])
            notes = (f"grid[{k}] = {grid[k]}", f"grid[{k + 1}] = {grid[k + 1]}")
            yield Problem("T105", "the grid of a table must increase", notes)
        # Potentials whose force has no limit at r = 0.
        steep = self.kind in ("lennard_jones", "coulomb") and self.softening == 0
        if "x" in numbers and (steep or (grid is not None and grid[0] <= 0)):
            yield from _touching(numbers["x"], np.array(self.box))


@op("thermo.bond_force")
class BondForce(Op):
    """Force, energy and virial of springs strength (r - length)^2 / 2 between particles ``first`` and ``second`` (P10).

    x: (n, d); first, second: (m) numbers of particles; formed: 1 where there is a bond, as ``thermo.bonds`` says.
    """

    x: Value = operand("n d")
    first: Value = operand("m", kind="int", constant=True)
    second: Value = operand("m", kind="int", constant=True)
    strength: Value = operand("~m", default=1.0)
    length: Value = operand("~m", default=0.0)
    formed: Value = operand("~m", default=1.0)
    box: tuple[float, ...] = attr(default=(), check=lengths, unit="length")
    f: Value = result("n d")
    U: Value = result("", role=Role.energy)
    W: Value = result("", role=Role.energy)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        n, d = shapes["x"]
        into(shapes["first"], **{name: shapes[name] for name in ("strength", "length", "formed")})
        if self.box and len(self.box) != d:
            raise ShapeProblem("a box has a side an axis", f"box = {self.box}", f"x has shape {[n, d]}")
        return {"f": (n, d), "U": (), "W": ()}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from _ends(self, numbers)


@op("thermo.bonds")
class Bonds(Op):
    """Bonds that form where r < r_form and break where r > r_break (P11); between the two they stay as they were.

    formed: (m) ones and zeros, after the rule; E = sum of ``energy`` over the bonds that are formed, for the ledger.
    """

    x: Value = operand("n d")
    first: Value = operand("m", kind="int", constant=True)
    second: Value = operand("m", kind="int", constant=True)
    energy: Value = operand("~m")
    initial: Value = operand("~m", uniform=True, default=0.0)
    r_form: float = attr(check=positive, unit="length")
    r_break: float = attr(check=positive, unit="length")
    box: tuple[float, ...] = attr(default=(), check=lengths, unit="length")
    formed: Value = result("m")
    E: Value = result("", role=Role.energy)

    traits: ClassVar = frozenset({STATEFUL})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        into(shapes["first"], energy=shapes["energy"], initial=shapes["initial"])
        return {"formed": shapes["first"], "E": ()}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from _ends(self, numbers)
        # Between the two both rules would hold at once.
        if self.r_form > self.r_break:
            notes = (f"r_form = {self.r_form}", f"r_break = {self.r_break}")
            yield Problem("T105", "a bond would form where it breaks", notes)

    def states(self) -> dict[str, Shape]:
        return {"formed": self.formed.shape}


def _touching(x: AnyArray, box: AnyArray) -> Iterator[Problem]:
    wrapped = x - box * np.floor(x / box) if len(box) else x
    # Sorted, equal positions stand side by side: n log n in place of all pairs.
    order = np.lexsort(wrapped.T)
    same = np.flatnonzero((np.diff(wrapped[order], axis=0) == 0).all(axis=1))
    if len(same):
        i, j = sorted(int(k) for k in order[same[0] : same[0] + 2])
        notes = (f"particles {i} and {j} are both at {x[i].tolist()}",)
        yield Problem("T105", "r = 0 in a pair potential", notes, "move one, or give a softening")


def _ends(op: Any, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
    n = op.x.shape[0]
    for name in ("first", "second"):
        array = numbers.get(name, np.zeros(0))
        wrong = np.flatnonzero((array < 0) | (array >= n))
        if len(wrong):
            notes = (f"{name}[{wrong[0]}] = {array[wrong[0]]}", f"there are {n} particles")
            yield Problem("T105", "a bond ends at no particle", notes)
    if "first" in numbers and "second" in numbers:
        same = np.flatnonzero(numbers["first"] == numbers["second"])
        if len(same):
            notes = (f"bond {same[0]} joins particle {numbers['first'][same[0]]} to itself",)
            yield Problem("T105", "a bond joins two particles", notes)
