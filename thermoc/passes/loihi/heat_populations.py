"""Thermal networks as populations of Loihi: nodes, with conductances as synapses between them."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (SciPy has no types for sparse arrays)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from thermoc import physics
from thermoc.ir.dialects import heat
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.drives import Drives, LinearDrive, Term
from thermoc.passes.loihi.parameters import no_loihi_form, parameter, per_unit
from thermoc.passes.loihi.population_types import HeatPopulation
from thermoc.support.array_types import FloatArray


def heat_network(op: heat.HeatNetwork, drives: Drives, dt: float) -> Iterator[HeatPopulation]:
    """Yield the nodes of a network of capacities and conductances (P17, P18), its step exact where dt is long too."""
    if op.k_B or op.frequency:
        what = "its conductances carry noise" if op.k_B else "its power has a ripple"
        raise no_loihi_form(op, op.T, what, "a node of Loihi takes what arrives, and no more")
    (n,) = op.T.shape
    C, ambient = (per_unit(parameter(op, name, drives), (n,)) for name in ("capacity", "ambient"))
    step = physics.heat_step(C, parameter(op, "conductance", drives), ambient, dt)
    between = C[:, np.newaxis] * step.decay
    # The step is symmetric in heat; rounding must not make a conductance of one way larger, or less than 0.
    K = np.maximum((between + between.T) / 2, 0.0) * (1 - np.eye(n))
    H = C[:, np.newaxis] * step.gain
    A = np.maximum(H * ambient, 0.0)
    T_ambient = _gathers(drives.spread(op.T_ambient, (n,)), drives, op, "T_ambient")
    power = _gathers(drives.spread(op.power, (n,)), drives, op, "power")
    own = np.diag(-K.sum(axis=1) - A.sum(axis=1)) + K
    itself = Term(source=op.T.name, map=maps.Matrix(rows=sp.csr_array(own)), delay=1)
    drive = LinearDrive(terms=(itself,), bias=np.zeros(n))
    for matrix, inner in ((A, T_ambient), (H, power)):
        drive = drive.plus(_heated(matrix, inner))
    yield HeatPopulation(
        name=op.T.name,
        op=op,
        shape=(n,),
        drive=drive,
        settling=1,
        capacity=C,
        K=K,
        A=A,
        H=H,
        T_ambient=T_ambient,
        power=power,
        decay=step.decay,
        initial=per_unit(parameter(op, "initial", drives), (n,)),
    )


def _gathers(drive: LinearDrive, drives: Drives, op: heat.HeatNetwork, name: str) -> LinearDrive:
    """Return a drive whose terms are gathers, so that a matrix of ours can go over each; a relay where it is not."""
    if all(isinstance(term.map, maps.Gather) for term in drive.terms):
        return drive
    value = getattr(op, name)
    drives.relayed(value)
    return drives.spread(value, (op.T.size,))


def _heated(matrix: FloatArray, inner: LinearDrive) -> LinearDrive:
    """Return what a tick of these temperatures or powers adds to each node, a tick later; nothing where it is none."""
    if not matrix.any():
        return LinearDrive(terms=(), bias=np.zeros(len(matrix)))
    outer = maps.Matrix(rows=sp.csr_array(matrix))
    terms = tuple(replace(term, map=maps.after(outer, term.map), delay=term.delay + 1) for term in inner.terms)  # type: ignore[arg-type]
    return LinearDrive(terms=terms, bias=matrix @ inner.bias)
