"""Sampled ops as noisy populations of Loihi: p-bits, categorical units, Gibbs sampling colour by colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, sampling, thermo
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.drives import Drives, LinearDrive, Term
from thermoc.passes.loihi.parameters import no_loihi_form, per_unit
from thermoc.passes.loihi.population_types import BoltzmannPopulation, NoisyPopulation
from thermoc.support.array_types import AnyArray, FloatArray, IntArray
from thermoc.support.errors import error


def sample_binary(op: thermo.SampleBinary, drives: Drives, dt: float) -> Iterator[NoisyPopulation]:
    """Yield a population of independent p-bits."""
    shape = op.s.shape
    yield NoisyPopulation(
        name=op.s.name,
        op=op,
        shape=shape,
        drive=drives.spread(op.drive, shape),
        T=_temperature(op, drives, shape),
        heated=_heated(op, drives, shape),
        stream=op.stream,
        levels=op.levels,
        initial=np.zeros(op.s.size),
    )


def sample_categorical(op: thermo.SampleCategorical, drives: Drives, dt: float) -> Iterator[NoisyPopulation]:
    """Yield a population of which one unit spikes a tick."""
    shape = op.s.shape
    T = _temperature(op, drives, shape)
    drive = drives.of(op.x)
    yield NoisyPopulation(
        name=op.s.name,
        op=op,
        shape=shape,
        drive=drive,
        T=T,
        heated=_heated(op, drives, shape),
        stream=op.stream,
        categorical=True,
    )


def boltzmann(op: thermo.Boltzmann, drives: Drives, dt: float) -> Iterator[BoltzmannPopulation]:
    """Yield a population that says the probabilities from which a categorical one draws."""
    shape = op.p.shape
    T, heated = _temperature(op, drives, shape), _heated(op, drives, shape)
    yield BoltzmannPopulation(name=op.p.name, op=op, shape=shape, drive=drives.of(op.x), T=T, heated=heated)


def gibbs(op: Any, drives: Drives, dt: float) -> Iterator[NoisyPopulation]:
    """Yield a coupled network that is sampled colour by colour, a tick of Loihi each.

    What a unit reads of the others is a synapse old; it is right all the same, for units of other colours did not
    change in that tick.
    """
    n: int = op.s.size
    colour = _colours(op, drives)
    if op.draws != "unit":
        notes = [f"its units share random words: draws = {op.draws!r}"]
        raise error("T301", f"{op.opname} has no form here", where=op.location, notes=notes, hint='take draws="unit"')
    keeps_state = isinstance(op, sampling.Gibbs)
    if not keeps_state:
        _check_state(op, drives)
    before: Any = op if keeps_state else drives.graph.producers[op.x.name]
    colours = int(colour.max(initial=0)) + 1
    term = Term(source=op.s.name, map=couplings(op, drives.constants), delay=1)
    field = drives.spread(op.h, (n,)).plus(LinearDrive(terms=(term,), bias=np.zeros(n)))
    yield NoisyPopulation(
        name=op.s.name,
        op=op,
        shape=(n,),
        # The flip of a spin changes the energy by twice its field.
        drive=field.scaled(2.0 if op.levels == "spin" else 1.0),
        T=_sweeps_temperature(op, drives, n),
        heated=_heated(op, drives, (n,)),
        stream=op.stream,
        levels=op.levels,
        turn=colour,
        turns=colours,
        sweeps=op.sweeps,
        initial=per_unit(drives.constants[before.initial.name], (n,)),
        earliest_lag=1,
        # gibbs sends what it was before its sweeps, gibbs_sweeps what it is after the last of them.
        offset=-1 if keeps_state else colours * op.sweeps - 1,
    )


def _colours(op: Any, drives: Drives) -> IntArray:
    """Return the colour of each unit, counted from 0 without gaps; without colours each unit has its own."""
    n: int = op.s.size
    if op.order == "parallel":
        return np.zeros(n, np.int64)
    colours: AnyArray = np.arange(n) if op.colors is None else drives.constants[op.colors.name]
    # A colour without units would waste a tick of Loihi in every sweep.
    numbered: IntArray = np.unique(colours, return_inverse=True)[1]
    return numbered


def couplings(op: Any, constants: Mapping[str, AnyArray]) -> maps.Map:
    """Return the couplings of a sampled network."""
    if op.J is not None:
        return maps.of_affine(constants[op.J.name], (op.s.size,))
    values, columns, offsets = (constants[value.name] for value in (op.values, op.columns, op.offsets))
    return maps.of_rows(values, columns, offsets, op.s.size)


def _check_state(op: sampling.GibbsSweeps, drives: Drives) -> None:
    """Check that the state handed to an op is the one that it left a tick before. Errors: T205."""
    before = drives.graph.producers[op.x.name]
    if not isinstance(before, core.Delay) or before.x.name != op.s.name or before.ticks != 1:
        note = f"its x is {op.x}, another value than its own s a tick before"
        raise no_loihi_form(op, op.s, note, hint="use thermo.gibbs, which keeps its state")


def _sweeps_temperature(op: Any, drives: Drives, n: int) -> FloatArray | Value:
    shape = op.T.shape
    if len(shape) == 2 and shape[0] > 1:
        note = f"T has a row for each of {shape[0]} sweeps"
        raise no_loihi_form(op, op.s, note, "a population of Loihi has one temperature a tick")
    numbers = drives.constants.get(op.T.name)
    return per_unit(numbers.reshape(-1), (n,)) if numbers is not None else op.T


def _temperature(op: Any, drives: Drives, shape: Shape) -> FloatArray | Value:
    numbers = drives.constants.get(op.T.name)
    return per_unit(numbers, shape) if numbers is not None else op.T


def _heated(op: Any, drives: Drives, shape: Shape) -> LinearDrive | None:
    """Return the temperature of noise where it is computed on Loihi, None where it is a number or the host's."""
    if op.T.name in drives.constants or op.T.name not in drives.on_loihi:
        return None
    T: Value = op.T
    # T may have an axis more, of sweeps that are all alike.
    index = np.broadcast_to(np.arange(T.size).reshape(T.shape), (1,) * (len(T.shape) - len(shape)) + shape)
    return drives.of(T).moved(index.reshape(-1))
