"""A small network that is swept, and the hashes of a store's files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

import thermoc as tc

J = np.array([[0.0, 0.8, 0.0], [0.8, 0.0, -0.5], [0.0, -0.5, 0.0]])
MODEL = """
import numpy as np
import thermoc as tc

J = np.array([[0.0, 0.8, 0.0], [0.8, 0.0, -0.5], [0.0, -0.5, 0.0]])
with tc.Network("three") as net:
    s = tc.gibbs(T=tc.parameter("T", 1.0, role="temperature"), J=tc.parameter("J", J))
    tc.output("s", s)
"""


def network() -> tc.Network:
    names = {"np": np, "tc": tc}
    exec(MODEL, names)
    return names["net"]


def content(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
