"""The four activations (P5 to P8), stable for every finite x / T, with their limits at T = 0.

Arrays keep their float format; Python numbers take that of x. Written on the array API standard.
"""

# pyright: reportConstantRedefinition=false
# (T, C, G are a temperature, a capacity and conductances, not constants)

from __future__ import annotations

import numpy as np

from thermoc.support.array_types import FloatArray
from thermoc.support.namespaces import Numbers, namespace

_FAR = 100.0  # exp(-_FAR**2 / 2) is zero in every float format


def boltzmann(x: Numbers, T: Numbers) -> FloatArray:
    """Return p_i = exp(-x_i / T) / Z over the last axis (P5); at T = 0 the lowest energies share 1 equally.

    x: energies (..., n). T: broadcasts to x, >= 0; zero only where it is the same for all units of the axis.
    """
    x, T = _arrays(x, T)
    xp = namespace(x)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if T.ndim == 0 or T.shape[-1] == 1:
            # the lowest energy goes first: x / T may overflow, and infinity less infinity is no number
            above = x - xp.min(x, axis=-1, keepdims=True)
            energy = above / T
            # at T = 0 the lowest energies are 0 / 0: equal shares among them, all others none
            energy = xp.where((T == 0) & (above == 0), 0.0, energy)
        else:
            energy = x / T
            energy = energy - xp.min(energy, axis=-1, keepdims=True)
    weight = xp.exp(-energy)
    return weight / xp.sum(weight, axis=-1, keepdims=True)


def fermi_dirac(x: Numbers, T: Numbers, mu: Numbers = 0.0) -> FloatArray:
    """Return 1 / (1 + exp((x - mu) / T)) (P6); at T = 0 a step down at mu, 1/2 on it. Shapes broadcast."""
    x, T, mu = _arrays(x, T, mu)
    xp = namespace(x)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u = (x - mu) / T
    u = xp.where((T == 0) & (x == mu), 0.0, u)
    decay = xp.exp(-xp.abs(u))
    return xp.where(u > 0, decay, 1.0) / (1 + decay)


def thermal_relu(x: Numbers, T: Numbers) -> FloatArray:
    """Return x - T where x > T, else 0 (P7). Shapes broadcast."""
    x, T = _arrays(x, T)
    return namespace(x).maximum(x - T, 0)


def maxwell_boltzmann(x: Numbers, T: Numbers) -> FloatArray:
    """Return sqrt(2 / (pi T^3)) x^2 exp(-x^2 / (2T)) (P8), and 0 at T = 0. Shapes broadcast.

    Written with w = x / sqrt(T) as sqrt(2 / pi) w^2 exp(-w^2 / 2) / sqrt(T), which neither overflows nor loses digits.
    """
    x, T = _arrays(x, T)
    xp = namespace(x)
    root = xp.sqrt(T)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # cut off before it is squared: infinity times an underflow to zero would be no number
        w = xp.minimum(xp.abs(x) / root, _FAR)
        density = float(np.sqrt(2 / np.pi)) * (w * w) * xp.exp(-0.5 * (w * w)) / root
    return xp.where(root == 0, 0.0, density)


def _arrays(x: Numbers, *others: Numbers) -> tuple[FloatArray, ...]:
    """Return all as arrays; Python numbers take the format of x where that is a float's."""
    if namespace(x) is not np:
        return x, *others
    first = np.asarray(x)
    floats = first.dtype if first.dtype.kind == "f" else None
    return first, *(np.asarray(array, floats if isinstance(array, int | float) else None) for array in others)
