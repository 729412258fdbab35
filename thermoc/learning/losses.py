"""Losses that a task's own is added to: free energy of layers, temperatures that stay near their targets."""

# pyright: reportConstantRedefinition=false
# (T, U and S are physical symbols, and no constants)

from __future__ import annotations

from typing import Any

import torch

from thermoc import physics
from thermoc.support.errors import error

Tensor = torch.Tensor


def free_energy(z: Tensor, T: Any) -> Tensor:
    """Return F = U - T S of a layer of pre-activations z (..., n) at temperature T, its mean over all but n (P1, P35).

    U = mean(z^2), S the Shannon entropy of Boltzmann(z, T), as ``thermo.observables`` has them. T: a number or a
    tensor that broadcasts to (...). Minimised by dw = -eta dF/dw. Errors: T405 for a T that is not positive.
    """
    T = torch.as_tensor(T, dtype=z.dtype, device=z.device)
    if not bool((T > 0).all()):
        raise error("T405", "T must be > 0", notes=[f"T = {T.detach().min().item()}"])
    observables: Any = physics.layer_observables
    _, _, F = observables(z, T.expand(z.shape[:-1]) if T.ndim == 0 else T)
    return F.mean()


def temperature_regulariser(T: Tensor, target: Any, strength: float = 1.0) -> Tensor:
    """Return strength sum |T_i - target_i| (P24). T: a parameter or an output of temperatures, any shape."""
    return strength * torch.sum(torch.abs(T - torch.as_tensor(target, dtype=T.dtype, device=T.device)))
