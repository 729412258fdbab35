"""Which laws, P45 to P49, are checked on what an op was seen to do. The formulas are written anew, not shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates import devices as device_laws
from thermoc.certificates import heat as heat_laws
from thermoc.certificates import motion
from thermoc.certificates import sampling as sampling_laws
from thermoc.certificates.law import Law, Skipped
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


_UNKNOWN = (
    *(core.Tick, core.Delay, thermo.Schedule, thermo.AdaptiveSchedule, langevin.Velocity, langevin.Bonds),
    *(spiking.Lif, spiking.Li, spiking.CubaLif, spiking.CubaLi, spiking.If, spiking.I, spiking.Trace),
    *(dynamics.Ode, dynamics.Sde, spiking.Decode, spiking.LifStep, spiking.TraceStep, heat.Reservoir),
)
LAWS: OpTable[Callable[[Observed], Iterator[Law | Skipped]]] = OpTable(
    what="a law",
    name="laws",
    where="thermoc/certificates/laws.py (LAWS)",
    entries={
        thermo.Memory: motion.memory,
        thermo.Noise: motion.noise,
        thermo.Normal: motion.normal,
        thermo.Uniform: motion.uniform,
        thermo.SampleBinary: sampling_laws.binary,
        thermo.SampleCategorical: sampling_laws.categorical,
        diffusive.OuNetwork: motion.ou_network,
        langevin.Brownian: motion.brownian,
        langevin.Langevin: motion.inertial,
        sampling.Gibbs: sampling_laws.gibbs,
        sampling.GibbsSweeps: sampling_laws.gibbs,
        devices.DeviceDynamics: device_laws.device,
        heat.HeatExchange: heat_laws.exchange,
        heat.HeatNetwork: heat_laws.network,
        heat.Diffusion: heat_laws.diffusion,
        heat.Clamp: heat_laws.clamp,
    },
    refused={
        **dict.fromkeys(_UNKNOWN, "no law is known for it"),
        "loihi": "no law is known for it",
    },
    scope=lambda cls: not cls.pure(),
)
"""Ops with states, noise or time, and what else is checked, by the laws of what they do."""
