"""Units of Norse as nodes of NIR, in Norse's own time step: LIF, LIFBox, IAF, LI, LIBox, with and without recurrence.

Norse adds an input to a current whole, so w_in = tau_syn / dt; its own export writes 1. Units start at v_leak.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.frontends.nir.nodes import NirNode
from thermoc.frontends.torch.layers import Made, Shape, array, matrix, recurrent

TIMED = ("LIF", "LIFRecurrent", "IAF", "LI")
"""Modules that take a sequence, ticks first."""
KINDS = {
    "LIFBoxCell": "LIF", "LIFCell": "CubaLIF", "LIF": "CubaLIF", "LIFRecurrentCell": "CubaLIF",
    "LIFRecurrent": "CubaLIF", "IAFCell": "IF", "IAF": "IF", "LICell": "CubaLI", "LI": "CubaLI", "LIBoxCell": "LI",
}  # fmt: skip


def steps(module: Any) -> set[float]:
    """Return the time steps that units of Norse have, in s."""
    return {float(child.dt) for child in module.modules() if type(child).__name__ in KINDS and hasattr(child, "dt")}


def node(module: Any, dt: float, shape: Shape) -> Made | str | None:
    """Return what a unit becomes, or why it is refused."""
    name = type(module).__name__
    if name not in KINDS:
        return None
    if dt != float(module.dt):
        return f"its time step is {module.dt} s, and dt = {dt!r}"
    unit = _unit(module.p, KINDS[name], dt, shape)
    if isinstance(unit, str) or not hasattr(module, "recurrent_weights"):
        return unit if isinstance(unit, str) else Made(nodes={"": unit})
    cell = recurrent(unit, matrix(module.recurrent_weights).nodes[""], dt, shape)
    weights = matrix(module.input_weights).nodes[""]
    return Made(nodes={**cell.nodes, ".w_in": weights}, edges=(*cell.edges, (".w_in", "")), first=".w_in")


def _unit(p: Any, kind: str, dt: float, shape: Shape) -> NirNode | str:
    def full(value: Any) -> Any:
        return np.array(np.broadcast_to(array(value), shape))

    fields: dict[str, Any] = {}
    ones = np.ones(shape)
    if kind == "IF":
        fields["r"] = ones / dt
    else:
        tau = 1 / full(p.tau_mem_inv)
        fields |= {"r": ones, "v_leak": full(p.v_leak), "tau" if kind in ("LIF", "LI") else "tau_mem": tau}
        if np.any(fields["v_leak"]):
            fields["initial"] = fields["v_leak"]
    if kind.startswith("Cuba"):
        tau = 1 / full(p.tau_syn_inv)
        fields |= {"tau_syn": tau, "w_in": tau / dt}
    metadata: dict[str, str] = {}
    if kind.endswith("IF"):
        fields |= {"v_threshold": full(p.v_th), "v_reset": full(p.v_reset)}
        method = getattr(getattr(p, "reset_method", None), "__name__", "reset_value")
        if method not in ("reset_value", "reset_subtract"):
            return f"its reset is {method}, which no node says"
        metadata["reset"] = method.removeprefix("reset_")
    return NirNode(kind=kind, fields=fields, metadata=metadata)
