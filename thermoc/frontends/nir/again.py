"""Units that snnTorch resets by subtraction at once (``reset_delay=False``): what they compare, and what they keep.

A membrane that stays above its threshold when that was taken from it is compared without another threshold in the next
tick, but keeps what it had: s = [u - [v > theta] theta > theta], v' = u - theta s, where u = keep v + gain x + offset.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.construction import Construction, add
from thermoc.frontends.nir.nodes import unreadable
from thermoc.ir.dialects import core, spiking
from thermoc.ir.handle import Handle
from thermoc.ir.types import DType, Role

METHODS = ("euler", "semi_implicit")


def subtract_again(
    site: Construction, name: str, fields: dict[str, NDArray], x: Handle, method: str, compare: str
) -> Handle:
    """Append a unit of one or two variables, stepped forward. Errors: T508 for another method."""
    if method not in METHODS:
        fact = f"reset 'subtract_again' is stated for forward steps, not for method {method!r}"
        raise unreadable(site.model.source, name, fact, "load it with method='euler'")
    dt, shape = site.builder.dt, x.shape
    if "tau_syn" in fields:
        gain = dt / fields["tau_syn"]
        current = _times(site, name, x, fields["w_in"] * gain)
        x = add(site, name, spiking.TraceStep, {"x": current, "keep": 1 - gain}, {}, label=site.fresh(f"{name}.i"))
    tau = fields.get("tau", fields.get("tau_mem"))
    gain = np.ones(shape) * dt if tau is None else dt / tau
    keep = np.ones(shape) if tau is None else 1 - gain
    before = site.builder.placeholder(shape, DType.f64, Role.signal)
    drive = _plus(site, name, _times(site, name, before, keep), _times(site, name, x, fields["r"] * gain))
    if "v_leak" in fields and np.any(fields["v_leak"]):
        drive = _plus(site, name, drive, fields["v_leak"] * gain)
    theta = fields["v_threshold"]
    over = _spike(site, name, before, theta, compare, site.fresh(f"{name}.over"))
    compared = _plus(site, name, drive, _times(site, name, over, -theta))
    s = _spike(site, name, compared, theta, compare, name)
    v = _plus(site, name, drive, _times(site, name, s, -theta))
    delayed = add(site, name, core.Delay, {"x": v}, {"ticks": 1}, label=site.fresh(f"{name}.v"))
    site.builder.connect(before, delayed)
    return s


def _times(site: Construction, name: str, x: Handle, factor: NDArray) -> Handle:
    return add(site, name, core.Mul, {"a": x, "b": factor}, {}, label=site.fresh(f"{name}.part"))


def _plus(site: Construction, name: str, a: Handle, b: Handle | NDArray) -> Handle:
    return add(site, name, core.Add, {"a": a, "b": b}, {}, label=site.fresh(f"{name}.part"))


def _spike(site: Construction, name: str, x: Handle, theta: NDArray, compare: str, label: str) -> Handle:
    return add(site, name, spiking.Threshold, {"x": x, "threshold": theta}, {"compare": compare}, label=label)
