"""What quantisation did to each number, and what it does to the law a sampled network settles to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thermoc.ir.dialects.loihi import LIMIT
from thermoc.ir.values import Value
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.clocks import Clocks
from thermoc.passes.loihi.design_types import Design, MessageFormat
from thermoc.passes.loihi.designs import TEMPERATURE_STEPS
from thermoc.passes.loihi.error_bounds import LOGIT, Errors, of_drive
from thermoc.passes.loihi.population_types import (
    HeatPopulation,
    HostPopulation,
    LifPopulation,
    MemoryPopulation,
    NoisyPopulation,
    RelaxationPopulation,
)
from thermoc.passes.loihi.relaxation_errors import NORMAL
from thermoc.physics import all_states
from thermoc.support.array_types import AnyArray, FloatArray

MOST_ENUMERATED = 20


class LawDivergence(NamedTuple):
    """Between exp(-E / T) of a network's numbers and of its integers: Kullback-Leibler in nats, total variation."""

    kl: float
    tv: float
    exact: bool


def report_changes(
    log: Log,
    designs: Sequence[Design],
    formats: Mapping[str, MessageFormat],
    errors: Errors,
    *,
    timing: Clocks,
    constants: Mapping[str, AnyArray],
) -> None:
    """Record every number that was replaced."""
    for name, source in formats.items():
        if name not in timing.lags and source.bits:
            largest = float(source.bound.max() / source.scale)
            bound = f"off by at most {0.5 / source.scale:.3g}; beyond {largest:.6g} it is clipped"
            log.changed(f"{name}, to the chip", old="a number", new=f"{source.scale:g} a unit", bound=bound)
    for design in designs:
        _report_weights(log, design, formats)
        _report_population(log, design, formats, errors)
    last = max(timing.lags.values(), default=0)
    if last or timing.every > 1:
        new = f"{timing.every} of the chip's, the last of its populations {last} later"
        log.changed("a tick", old="one of the network's", new=new, bound="none: outputs are put back in place")


def _report_weights(log: Log, design: Design, formats: Mapping[str, MessageFormat]) -> None:
    for term, weights in zip(design.population.drive.terms, design.weights):
        real = weights.real * formats[term.source].scale / design.scale
        off = float(np.abs(real - term.map.weights).max(initial=0.0))
        largest = float(np.abs(term.map.weights).max(initial=0.0))
        mantissa = int(np.abs(weights.mantissa).max(initial=0))
        log.changed(
            f"weights %{term.source} to %{design.population.name}",
            old=f"{len(np.ravel(term.map.weights))} of at most {largest:.6g}",
            new=f"at most {mantissa} << {weights.exponent}, {weights.sign_mode}",
            bound=f"each off by at most {off:.3g}",
        )


def _report_population(log: Log, design: Design, formats: Mapping[str, MessageFormat], errors: Errors) -> None:
    population, n = design.population, design.numbers
    name = f"%{population.name}"
    if isinstance(population, HostPopulation):
        ops = ", ".join(sorted({op.opname for op in population.ops}))
        new = f"{ops}: by a process of the host between the chip's units"
        log.changed(name, old="on the chip", new=new, bound=f"a tick to it, and one from it; {0.5 / design.sent:.3g}")
        return
    if population.drive.bias.any():
        _report_bias(log, name, design)
    if isinstance(population, LifPopulation):
        _report_lif(log, name, population, design)
    elif isinstance(population, MemoryPopulation):
        keep = (4096 - n["dm"]) / 4096
        log.changed(
            f"decay of {name}",
            old=f"{population.keep:.9g}",
            new=f"{4096 - n['dm']} / 4096",
            bound=f"off by {abs(keep - population.keep):.3g} a tick",
        )
    elif isinstance(population, NoisyPopulation):
        _report_noisy(log, name, population, design)
    elif isinstance(population, HeatPopulation):
        _report_heat(log, name, population, design)
    elif isinstance(population, RelaxationPopulation):
        _report_relaxation(log, name, population, design, float(errors[population.name].max()))
    drive = float(of_drive(design, formats, errors).max(initial=0.0))
    log.changed(f"drive of {name}", old="1", new=f"{design.scale:g}", bound=f"a tick's is off by at most {drive:.4g}")


def _report_bias(log: Log, name: str, design: Design) -> None:
    exact, integers = design.population.drive.bias, design.bias - design.rounding
    off = float(np.abs(integers / design.bias_scale - exact).max())
    shift = f" << {design.numbers['bias_exp']}" if isinstance(design.population, LifPopulation) else ""
    log.changed(f"bias of {name}", old=_span(exact), new=_span(integers) + shift, bound=f"off by {off:.3g}")


def _report_lif(log: Log, name: str, population: LifPopulation, design: Design) -> None:
    n, scale = design.numbers, design.scale
    off = abs(n["vth"] / scale - population.threshold)
    log.changed(f"threshold of {name}", old=f"{population.threshold:.9g}", new=n["vth"], bound=f"off by {off:.3g}")
    decays = (("membrane", population.keep, n["dv"], 4096), ("current", population.fall, n["du"], 4095))
    for what, real, integers, top in decays:
        if real.any():
            off = float(np.abs((top - integers) / 4096 - real).max())
            log.changed(
                f"{what} kept by {name}",
                old=_span(real),
                new=f"{_span(top - integers)} / 4096",
                bound=f"off by {off:.3g} a tick",
            )
    method = getattr(population.op, "method", "")
    if population.fall.any() and method != "semi_implicit":
        bound = "the membrane takes the new current: order 1 in dt"
        log.changed(f"integration of {name}", old=method, new="semi_implicit", bound=bound)


def _report_heat(log: Log, name: str, population: HeatPopulation, design: Design) -> None:
    capacity, quantum = design.numbers["capacity"], design.scale / design.sent
    off = float(np.abs(capacity / quantum / population.capacity - 1).max())
    bound = f"off by {off:.3g} of itself"
    log.changed(f"heat capacity of {name}", old=_span(population.capacity), new=_span(capacity), bound=bound)
    farthest = float(design.numbers["farthest"].max() / design.sent)
    bound = (
        f"heat is kept to the last quantum up to a temperature of {LIMIT / design.sent:.4g}, {farthest:.4g} expected"
    )
    log.changed(f"temperature of {name}", old="1", new=f"{design.sent:g}", bound=bound)


def _report_relaxation(log: Log, name: str, population: RelaxationPopulation, design: Design, error: float) -> None:
    n = design.numbers
    kept = n["loss"] * 2.0 ** (-24.0 - n["shift"])
    off = float(np.abs(kept - population.loss).max())
    if population.loss.any():
        new = f"{_span(n['loss'])} >> {_span(24 + n['shift'])}"
        log.changed(f"lost by {name} a tick", old=_span(population.loss), new=new, bound=f"off by {off:.3g}")
    if n["loudest"].any():
        old, new = _span(n["loudest"]), f"{n['noise_scale']:g} a unit"
        bound = f"each normal off by at most {NORMAL} deviations: {NORMAL * float(n['loudest'].max()):.3g}"
        log.changed(f"noise of {name}", old=old, new=new, bound=bound)
    if population.floor is not None:
        off = abs(n["floor"] / design.sent - population.floor)
        log.changed(f"floor of {name}", old=f"{population.floor:g}", new=n["floor"], bound=f"off by {off:.3g}")
    bound = f"off by at most {error:.3g} in any tick"
    log.changed(f"state of {name}", old="1", new=f"{design.sent:g}, and 24 bits below", bound=bound)


def _report_noisy(log: Log, name: str, population: NoisyPopulation, design: Design) -> None:
    steps = TEMPERATURE_STEPS * design.scale
    if population.heated is not None:
        bound = "none where it is a multiple by a power of two, else off by 1/254 of itself"
        log.changed(f"temperature of {name}", old=population.T, new=f"{steps:g} a unit, on the chip", bound=bound)
        return
    if isinstance(population.T, Value):
        bound = f"off by at most {1 / (2 * steps):.3g}"
        log.changed(f"temperature of {name}", old=population.T, new=f"{steps:g} a unit", bound=bound)
        return
    integers = design.numbers["T"]
    off = float(np.abs(integers / steps - population.T).max())
    bound = f"off by {off:.3g}; the logit of a random number by at most {LOGIT}"
    log.changed(f"temperature of {name}", old=_span(population.T), new=_span(integers), bound=bound)
    law = law_divergence(population, design) if population.turn is not None else None
    if law is not None:
        word = "" if law.exact else "at most "
        bound = f"KL {word}{law.kl:.3g} nats, total variation {word}{law.tv:.3g}"
        old, new = "exp(-E / T) of the numbers", "exp(-E / T) of the integers"
        log.changed(f"law of {name}", old=old, new=new, bound=bound)


def law_divergence(population: NoisyPopulation, design: Design) -> LawDivergence | None:
    """Return how far the law of the integers is from that of the numbers; None where a unit is driven from outside.

    By enumeration up to 20 units; beyond, from the most an exponent can change: TV <= tanh(delta), KL <= 2 delta.
    """
    # With a temperature for each unit J / T is not symmetric, and the law has no closed form.
    if isinstance(population.T, Value) or len(population.drive.terms) != 1 or np.ptp(population.T):
        return None
    exact, quantised = _ising(population, float(np.ravel(population.T)[0]), design)
    (J, h), (Jq, hq) = exact, quantised
    if population.size > MOST_ENUMERATED:
        # Each coupling stands twice in J, once in the energy.
        delta = float(abs(J - Jq).sum() / 2 + np.abs(h - hq).sum())
        return LawDivergence(2 * delta, float(np.tanh(delta)), False)
    states = all_states(population.size, population.levels)
    p, q = _law(states, J.toarray(), h), _law(states, Jq.toarray(), hq)
    return LawDivergence(float(np.sum(p * np.log(p / q))), float(np.abs(p - q).sum() / 2), True)


def _ising(
    population: NoisyPopulation, T: float, design: Design
) -> tuple[tuple[Any, FloatArray], tuple[Any, FloatArray]]:
    """Return couplings and fields over the temperature, by the numbers (T) and by the integers."""
    term, weights = population.drive.terms[0], design.weights[0]
    factor = 2.0 if population.levels == "spin" else 1.0
    Tq = float(np.ravel(design.numbers["T"])[0]) / TEMPERATURE_STEPS
    J = term.map.matrix().rows / (factor * T)
    Jq = term.map.with_weights(weights.real).matrix().rows / (factor * Tq)
    return (J, population.drive.bias / factor / T), (Jq, design.bias / factor / Tq)


def _law(states: AnyArray, J: AnyArray, h: FloatArray) -> FloatArray:
    """Return exp(-E) of each state, normalised, from its lowest energy so that none overflows."""
    E = -((states @ J / 2 + h) * states).sum(axis=1)
    # The ground state has weight 1: no exponential overflows at low T.
    weight = np.exp(-(E - E.min()))
    return weight / weight.sum()


def _span(numbers: Any) -> str:
    low, high = np.min(numbers), np.max(numbers)
    return f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
