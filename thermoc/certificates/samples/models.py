"""The law that samples are held against: exp(-E / T) of a network's units, or of a problem's spins."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates.samples.forces import confined, force_of
from thermoc.frontends.formats import by_suffix
from thermoc.frontends.problems import read
from thermoc.frontends.problems.bqm import ising_model
from thermoc.frontends.problems.problem import Problem
from thermoc.ir.dialects import core, diffusive, langevin, sampling, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.network import Network, load
from thermoc.physics.ising_model import IsingModel
from thermoc.support.errors import ThermocError, error
from thermoc.support.suggestions import near


@dataclass(frozen=True, kw_only=True)
class BinaryLaw:
    """Binary units at exp(-E / T), E = -s.J.s / 2 - h.s + offset (P12). T: (units,). levels: spin or binary."""

    name: str
    op: str
    J: Any
    h: NDArray
    T: NDArray
    levels: str
    sha256: str
    offset: float = 0.0
    labels: tuple[Any, ...] = ()

    @property
    def units(self) -> int:
        """How many there are."""
        return len(self.h)

    def energy(self, s: NDArray) -> NDArray:
        """Return the energies of states (..., units)."""
        return physics.ising_energy(s, self.J, self.h) + self.offset

    def drive(self, s: NDArray) -> NDArray:
        """Return the energy that each unit's upper level lies below its lower one, over T: (samples, units)."""
        field = np.asarray((self.J @ s.T).T) + self.h
        return (2 if self.levels == "spin" else 1) * field / self.T

    def at(self, T: NDArray) -> BinaryLaw:
        """Return the law at other temperatures."""
        return replace(self, T=T)

    def permuted(self, order: NDArray) -> BinaryLaw:
        """Return the law with couplings and fields handed to other units."""
        return replace(self, J=self.J[order][:, order], h=self.h[order])


@dataclass(frozen=True, kw_only=True)
class RealLaw:
    """Real units at exp(-E / T), of which dE/dx is known. T: (units,)."""

    name: str
    op: str
    gradient: Callable[[NDArray], NDArray]
    T: NDArray
    sha256: str
    units: int
    levels: str = "real"
    labels: tuple[Any, ...] = ()

    def at(self, T: NDArray) -> RealLaw:
        """Return the law at other temperatures."""
        return replace(self, T=T)

    def permuted(self, order: NDArray) -> RealLaw:
        """Return the law with forces handed to other units."""
        inverse = np.argsort(order)
        return replace(self, gradient=lambda x: self.gradient(x[:, inverse])[:, order])


def law_of(model: Any, *, T: Any = None, output: str | None = None, kind: str | None = None) -> BinaryLaw | RealLaw:
    """Return the law of a network, a graph, an Ising model, a problem, a model of dimod, or the path of one of them.

    T: the temperature, one or one a unit, which problems do not state; of a network default its own. output: which
    output of a network. kind: of a problem's file. Errors: T404, T405, T427, and those of the readers.
    """
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        if path.suffix.lower() == ".thermo" or by_suffix(path.suffix.lower()):
            return law_of(load(path), T=T, output=output)
        problem = read(path, kind)
        return law_of(problem, T=T)
    if isinstance(model, Network):
        return _network(model.graph, T, output)
    if isinstance(model, Graph):
        return _network(model, T, output)
    if isinstance(model, Problem):
        labels = tuple(getattr(getattr(model, "form", None), "labels", ()))
        return _ising(model.model, model.name, T, labels)
    if isinstance(model, IsingModel):
        return _ising(model, "Ising model", T, ())
    if hasattr(model, "vartype") and hasattr(model, "to_numpy_vectors"):
        converted, labels = ising_model(model)
        return _ising(converted, "binary quadratic model", T, tuple(labels))
    raise error("T404", "samples are held against a network, a problem or an Ising model", notes=[f"not {type(model)}"])


def _ising(model: IsingModel, name: str, T: Any, labels: tuple[Any, ...]) -> BinaryLaw:
    if T is None:
        hint = "--temperature T, in Python T=..., in the units of the energies"
        raise error("T404", f"{name}: at which temperature?", notes=["a problem states none"], hint=hint)
    parts = (model.J.indptr, model.J.indices, model.J.data, model.h)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in parts)).hexdigest()
    temperatures = _temperatures(T, model.size)
    return BinaryLaw(
        name=name, op="spins", J=model.J, h=model.h, T=temperatures, levels="spin", sha256=digest,
        offset=model.offset, labels=labels,
    )  # fmt: skip


def _network(graph: Graph, T: Any, output: str | None) -> BinaryLaw | RealLaw:
    op = _sampler(graph, output)
    constants = _constants(graph, op, T)
    size = op.results[0].size
    about: dict[str, Any] = {"name": graph.name, "op": f"{op.opname} {op.results[0]}", "sha256": graph.hash}
    about["T"] = _temperatures(constants["T"] if T is None else T, size)
    if isinstance(op, sampling.Gibbs):
        return _gibbs(op, constants, about)
    if isinstance(op, thermo.Memory):
        gamma, x = (np.broadcast_to(constants[name], op.m.shape).reshape(-1) for name in ("gamma", "x"))
        return RealLaw(**about, units=size, gradient=lambda m: m - x / gamma)
    if isinstance(op, diffusive.OuNetwork):
        K, b = constants["K"], np.broadcast_to(constants["b"], size)
        return RealLaw(**about, units=size, gradient=lambda x: x @ K - b)
    if not confined(graph, op):
        notes = ["its force does not depend on where it is, so it spreads for ever"]
        raise error("T427", f"{about['op']} has no equilibrium to sample", where=op.location, notes=notes)
    force, shape = force_of(graph, op), op.results[0].shape
    k = np.broadcast_to(constants["stiffness"], shape).reshape(-1) if "stiffness" in constants else 0.0
    law = RealLaw(**about, units=size, gradient=lambda x: k * x - force(x.reshape(-1, *shape)).reshape(x.shape))
    _check_conservative(law, op)
    return law


def _gibbs(op: sampling.Gibbs, known: Mapping[str, NDArray], about: dict[str, Any]) -> BinaryLaw:
    from scipy.sparse import csr_array

    n = op.s.size
    if "J" in known:
        J = csr_array(known["J"].astype(float))
    else:
        parts = tuple(known[name] for name in ("values", "columns", "offsets"))
        J = csr_array(parts, shape=(n, n)).astype(float)
    if len((J - J.T).data) and abs(J - J.T).max() > 0:
        raise error("T427", f"{about['op']} has no energy", where=op.location, notes=["its couplings differ both ways"])
    if op.order == "parallel":
        notes = ['order="parallel" samples another distribution than exp(-E / T)']
        raise error("T427", f"{about['op']} has no energy", where=op.location, notes=notes)
    return BinaryLaw(**about, J=J, h=np.broadcast_to(known["h"], n).astype(float), levels=op.levels)


SAMPLERS = (sampling.Gibbs, thermo.Memory, diffusive.OuNetwork, langevin.Brownian, langevin.Langevin)
"""Ops that settle to exp(-E / T) with an energy that their graph tells."""


def _sampler(graph: Graph, output: str | None) -> Op:
    """Return the op whose units are sampled. Errors: T401, T427."""
    of = {op.results[0].name: op for op in graph.ops if isinstance(op, SAMPLERS)}
    by_output = {name: of[op.x.name] for name, op in graph.outputs.items() if op.x.name in of}
    names = list(graph.outputs)
    if output is not None:
        if output not in graph.outputs:
            raise error(
                "T401",
                f"{graph.name} has no output {output!r}",
                notes=[f"outputs: {names}"],
                hint=near(output, graph.outputs),
            )
        if output not in by_output:
            raise _no_law(graph, f"its output {output!r} is not the state of one")
        return by_output[output]
    if len(set(by_output.values())) == 1:
        return next(iter(by_output.values()))
    if len(of) == 1 and not by_output:
        return next(iter(of.values()))
    if not of:
        raise _no_law(graph, f"its outputs are {names}")
    hint = "--of OUTPUT, in Python output=..."
    raise error(
        "T404", f"{graph.name}: the samples of which output?", notes=[f"there are {list(by_output)}"], hint=hint
    )


def _no_law(graph: Graph, fact: str) -> ThermocError:
    kinds = ", ".join(kind.opname for kind in SAMPLERS)
    return error("T427", f"{graph.name}: no op with a known energy", notes=[fact, f"known are {kinds}"])


def _constants(graph: Graph, op: Op, T: Any) -> dict[str, NDArray]:
    """Return the operands that are known numbers. Errors: T427 where one that the energy needs is not."""
    constants: dict[str, NDArray] = {}
    for name, value in op.operand_values:
        source = graph.producers[value.name]
        if isinstance(source, core.Stored):
            constants[name] = np.asarray(source.value.numpy, float)  # type: ignore[attr-defined]
        elif name not in ("initial", "velocity", "force") and not (name == "T" and T is not None):
            notes = [f"its {name} is computed by {source.opname}"]
            hint = "give it as a constant" + (", or state the temperature: --temperature T" if name == "T" else "")
            what = f"{op.opname} {op.results[0]}: its energy is not known beforehand"
            raise error("T427", what, where=op.location, notes=notes, hint=hint)
    return constants


def _temperatures(T: Any, units: int) -> NDArray:
    array = np.asarray(T, float)
    array = array[-1] if array.ndim == 2 else array
    if array.size not in (1, units) or not (np.isfinite(array) & (array > 0)).all():
        notes = [f"T = {T}" if array.size < 8 else f"T has shape {list(array.shape)}", f"{units} units"]
        raise error("T405", "a temperature is > 0, one for all units or one for each", notes=notes)
    return np.broadcast_to(array.reshape(-1), units).astype(float)


def _check_conservative(law: RealLaw, op: Op) -> None:
    """Refuse a force that is no gradient: its Jacobian at some places is not symmetric. Errors: T427."""
    n = law.units
    if n > 64:
        return
    step = 1e-4
    for x in np.random.default_rng(0).normal(size=(3, n)):
        shifts = np.concatenate([x + step * np.eye(n), x - step * np.eye(n)])
        g = law.gradient(shifts)
        H = (g[:n] - g[n:]) / (2 * step)
        worst = float(np.abs(H - H.T).max())
        if worst > 1e-4 * max(float(np.abs(H).max()), 1e-12):
            notes = [f"its Jacobian differs from its transpose by {worst:.3g}"]
            raise error("T427", f"{law.op}: its force is no gradient of an energy", where=op.location, notes=notes)
