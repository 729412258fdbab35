"""What gradient each op has, or why it has none."""

from __future__ import annotations

from dataclasses import dataclass

from thermoc.ir.dialects import core, crossbar, devices, diffusive, dynamics, heat, langevin, sampling, spiking, thermo
from thermoc.ir.op_table import OpTable
from thermoc.ir.ops import CURVED


@dataclass(frozen=True, kw_only=True)
class GradientRule:
    """kind: "exact" is that of the op's formula; "surrogate" (a step's), "estimator" (a sample's) and
    "straight-through" (rounding's) are chosen by keywords of ``to_torch``. without: operands through which none goes.
    """

    kind: str
    without: tuple[str, ...] = ()


EXACT = GradientRule(kind="exact")
_SMOOTH = (
    *(core.Input, core.Constant, core.Parameter, core.Output, core.Probe, core.Delay, core.Cast),
    *(core.Affine, core.SparseAffine, core.Matmul, core.Conv, core.Pool, core.Reduce),
    *(core.Reshape, core.Flatten, core.Transpose, core.Broadcast, core.Concat, core.Slice, core.Select),
    *(core.Neg, core.Abs, core.Exp, core.Expm1, core.Log, core.Sqrt, core.Sin, core.Cos, core.Tanh),
    *(core.Add, core.Sub, core.Mul, core.Div, core.Pow, core.Minimum, core.Maximum),
    *(thermo.Boltzmann, thermo.FermiDirac, thermo.ThermalRelu, thermo.MaxwellBoltzmann, thermo.Noise, thermo.Memory),
    *(thermo.AdaptiveSchedule, thermo.OrderParameter, thermo.Observables, sampling.IsingEnergy),
    *(langevin.Brownian, langevin.Langevin, langevin.Velocity, langevin.KineticEnergy, langevin.PairForce),
    *(langevin.BondForce, diffusive.OuNetwork, heat.Diffusion, heat.EntropyProduction, heat.Clamp, heat.Reservoir),
    *(spiking.CubaLi, spiking.Li, spiking.I, spiking.Trace, spiking.TraceStep, spiking.Scale, spiking.Decode),
)
_SPIKES = (dynamics.Ode, dynamics.Sde, spiking.Lif, spiking.If, spiking.CubaLif, spiking.LifStep, spiking.Threshold)
_SAMPLES = (thermo.SampleBinary, thermo.SampleCategorical, sampling.Gibbs, sampling.GibbsSweeps)
_DECIDES = (core.Less, core.LessEqual, core.Greater, core.GreaterEqual, core.Equal, core.And, core.Or, core.Not)

GRADIENTS: OpTable[GradientRule] = OpTable(
    what="a gradient",
    name="gradients",
    where="thermoc/learning/gradient_table.py (GRADIENTS)",
    entries={
        **dict.fromkeys(_SMOOTH, EXACT),
        **dict.fromkeys(_SPIKES, GradientRule(kind="surrogate")),
        **dict.fromkeys(_SAMPLES, GradientRule(kind="estimator")),
        core.Floor: GradientRule(kind="straight-through"),
        crossbar.Mvm: GradientRule(kind="straight-through", without=("plus", "minus", "z", "gain")),
        langevin.Bonds: GradientRule(kind="exact", without=("x",)),
        # Their matrices come of an eigenvalue problem that is solved once.
        heat.HeatExchange: GradientRule(kind="exact", without=("J",)),
        heat.HeatNetwork: GradientRule(kind="exact", without=("capacity", "conductance")),
    },
    # An elementwise op of another package whose meaning is written on the array API standard, as those here are.
    follows={CURVED: EXACT},
    refused={
        **dict.fromkeys(_DECIDES, "a truth value has no slope"),
        **dict.fromkeys(
            (devices.DeviceDynamics, devices.DeviceStep),
            "its steps are compiled; Euler's, without circuit_inner, are written in core ops, which have gradients",
        ),
        core.Sign: "it has no slope but at 0",
        core.Tick: "it follows the clock",
        thermo.Schedule: "it follows the clock",
        **dict.fromkeys((thermo.Normal, thermo.Uniform), "it is drawn, whatever goes in"),
        "loihi": 'integers of Loihi have no slope: train the network before the passes, with target="lava"',
    },
)
