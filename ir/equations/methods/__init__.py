"""Steps of differential equations, one method a file.

Each states its order in dt (ORDER), the sense of its noise (NOISE: Ito, Stratonovich, both where they agree, "" where
it takes none), and with noise its strong and weak order.
"""

from __future__ import annotations

import math
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


def described(method: str, *, noisy: bool = False) -> str:
    """Return the order of a method in words, with noise its sense and its strong and weak order."""
    module = METHODS[method]
    if not noisy:
        return "exact for inputs held over the tick" if math.inf == module.ORDER else f"order {module.ORDER:g} in dt"
    if math.inf == module.STRONG:
        return "exact in law for inputs held over the tick"
    sense = f"{module.NOISE}, strong order {module.STRONG:g}, weak order {module.WEAK:g} in dt"
    return sense + (" (strong 1 where noise is constant)" if module.STRONG < 1 else "")


__all__ = ["METHODS", "described"]
