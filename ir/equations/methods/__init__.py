"""Steps of differential equations, one method a file.

Each states its order in dt (ORDER), the sense of its noise (NOISE: Ito, Stratonovich, both where they agree, "" where it
takes none), and with noise its strong and weak order.
"""

from __future__ import annotations

from types import ModuleType

from thermoc.ir.equations.methods import (
    euler,
    exact,
    exponential_euler,
    heun,
    milstein,
    rk2,
    rk4,
    stochastic_heun,
)

METHODS: dict[str, ModuleType] = {
    "exact": exact,
    "euler": euler,
    "heun": heun,
    "exponential_euler": exponential_euler,
    "rk2": rk2,
    "rk4": rk4,
    "milstein": milstein,
    "stochastic_heun": stochastic_heun,
}

__all__ = ["METHODS"]
