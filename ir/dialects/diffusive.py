"""Networks of continuous units that diffuse in an energy (P29)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from thermoc.ir.dialects.thermo import into
from thermoc.ir.ops import (
    CONTINUOUS,
    STATEFUL,
    STOCHASTIC,
    Op,
    Problem,
    ShapeProblem,
    attr,
    non_negative,
    op,
    operand,
    positive,
    result,
)
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value
from thermoc.physics.gaussian import asymmetry, lowest_eigenvalue
from thermoc.support.array_types import AnyArray


@op("thermo.ou_network")
class OuNetwork(Op):
    """A linear thermodynamic computer: dx/dt = mobility (b - K x) + sqrt(2 mobility T) xi (P29).

    Its energy is x.K.x / 2 - b.x: it settles to mean K^-1 b and covariance T K^-1, which ``physics.gaussian_network``
    gives. K: (n, n), constant, symmetric and positive definite. b broadcasts to (n). T: one for all units.

    x(t) is the state at the start of the tick. With K = V diag(lambda) V^T and y = V^T x the step is
    y' = a y + (1 - a) / lambda V^T b + sqrt(T (1 - a^2) / lambda) z, a = exp(-mobility lambda dt), exact in law for
    any dt where b and T are constant over it; unit k of z belongs to mode k, from the softest up.
    """

    K: Value = operand("n n", constant=True)
    T: Value = operand("", role=Role.temperature)
    b: Value = operand("~n", default=0.0)
    initial: Value = operand("~n", uniform=True, default=0.0)
    mobility: float = attr(default=1.0, check=positive, unit="1/(energy*time)")
    stream: int = attr(check=non_negative)
    x: Value = result("n")

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC, CONTINUOUS})
    # b of a tick enters the next state, so it may depend on this one.
    instant: ClassVar = ("initial",)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if shapes["K"][0] != shapes["K"][1]:
            raise ShapeProblem("K must be square", f"K has shape {list(shapes['K'])}")
        return {"x": into(shapes["K"][:1], b=shapes["b"], initial=shapes["initial"])}

    def states(self) -> dict[str, Shape]:
        return {"x": self.x.shape}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        """Yield the pair in which K is not symmetric, or its eigenvalue that is not positive."""
        K = numbers.get("K")
        if K is None or not K.size:
            return
        pair = asymmetry(K)
        if pair is not None:
            i, j = pair
            notes = (f"K[{i}, {j}] = {K[i, j]}", f"K[{j}, {i}] = {K[j, i]}")
            yield Problem("T105", "K must be symmetric", notes, "pass (K + K.T) / 2")
        elif (low := lowest_eigenvalue(K)) is not None:
            notes = (f"its lowest eigenvalue, number 0 of {len(K)}, is {low:.6g}", "x.K.x / 2 has no minimum")
            hint = "add a confining term: a multiple of the identity"
            yield Problem("T105", "K must be positive definite", notes, hint)
