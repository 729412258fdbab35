"""The commands as a person runs them: a process of its own, in a folder with a small model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermoc.cli.main import app

__all__ = ["app", "filled", "thermoc"]

SOURCE = """
import sys
import numpy as np
import thermoc as tc

print("the model's own words")
with tc.Network("small [red]x[/red]", dt=0.5) as net:
    x = tc.input("x", (3,))
    tc.output("time", tc.memory(tc.affine(x, np.eye(3)), T=0.1))
    tc.output("file", x)
    tc.output("allow_pickle", tc.log(x - 1.0))

with tc.Network("two") as two:
    tc.output("y", tc.input("a", (2,)) + tc.input("b", (2,)))

def fails():
    return {}["nothing"]

def asks(n):
    return net

def leaves():
    sys.exit(0)

def branches():
    with tc.Network("branches") as net:
        x = tc.input("x", (3,))
        tc.output("y", x if x > 0 else -x)
    return net
"""


def filled(folder: Path) -> Path:
    """Put a model and its inputs into a folder."""
    (folder / "model.py").write_text(SOURCE)
    np.save(folder / "x.npy", np.ones((2, 3)))
    return folder


def thermoc(
    *arguments: str, cwd: Path, stdout: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command line; stdout is a file descriptor in place of what is returned."""
    command = [sys.executable, "-m", "thermoc", *arguments]
    out = subprocess.PIPE if stdout is None else stdout
    settings = {"cwd": cwd, "text": True, "timeout": 300, "env": {**os.environ, **environment}}
    return subprocess.run(command, stdout=out, stderr=subprocess.PIPE, **settings)
