"""What quantising did to each number, and what it does to the law a sampled network settles to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.values import Value
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.error_bounds import LOGIT, of_drive
from thermoc.passes.loihi.scales import FRACTION, Design, Source
from thermoc.passes.loihi.units import GradedUnit, LifUnit, MemoryUnit, NoisyUnit
from thermoc.physics import all_states

MOST_ENUMERATED = 20


class Divergence(NamedTuple):
    """Between exp(-E / T) of a network's numbers and of its integers: Kullback-Leibler in nats, total variation."""

    kl: float
    tv: float
    exact: bool


def tell(
    log: Log,
    designs: Sequence[Design],
    sources: Mapping[str, Source],
    errors: Mapping[str, NDArray],
    *,
    lags: Mapping[str, int],
    every: int,
    constants: Mapping[str, NDArray],
) -> None:
    """Record every number that was replaced."""
    for name, source in sources.items():
        if name not in lags and source.bits:
            most = float(source.bound.max() / source.scale)
            bound = f"off by at most {0.5 / source.scale:.3g}; beyond {most:.6g} it is clipped"
            log.changed(f"{name}, to the chip", old="a number", new=f"{source.scale:g} a unit", bound=bound)
    for design in designs:
        _tell_weights(log, design, sources)
        _tell_unit(log, design, sources, dict(errors))
    late = max(lags.values(), default=0)
    if late or every > 1:
        new = f"{every} of the chip's, the last of its populations {late} later"
        log.changed("a tick", old="one of the network's", new=new, bound="none: outputs are put back in place")


def _tell_weights(log: Log, design: Design, sources: Mapping[str, Source]) -> None:
    for term, weights in zip(design.unit.drive.terms, design.weights):
        real = weights.real * sources[term.source].scale / design.scale
        off = float(np.abs(real - term.map.weights).max(initial=0.0))
        largest = float(np.abs(term.map.weights).max(initial=0.0))
        whole = int(np.abs(weights.mantissa).max(initial=0))
        log.changed(
            f"weights %{term.source} to %{design.unit.name}",
            old=f"{len(np.ravel(term.map.weights))} of at most {largest:.6g}",
            new=f"at most {whole} << {weights.exponent}, {weights.sign_mode}",
            bound=f"each off by at most {off:.3g}",
        )


def _tell_unit(log: Log, design: Design, sources: Mapping[str, Source], errors: dict[str, NDArray]) -> None:
    unit, n, scale = design.unit, design.numbers, design.scale
    name = f"%{unit.name}"
    half = ((1 << n["shift"]) >> 1) if isinstance(unit, GradedUnit) else 0
    if unit.drive.bias.any():
        unit_of = scale * FRACTION / 2.0 ** n["bias_exp"] if isinstance(unit, LifUnit) else scale
        whole = design.bias - half
        off = float(np.abs(whole / unit_of - unit.drive.bias).max())
        shift = f" << {n['bias_exp']}" if isinstance(unit, LifUnit) else ""
        log.changed(f"bias of {name}", old=_span(unit.drive.bias), new=_span(whole) + shift, bound=f"off by {off:.3g}")
    if isinstance(unit, LifUnit):
        _tell_lif(log, name, unit, design)
    elif isinstance(unit, MemoryUnit):
        keep = (4096 - n["dm"]) / 4096
        log.changed(
            f"decay of {name}",
            old=f"{unit.keep:.9g}",
            new=f"{4096 - n['dm']} / 4096",
            bound=f"off by {abs(keep - unit.keep):.3g} a tick",
        )
    elif isinstance(unit, NoisyUnit):
        _tell_noisy(log, name, unit, design, sources, errors)
    drive = float(of_drive(design, sources, errors).max(initial=0.0))
    log.changed(f"drive of {name}", old="1", new=f"{scale:g}", bound=f"a tick's is off by at most {drive:.4g}")


def _tell_lif(log: Log, name: str, unit: LifUnit, design: Design) -> None:
    n, scale = design.numbers, design.scale
    off = abs(n["vth"] / scale - unit.threshold)
    log.changed(f"threshold of {name}", old=f"{unit.threshold:.9g}", new=n["vth"], bound=f"off by {off:.3g}")
    for what, real, whole, top in (("membrane", unit.keep, n["dv"], 4096), ("current", unit.fall, n["du"], 4095)):
        if real.any():
            off = float(np.abs((top - whole) / 4096 - real).max())
            log.changed(
                f"{what} kept by {name}",
                old=_span(real),
                new=f"{_span(top - whole)} / 4096",
                bound=f"off by {off:.3g} a tick",
            )
    method = getattr(unit.op, "method", "")
    if unit.fall.any() and method != "semi_implicit":
        bound = "the membrane takes the new current: order 1 in dt"
        log.changed(f"integration of {name}", old=method, new="semi_implicit", bound=bound)


def _tell_noisy(
    log: Log, name: str, unit: NoisyUnit, design: Design, sources: Mapping[str, Source], errors: dict[str, NDArray]
) -> None:
    if isinstance(unit.T, Value):
        new, bound = f"{256 * design.scale:g} a unit", f"off by at most {1 / (512 * design.scale):.3g}"
        log.changed(f"temperature of {name}", old=unit.T, new=new, bound=bound)
        return
    whole = design.numbers["T"]
    off = float(np.abs(whole / (256 * design.scale) - unit.T).max())
    bound = f"off by {off:.3g}; the logit of a random number by at most {LOGIT}"
    log.changed(f"temperature of {name}", old=_span(unit.T), new=_span(whole), bound=bound)
    if unit.turn is not None:
        found = divergence(unit, design)
        if found is not None:
            old = "exp(-E / T) of the numbers"
            word = "" if found.exact else "at most "
            bound = f"KL {word}{found.kl:.3g} nats, total variation {word}{found.tv:.3g}"
            log.changed(f"law of {name}", old=old, new="exp(-E / T) of the integers", bound=bound)


def divergence(unit: NoisyUnit, design: Design) -> Divergence | None:
    """Return how far the law of the integers is from that of the numbers; None where a unit is driven from outside.

    By enumeration up to 20 units; beyond, from the most an exponent can change: TV <= tanh(delta), KL <= 2 delta.
    """
    if isinstance(unit.T, Value) or len(unit.drive.terms) != 1 or np.ptp(unit.T):
        return None
    exact, whole = energies(unit, design)
    if exact is None:
        J, Jq, h, hq = whole
        delta = float(abs(J - Jq).sum() / 2 + np.abs(h - hq).sum())
        return Divergence(2 * delta, float(np.tanh(delta)), False)
    p, q = (_law(E) for E in (exact, whole))
    return Divergence(float(np.sum(p * np.log(p / q))), float(np.abs(p - q).sum() / 2), True)


def energies(unit: NoisyUnit, design: Design) -> tuple[Any, Any]:
    """Return E / T of every state by the numbers and by the integers; (None, the couplings over T) for many units."""
    term, weights = unit.drive.terms[0], design.weights[0]
    factor = 2.0 if unit.levels == "spin" else 1.0
    assert not isinstance(unit.T, Value)
    T, Tq = float(np.ravel(unit.T)[0]), float(np.ravel(design.numbers["T"])[0]) / 256
    J = term.map.matrix().rows / (factor * T)
    Jq = term.map.with_weights(weights.real).matrix().rows / (factor * Tq)
    h, hq = unit.drive.bias / factor / T, design.bias / factor / Tq
    if unit.size > MOST_ENUMERATED:
        return None, (J, Jq, h, hq)
    J, Jq = J.toarray(), Jq.toarray()
    states = all_states(unit.size, unit.levels)
    return tuple(-((states @ C / 2 + b) * states).sum(axis=1) for C, b in ((J, h), (Jq, hq)))


def _law(E: NDArray) -> NDArray:
    weight = np.exp(-(E - E.min()))
    return weight / weight.sum()


def _span(numbers: Any) -> str:
    low, high = np.min(numbers), np.max(numbers)
    return f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
