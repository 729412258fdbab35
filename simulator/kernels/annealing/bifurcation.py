"""Simulated bifurcation: positions and momenta that follow the gradient of an Ising energy (Goto et al. 2021).

Goto, Endo, Suzuki, Sakai, Kanao, Hamakawa, Hidaka, Yamasaki and Tatsumura, Science Advances 7, eabe7953 (2021).
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.operands import stopped


@njit(error_model="numpy", nogil=True)
def bifurcate(offsets, columns, J, h, x, y, pump, dt, discrete, halt):
    """Step positions x and momenta y (n, replicas) once for each ``pump``, which rises from 0 to 1.

    y' = y + dt (-(1 - pump) x + J g + h), x' = x + dt y', with g = x (ballistic) or sign x (discrete); at the walls
    |x| = 1 a particle stops. J and h are scaled by the caller. A symplectic Euler step, of first order.
    """
    replicas = x.shape[1]
    seen, force = np.empty_like(x), np.empty(replicas, x.dtype)
    unity = x.dtype.type(1)
    for step in range(pump.size):
        if stopped(halt):
            return
        pull = unity - pump[step]
        for i in range(x.shape[0]):
            for r in range(replicas):
                seen[i, r] = (unity if x[i, r] >= 0 else -unity) if discrete else x[i, r]
        for i in range(x.shape[0]):
            force[:] = h[i]
            for e in range(offsets[i], offsets[i + 1]):
                j, weight = columns[e], J[e]
                for r in range(replicas):
                    force[r] += weight * seen[j, r]
            for r in range(replicas):
                momentum = y[i, r] + dt * (force[r] - pull * x[i, r])
                position = x[i, r] + dt * momentum
                outside = abs(position) > unity
                x[i, r] = (unity if position > 0 else -unity) if outside else position
                y[i, r] = 0 * unity if outside else momentum


keep(bifurcate, "the kernel of simulated bifurcation", 3.0)
