"""The temperature at which each unit of a run drew, by what it did (P6, P47): on a hot die, that of its place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.certificates.observed import instrumented, observe, seen_of
from thermoc.certificates.samples.binary import unit_temperatures as by_neighbours
from thermoc.certificates.samples.blocks import blocks_of
from thermoc.certificates.samples.chains import summaries_of
from thermoc.certificates.samples.formats import samples_of
from thermoc.certificates.samples.models import BinaryLaw, law_of
from thermoc.certificates.samples.real import unit_temperatures as by_virial
from thermoc.ir.dialects import sampling, thermo
from thermoc.ir.ops import Op
from thermoc.physics import TemperatureFit, UnitTemperatures, binary_temperatures
from thermoc.run import Call, Run, run_of
from thermoc.session import run_again
from thermoc.support.errors import error
from thermoc.support.plurals import counted


def effective_temperatures(run: Run, output: str | None = None, *, warmup: int | None = None) -> UnitTemperatures:
    """Return the temperature of each unit of an output with its interval at 99 %, beside the one asked for.

    Of p-bits and units swept once a tick it is the most likely one, of each draw at its drive: draws are independent
    given these, so nothing is lost to autocorrelation. Of other units, whose law must be an equilibrium, it is that of
    their pseudolikelihood or virial, autocorrelation counted. On a chip at its die's temperature, ``predicted`` is what
    the model of heat says of each unit's place, averaged over ticks. warmup: ticks left out, default a quarter.
    Errors: T401, T404, T427.
    """
    call = run_of(run).call
    if call is None:
        notes, hint = ["it was read from a file, which holds no network"], "tc.certify_samples takes samples of files"
        raise error("T404", "the drives of this run are not known", notes=notes, hint=hint)
    op = _drawing(call, output)
    warmup = call.ticks // 4 if warmup is None else warmup
    if not 0 <= warmup < call.ticks - 1:
        raise error("T404", "warmup must leave two ticks", notes=[f"warmup = {warmup}", f"{call.ticks} ticks"])
    stated, fit = _fitted(call, op, warmup)
    result = op.results[0]
    about = {"title": f"{run.title}: {op.opname} {result}", "shape": result.shape, "stated": stated}
    return UnitTemperatures(T=fit.T, low=fit.low, high=fit.high, predicted=_predicted(run, op, stated, warmup), **about)


def _drawing(call: Call, output: str | None) -> Op:
    """Return the op that draws an output, or the only one. Errors: T401, T404."""
    graph = call.executable.source
    ops = {name: graph.producers[op.x.name] for name, op in graph.outputs.items()}
    if output is not None:
        if output not in ops:
            raise error("T401", f"{graph.name} has no output {output!r}", notes=[f"outputs: {list(ops)}"])
        return ops[output]
    kinds = (sampling.Gibbs, thermo.SampleBinary)
    drawing = {id(op): op for op in ops.values() if isinstance(op, kinds)}
    if len(drawing) != 1:
        notes = [f"{len(drawing)} outputs are drawn by units of two levels"]
        raise error("T404", f"{graph.name}: the temperatures of which output?", notes=notes, hint="name it")
    return next(iter(drawing.values()))


def _fitted(call: Call, op: Op, warmup: int) -> tuple[NDArray, TemperatureFit]:
    """Return the temperatures asked for, (units,), and those that were shown."""
    graph = call.executable.source
    if isinstance(op, thermo.SampleBinary) or (isinstance(op, sampling.Gibbs) and op.sweeps == 1):
        outputs = run_again(call.executable.recompiled(instrumented(graph, (op,))), call).outputs
        observed = observe(graph, op, seen_of(graph, outputs), call.timed, call.position, warmup)
        up, drive, T = _draws(observed) if isinstance(op, thermo.SampleBinary) else _updates(observed)
        return T, binary_temperatures(up, drive)
    law = law_of(graph, output=next(name for name, out in graph.outputs.items() if graph.producers[out.x.name] is op))
    name = op.results[0].name
    outputs = run_again(call.executable.recompiled(instrumented(graph, (op,))), call).outputs
    values = seen_of(graph, outputs)[name]
    samples = samples_of(values[warmup:].reshape(*values[warmup:].shape[:2], -1).astype(float))
    blocks = blocks_of(samples.values, summaries_of(samples, law), independent=False)
    if blocks is None:
        notes = [f"{counted(call.ticks - warmup, 'tick')} of {counted(call.batch, 'sample')}"]
        raise error("T404", "the run is too short for error bars", notes=notes, hint="run longer, or more samples")
    return law.T, by_neighbours(blocks, law) if isinstance(law, BinaryLaw) else by_virial(blocks, law)


def _draws(observed: Any) -> tuple[NDArray, NDArray, NDArray]:
    """Return levels, drives (draws, units) and the mean temperature of p-bits."""
    start = observed.warmup
    s, drive, T = observed["s"], observed.like("drive", "s"), observed.like("T", "s")
    drive = np.broadcast_to(drive, s.shape)
    up = (s > 0).reshape(*s.shape[:2], -1)[start:]
    # at a temperature that moves, drives over its share of the mean
    T = np.broadcast_to(T, s.shape).reshape(up.shape[0] + start, up.shape[1], -1)[start:]
    mean = T.mean(axis=(0, 1))
    flat = drive.reshape(T.shape[0] + start, T.shape[1], -1)[start:] / (T / mean)
    units = flat.shape[2]
    return up.reshape(-1, units), flat.reshape(-1, units), mean


def _updates(observed: Any) -> tuple[NDArray, NDArray, NDArray]:
    """Return levels after each update, the energy that each drew at, and the temperature of coupled units."""
    from thermoc.certificates.sampling import couplings

    op, J, start = observed.op, couplings(observed), observed.warmup
    n = J.shape[0]
    colors = np.arange(n) if "colors" not in observed else observed.constants["colors"]
    colors = np.zeros(n, int) if op.order == "parallel" else colors
    before, after = observed["s"][start:-1], observed["s"][start + 1 :]
    h = observed.like("h", "s")[start:-1]
    drive = np.empty((*after.shape[:2], n))
    for color in np.unique(colors):
        members = np.flatnonzero(colors == color)
        # colours before this one had their new levels already when this one was drawn
        state = np.where(colors < color, after, before).reshape(-1, n)
        drive[..., members] = np.asarray((J[members] @ state.T).T).reshape(*after.shape[:2], -1)
    drive = (2 if op.levels == "spin" else 1) * (drive + h)
    T = observed["T"]
    T = T.reshape(*T.shape[:2], -1)
    T = np.broadcast_to(T, (len(observed["s"]), after.shape[1], n))[start:-1]
    mean = T.mean(axis=(0, 1))
    return (after > 0).reshape(-1, n), (drive / (T / mean)).reshape(-1, n), mean


def _predicted(run: Run, op: Op, stated: NDArray, warmup: int) -> NDArray | None:
    """Return what the die's temperatures make of those asked for: T times a place's kelvins over the kelvins meant."""
    name, call = op.results[0].name, run.call
    if call is None or run.chip is None or getattr(call.executable.options, "temperature", "model") != "die":
        return None
    kelvin = run.chip.run.kelvin
    if name not in kelvin:
        return None
    ticks, targets = run.chip.run.units.ticks, run.chip.run.targets[name]
    at = kelvin[name].reshape(len(ticks), -1, kelvin[name].shape[-1])
    selected = ticks >= call.begun + warmup
    ratio = at[selected] / targets[selected][:, np.newaxis, np.newaxis]
    return stated * ratio.mean(axis=(0, 1))
