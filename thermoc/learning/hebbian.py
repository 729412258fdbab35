"""Hebb's rule with decay on thermal averages (P36): dW_ij = rate <x_i x_j> - decay W_ij, in a session that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.session import Session
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


def hebbian_step(
    W: ArrayLike, x: ArrayLike, y: ArrayLike | None = None, *, rate: float, decay: float = 0.0
) -> FloatArray:
    """Return W + rate <x_i y_j> - decay W, the average over all axes of x (..., m) and y (..., n) but the last.

    y: default x; then W is (n, n), and its diagonal stays as it is, for units are not coupled to themselves.
    Errors: T402 where shapes disagree, T404.
    """
    _check_rates(rate, decay)
    W, x = np.asarray(W, float), np.asarray(x, float)
    post = x if y is None else np.asarray(y, float)
    if W.shape != (x.shape[-1], post.shape[-1]) or x.shape[:-1] != post.shape[:-1]:
        notes = [f"W {list(W.shape)}", f"x {list(x.shape)}", f"y {list(post.shape)}"]
        raise error("T402", "weights and activities disagree", notes=notes)
    rows = x.reshape(-1, x.shape[-1]), post.reshape(-1, post.shape[-1])
    new = W + rate * (rows[0].T @ rows[1]) / len(rows[0]) - decay * W
    if y is None:
        np.fill_diagonal(new, W.diagonal())
    return new


def hebbian(
    session: Session,
    parameter: str,
    output: str,
    *,
    steps: int,
    ticks: int,
    rate: float,
    decay: float = 0.0,
    inputs: Mapping[str, Any] | None = None,
) -> FloatArray:
    """Let couplings (n, n), a parameter of a session, learn from an output (n,); return them.

    Each step runs ``ticks`` ticks and averages over them and over the samples; couplings that are 0 at the beginning
    stay 0. States go on from step to step, and nothing is compiled. Errors: T402, T404, T418, T422.
    """
    _check_rates(rate, decay)
    if steps < 1 or ticks < 1:
        raise error("T404", "steps and ticks are >= 1", notes=[f"steps = {steps}", f"ticks = {ticks}"])
    W = np.array(session.parameters[parameter], float)
    coupled = W != 0
    for step in range(steps):
        run = session.run(ticks, inputs, record={output: "all"}, progress=False)
        W = np.where(coupled, hebbian_step(W, run[output], rate=rate, decay=decay), 0.0)
        if not np.isfinite(W).all():
            hint = "take a smaller rate, or a larger decay"
            raise error("T422", "Hebb's rule diverges", notes=[f"step {step}, rate {rate}, decay {decay}"], hint=hint)
        session.parameters[parameter] = W
    return W


def _check_rates(rate: float, decay: float) -> None:
    if not 0 <= rate < np.inf or not 0 <= decay <= 1:
        notes = [f"rate = {rate}", f"decay = {decay}"]
        raise error("T404", "a rate is >= 0, and a decay from 0 to 1", notes=notes)
