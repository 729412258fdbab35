"""Units: parameters for each, the method of their step, their reset, and the limit of infinite times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.again import subtract_again
from thermoc.frontends.nir.construction import Construction, add, full
from thermoc.frontends.nir.nodes import GAINS, NirNode, unreadable
from thermoc.frontends.nir.resets import UnitFields, with_reset
from thermoc.ir.dialects import spiking
from thermoc.ir.handle import Handle

OPS: dict[str, Any] = {
    "I": spiking.I,
    "IF": spiking.If,
    "LI": spiking.Li,
    "LIF": spiking.Lif,
    "CubaLI": spiking.CubaLi,
    "CubaLIF": spiking.CubaLif,
}
INTEGRATORS = {"LI": "I", "LIF": "IF"}
ONE_VARIABLE, TWO_VARIABLES = ("exact", "euler", "exponential"), ("exact", "euler", "exponential", "semi_implicit")
FORWARD = ("euler", "semi_implicit")
ENDLESS = 2.0**100  # ticks: 1 - 1 / ENDLESS is 1, and a power of two times its inverse is 1


def unit(site: Construction, name: str, node: NirNode, x: Handle) -> Handle:
    """Append the op of a node that keeps a state."""
    kind = node.kind
    # Older files lack these two.
    values = {"v_reset": np.zeros(()), "w_in": np.ones(())} | node.fields | node.noted
    fields = {key: full(site, name, values[key], x.shape) for key in OPS[kind].operand_specs if key in values}
    method = _method(site, node)
    kind, fields = _at_limit(site, name, kind, fields, method)
    conventions = site.conventions.of(node)
    if "reset" in OPS[kind].attr_specs and conventions.reset == "subtract_again":
        return subtract_again(site, name, fields, x, method, str(conventions.compare))
    built = UnitFields(fields=fields, attrs={"method": method} if "method" in OPS[kind].attr_specs else {})
    if "reset" in OPS[kind].attr_specs:
        built = with_reset(built, conventions, site.builder.dt, site.model.source, name)
    attrs = dict(built.attrs)
    if "refractory" in OPS[kind].attr_specs and "refractory" not in attrs:
        attrs |= _refractory(node)
    return add(site, name, OPS[kind], {"x": x} | built.fields, attrs)


def _refractory(node: NirNode) -> dict[str, float]:
    """Return the time that a unit rests, where its metadata say so."""
    try:
        time = float(node.metadata.get("refractory", "0"))
    except ValueError:
        return {}
    return {"refractory": time} if 0 < time < np.inf else {}


def _method(site: Construction, node: NirNode) -> str:
    methods = TWO_VARIABLES if "Cuba" in node.kind else ONE_VARIABLE
    chosen = site.conventions.method or node.metadata.get("method", "")
    # One choice serves a whole file: a method for two variables is passed over by units with one.
    if chosen in methods:
        return chosen
    return "semi_implicit" if "semi_implicit" in methods else "euler"


def _at_limit(
    site: Construction, name: str, kind: str, fields: dict[str, NDArray], method: str
) -> tuple[str, dict[str, NDArray]]:
    """Return (kind, fields) with the limit of an infinite time and gain in place: v' = v + x, i' = i + x.

    A population all of which is there integrates: r = 1 / dt. Units among others get a time so long that a forward
    step keeps all of v, and a gain that makes up for it. Errors: T508 for another method.
    """
    endless = {time: np.isinf(fields[time]) for time in GAINS if time in fields}
    if not any(units.any() for units in endless.values()):
        return kind, fields
    site.repaired(name, f"node {name!r}: a time and its gain are infinite: a tick adds the input, their limit")
    dt = site.builder.dt
    if kind in INTEGRATORS and endless["tau"].all():
        kind = INTEGRATORS[kind]
        integrator = fields | {"r": np.full(fields["r"].shape, 1 / dt)}
        return kind, {key: integrator[key] for key in OPS[kind].operand_specs if key in integrator}
    if method not in FORWARD:
        fact = f"its times are infinite for some units, and method {method!r} has no such limit"
        raise unreadable(site.model.source, name, fact, "load it with method='euler'")
    for time, units in endless.items():
        gain = GAINS[time]
        fields = fields | {
            time: np.where(units, ENDLESS * dt, fields[time]),
            gain: np.where(units, ENDLESS, fields[gain]),
        }
    return kind, fields
