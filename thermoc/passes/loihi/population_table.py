"""The table of ops that are populations on Loihi, and the function that makes them: one line an op."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, diffusive, heat, sampling, spiking, thermo
from thermoc.ir.ops import Op
from thermoc.passes.loihi import heat_populations as nodes
from thermoc.passes.loihi import integrator_populations as integrators
from thermoc.passes.loihi import relaxation_populations as relaxations
from thermoc.passes.loihi import sampled_populations as sampled
from thermoc.passes.loihi import spiking_populations as neurons
from thermoc.passes.loihi import thermal_populations as thermal
from thermoc.passes.loihi.drives import Drives
from thermoc.passes.loihi.population_types import Population

MAKERS: dict[type[Op], Callable[[Any, Drives, float], Iterator[Population]]] = {
    spiking.Lif: neurons.lif,
    spiking.If: neurons.integrate_and_fire,
    spiking.LifStep: neurons.lif_step,
    spiking.CubaLif: neurons.cuba_lif,
    spiking.CubaLi: integrators.cuba_leaky_integrator,
    spiking.Li: integrators.leaky_integrator,
    spiking.I: integrators.integrator,
    spiking.Trace: integrators.trace,
    spiking.TraceStep: integrators.trace_step,
    spiking.Threshold: neurons.threshold,
    thermo.ThermalRelu: thermal.thermal_relu,
    thermo.FermiDirac: thermal.fermi_dirac,
    thermo.Boltzmann: sampled.boltzmann,
    thermo.MaxwellBoltzmann: thermal.maxwell_boltzmann,
    thermo.SampleBinary: sampled.sample_binary,
    thermo.SampleCategorical: sampled.sample_categorical,
    thermo.Memory: thermal.memory,
    sampling.Gibbs: sampled.gibbs,
    sampling.GibbsSweeps: sampled.gibbs,
    thermo.Schedule: relaxations.schedule,
    diffusive.OuNetwork: relaxations.ou_network,
    heat.HeatNetwork: nodes.heat_network,
    core.Maximum: thermal.maximum,
    core.Minimum: thermal.minimum,
    core.Cast: neurons.cast,
    # Function, steepest slope, edge: from 6 on tanh is within 1.3e-5 of 1; the others grow or swing without end.
    core.Tanh: thermal.function(np.tanh, 1.0, 6.0),
    core.Exp: thermal.function(np.exp, np.inf, np.inf),
    core.Expm1: thermal.function(np.expm1, np.inf, np.inf),
    core.Abs: thermal.function(np.abs, 1.0, np.inf),
    core.Sin: thermal.function(np.sin, 1.0, np.inf),
    core.Cos: thermal.function(np.cos, 1.0, np.inf),
}
