"""Devices: their energy account, from flows on one side and from their states on the other (P45)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.observed import Observed
from thermoc.certificates.significance import exact
from thermoc.ir.device_library import library

SLACK = 1e3
"""How far a run's error may be beyond the tolerance of one of its steps."""


def device(observed: Observed) -> Iterator[Finding | Skipped]:
    """Work of the sources less heat to the ambient is what heat, charge and the models' own store hold (P45).

    What flows between devices leaves one and enters another, and is in neither sum. Euler's steps leave C dv^2 / 2 of a
    capacitor out, which is counted here; sdirk closes what is no linear sum of states to its tolerance.
    """
    op: Any = observed.op
    if op.noise:
        yield Skipped(law="P27", op=observed.label, reason="what noise moves is in no result of its own")
    T, x, node, work, heat = (observed[name] for name in ("T", "x", "node", "work", "heat"))
    circuit = np.broadcast_to(observed.constants["circuit"], (T.shape[-1], 5))
    charge, capacity = circuit[:, 2], circuit[:, 4]
    ambient = observed.like("T_ambient", "T")
    row = library().stored(op.model, observed.constants["parameters"], x, ambient)
    quadratic = bool(charge.any()) or row is not None
    reason = ""
    if row is not None and np.ptp(ambient, axis=0).any():
        reason = "its enthalpy is counted from an ambient temperature that changes"
    elif op.method == "euler" and charge.any() and op.steps > 1:
        reason = "Euler's steps leave charge out, within the tick: steps=1 shows it"
    if reason:
        yield Skipped(law="P45", op=observed.label, reason=reason)
        return
    # differences first: C T as a whole would hide a small flow behind its digits
    change = capacity * (T[1:] - T[0]) + 0.5 * charge * (node[1:] - node[0]) * (node[1:] + node[0])
    change = change + (0.0 if row is None else row[1:] - row[0])
    flows = np.cumsum(work[1:] - heat[1:], axis=0)
    if op.method == "euler":
        flows = flows + np.cumsum(0.5 * charge * np.diff(node, axis=0) ** 2, axis=0)
    change, flows = change.sum(axis=-1), flows.sum(axis=-1)
    moved = np.cumsum(np.abs(work).sum(-1) + np.abs(heat).sum(-1), axis=0)
    scale = max(float(moved.max()), float(np.abs(change).max(initial=0.0)), 1e-300)
    # the digits of a temperature and of a voltage, as the state keeps them from tick to tick
    digits = float(np.finfo("float32" if observed.single else "float64").eps) * len(T)
    stored = float((capacity * np.abs(T).max((0, 1)) + charge * node.max((0, 1)) ** 2).sum())
    loose = SLACK * op.tolerance if quadratic and op.method == "sdirk" else 0.0
    gap = float(np.abs(change - flows).max(initial=0.0)) / scale
    slack = float(max(observed.tolerance, loose) + digits * stored / scale)
    yield exact(observed, "P45", "work - heat = stored, each from its own side", gap, T.size, tolerance=slack)
