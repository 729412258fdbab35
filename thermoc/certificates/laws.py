"""Which laws, P45 to P49, are checked on what an op was seen to do. The formulas are written anew, not shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates import clocks, equations, motion
from thermoc.certificates import devices as device_laws
from thermoc.certificates import heat as heat_laws
from thermoc.certificates import sampling as sampling_laws
from thermoc.certificates.law import MIXING, Finding, Skipped
from thermoc.certificates.observed import Observed
from thermoc.ir.dialects import core, devices, diffusive, dynamics, heat, langevin, sampling, spiking, thermo
from thermoc.ir.op_table import OpTable


def convergence(observed: Observed) -> dict[str, list[float]]:
    """Return what P49 asks for against time, at fifty ticks or fewer, as means over the samples: energy and order
    parameter of sampled units with their free energy where all states can be counted, mean and spread of temperatures.
    """
    op: Any = observed.op
    if isinstance(op, sampling.Gibbs):
        s, places = _spaced(observed["s"])
        E = physics.ising_energy(s, sampling_laws.couplings(observed)) - (s * observed["h"][-1:]).sum(axis=-1)
        order = np.abs(s.mean(axis=-1))
        course = {"energy": E.mean(axis=1), "order_parameter": order.mean(axis=1)}
        if (
            s.shape[-1] <= sampling_laws.MOST_ENUMERATED
            and "T" in observed.constants
            and observed.constants["T"].size == 1
        ):
            course["free_energy"] = np.array(
                [_free(e, z, float(observed.constants["T"].reshape(()))) for e, z in zip(E, s)]
            )
    elif isinstance(op, heat.HeatNetwork | heat.HeatExchange | heat.Diffusion):
        T, places = _spaced(observed["T"])
        flat = T.reshape(*T.shape[:2], -1)
        course = {"temperature": flat.mean(axis=(1, 2)), "temperature_spread": np.ptp(flat, axis=-1).mean(axis=1)}
    else:
        return {}
    return {"tick": [float(tick) for tick in places], **{name: list(map(float, x)) for name, x in course.items()}}


def _spaced(series: NDArray) -> tuple[NDArray, NDArray]:
    places = np.unique(np.linspace(0, len(series) - 1, 50).round().astype(int))
    return series[places], places


def _free(E: NDArray, s: NDArray, T: float) -> float:
    """Return U - T S of the samples of one tick, S from how often each state is among them."""
    _, counts = np.unique(s, axis=0, return_counts=True)
    p = counts / counts.sum()
    return float(E.mean() + T * (p * np.log(p)).sum())


MEAN, VARIANCE, WHOLE, PAIRS = "normal score", "chi-square", "Anderson-Darling", "largest of all pairs"
AVERAGE, COUNTS, EXACT = "Student's t", "counts", "exact"
NOISE = (MEAN, VARIANCE, WHOLE, PAIRS)
"""How independent normals are tested: mean and dependence on what stood before, variance, whole law, correlations."""
TEMPERATURE, FROZEN, COUPLINGS, SHARED = "wrong temperature", "frozen", "permuted couplings", "shared noise"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is known of an op: ``check`` yields its laws; ``laws`` are their formulas, each with its statistics.

    controls: the ways in which a copy of the record is falsified, each of which ``check`` must notice. couplings: the
    operand that is permuted. temperatures: the operands that are made hotter. moves: the results that are frozen.
    """

    check: Callable[[Observed], Iterator[Finding | Skipped]]
    laws: Mapping[str, tuple[str, ...]]
    controls: tuple[str, ...] = ()
    couplings: str = ""
    temperatures: tuple[str, ...] = ("T",)
    moves: tuple[str, ...] = ()


def _heat(check: Callable[[Observed], Iterator[Finding | Skipped]], *moves: str, **laws: tuple[str, ...]) -> Rule:
    return Rule(check=check, laws=laws, controls=(FROZEN,), moves=moves)


_SPIKING = (
    *(spiking.Lif, spiking.Li, spiking.CubaLif, spiking.CubaLi, spiking.If, spiking.I, spiking.Trace, spiking.Decode),
    *(spiking.LifStep, spiking.TraceStep, dynamics.Ode),
)
_SPRINGS = {"P47": (*NOISE, AVERAGE), "P49": MIXING}
_COUPLED = {"P47": (EXACT, COUNTS, WHOLE, PAIRS)}
LAWS: OpTable[Rule] = OpTable(
    what="a law",
    name="laws",
    where="thermoc/certificates/laws.py (LAWS)",
    entries={
        thermo.Memory: Rule(check=motion.memory, laws=_SPRINGS, controls=(TEMPERATURE, FROZEN, SHARED), moves=("m",)),
        thermo.Noise: Rule(
            check=motion.noise, laws={"P47": NOISE}, controls=(TEMPERATURE, FROZEN, SHARED), moves=("y",)
        ),
        thermo.Normal: Rule(check=motion.normal, laws={"P47": NOISE}, controls=(FROZEN, SHARED), moves=("z",)),
        thermo.Uniform: Rule(check=motion.uniform, laws={"P47": NOISE}, controls=(FROZEN, SHARED), moves=("u",)),
        thermo.SampleBinary: Rule(
            check=sampling_laws.binary,
            laws={"P47": (COUNTS, WHOLE, PAIRS)},
            controls=(TEMPERATURE, FROZEN, SHARED),
            moves=("s",),
        ),
        thermo.SampleCategorical: Rule(
            check=sampling_laws.categorical,
            laws={"P47": (COUNTS, WHOLE, PAIRS)},
            controls=(TEMPERATURE, FROZEN, SHARED),
            moves=("s",),
        ),
        diffusive.OuNetwork: Rule(
            check=motion.ou_network,
            laws=_SPRINGS,
            controls=(TEMPERATURE, FROZEN, COUPLINGS, SHARED),
            couplings="K",
            moves=("x",),
        ),
        langevin.Brownian: Rule(
            check=motion.brownian, laws=_SPRINGS, controls=(TEMPERATURE, FROZEN, SHARED), moves=("x",)
        ),
        langevin.Langevin: Rule(
            check=motion.inertial,
            laws={"P45": (EXACT,), **_SPRINGS},
            controls=(TEMPERATURE, FROZEN, SHARED),
            moves=("x", "w"),
        ),
        langevin.Velocity: _heat(clocks.velocity, "v", P29=(EXACT,)),
        langevin.Bonds: Rule(check=clocks.bonds, laws={"P11": (EXACT,)}),
        sampling.Gibbs: Rule(
            check=sampling_laws.gibbs,
            laws={**_COUPLED, "P48": (AVERAGE,), "P49": MIXING},
            controls=(TEMPERATURE, FROZEN, COUPLINGS, SHARED),
            couplings="J",
            moves=("s",),
        ),
        sampling.GibbsSweeps: Rule(
            check=sampling_laws.gibbs,
            laws=_COUPLED,
            controls=(TEMPERATURE, FROZEN, COUPLINGS, SHARED),
            couplings="J",
            moves=("s",),
        ),
        devices.DeviceDynamics: Rule(
            check=device_laws.device, laws={"P45": (EXACT,)}, controls=(FROZEN,), moves=("T",)
        ),
        heat.HeatExchange: Rule(
            check=heat_laws.exchange,
            laws={"P3": (EXACT,), "P45": (EXACT,), "P46": (EXACT,)},
            controls=(FROZEN, COUPLINGS),
            couplings="J",
            moves=("T",),
        ),
        heat.HeatNetwork: Rule(
            check=heat_laws.network,
            laws={"P18": (EXACT, MEAN), "P45": (EXACT,), "P46": (EXACT,), "P47": (*NOISE, AVERAGE), "P49": MIXING},
            controls=(TEMPERATURE, FROZEN, COUPLINGS, SHARED),
            couplings="conductance",
            temperatures=("T_ambient",),
            moves=("T",),
        ),
        heat.Diffusion: _heat(heat_laws.diffusion, "T", P19=(EXACT,), P45=(EXACT,)),
        heat.Clamp: Rule(check=heat_laws.clamp, laws={"P45": (EXACT,)}),
        heat.EntropyProduction: Rule(
            check=heat_laws.entropy_production,
            laws={"P30": (EXACT,), "P46": (EXACT,)},
            controls=(COUPLINGS,),
            couplings="conductance",
        ),
        heat.Reservoir: Rule(
            check=clocks.reservoir,
            laws={"P21": (EXACT,), "P45": (EXACT,)},
            controls=(TEMPERATURE,),
        ),
        thermo.Schedule: Rule(
            check=clocks.schedule, laws={"P23": (EXACT,)}, controls=(TEMPERATURE, FROZEN), moves=("T",)
        ),
        thermo.AdaptiveSchedule: _heat(clocks.adaptive, "T", P23=(EXACT,)),
        dynamics.Sde: Rule(check=equations.stochastic, laws={"P47": NOISE}, controls=(FROZEN, SHARED), moves=("x",)),
    },
    refused={
        core.Tick: "it counts ticks",
        core.Delay: "it holds a value for a tick",
        **dict.fromkeys(_SPIKING, "it is deterministic and has no temperature: thermoc verify compares it"),
        "loihi": "integers of a chip: they are judged against the network by thermoc verify",
    },
    scope=lambda cls: not cls.pure(),
)
"""Every op with a state, noise or time, and what is checked of it: by the laws of what it does, each by its statistic.

Of pure ops, the ones whose numbers are heat or entropy are here too; all others are functions, which verify compares.
"""
