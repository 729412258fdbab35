"""The physics as functions of arrays: formulas P1 to P49, arrays in, arrays out, reduced units (k_B = 1)."""

from thermoc.physics.activations import boltzmann, fermi_dirac, maxwell_boltzmann, thermal_relu
from thermoc.physics.entropies import layer_observables, shannon_entropy
from thermoc.physics.gaussian import gaussian_network, modes, ou_network_step
from thermoc.physics.relaxation import exponential_step, ou_step
from thermoc.physics.schedules import adaptive_step, exponential, linear, power_law

__all__ = [
    "adaptive_step",
    "boltzmann",
    "exponential",
    "exponential_step",
    "fermi_dirac",
    "gaussian_network",
    "layer_observables",
    "linear",
    "maxwell_boltzmann",
    "modes",
    "ou_network_step",
    "ou_step",
    "power_law",
    "shannon_entropy",
    "thermal_relu",
]
