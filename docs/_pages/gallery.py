"""The gallery: what each example says of itself, and the figure that it makes. ``make docs`` runs them once."""

from __future__ import annotations

import ast
import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path

from op_pages import ROOT, SOURCE, linked
from tutorial_runs import QUICK

LOG = logging.getLogger("mkdocs.hooks.gallery")
KEPT = ROOT / "out" / "gallery"
EXAMPLES = {
    "ising_phase_transition": "ising_phase_transition.png",
    "hot_chip": "hot_chip/heat-wire.png",
    "associative_memory": "associative_memory.png",
    "generate_digits": "generate_digits.png",
    "cartpole": "cartpole.png",
    "fluctuation_theorems": "fluctuation_theorems.png",
    "neuristor_avalanches": "neuristor_avalanches.png",
    "critical_dynamics": "critical_dynamics.png",
    "cuba": "cuba.png",
    "hybrid": "hybrid.png",
    "memristor_reservoir": "memristor_reservoir.png",
    "quantum_heat": "quantum_heat.png",
    "closed_loop": "closed_loop.png",
}
"""Examples that draw, and the file that each is asked to write or writes into the folder it is asked for."""


def gallery_page() -> str:
    """Return the page of all examples."""
    parts = [
        "# Gallery",
        "",
        "Each figure is made by an example of the checkout, anew when the example changes; a name leads to its code.",
        "Each runs by itself, `python examples/NAME.py`, in seconds to a few minutes.",
        "",
    ]
    for name in EXAMPLES:
        text = ast.get_docstring(ast.parse((ROOT / "examples" / f"{name}.py").read_text())) or ""
        first, *others = text.split("\n\n")
        story = [paragraph for paragraph in others if not paragraph.lstrip().startswith(("python ", "thermoc "))]
        parts += [f"## [{name}]({SOURCE}examples/{name}.py)", "", linked(" ".join(first.split())), ""]
        parts += ["\n\n".join(linked(" ".join(paragraph.split())) for paragraph in story), ""]
        parts += [
            f"![What {name} draws](gallery/{name}.png){{loading=lazy}}" if _file(name) else "*Not drawn here.*",
            "",
        ]
    return "\n".join(parts)


def pictures() -> dict[str, bytes]:
    """Return the figures by their paths in the site."""
    return {f"gallery/{name}.png": path.read_bytes() for name in EXAMPLES if (path := _file(name))}


def _file(name: str) -> Path | None:
    """Return an example's figure, made where none of this example is kept; None where there is none."""
    source = ROOT / "examples" / f"{name}.py"
    folder = KEPT / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    path = folder / EXAMPLES[name]
    if not path.is_file() and not os.environ.get(QUICK):
        folder.mkdir(parents=True, exist_ok=True)
        LOG.info(f"running examples/{name}.py for the gallery")
        command = [sys.executable, str(source), EXAMPLES[name].partition("/")[0]]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            # A strict build fails with an example that fails, but not where its runtime is not installed (T302).
            level = logging.INFO if "T302" in done.stderr else logging.WARNING
            LOG.log(level, f"examples/{name}.py: {done.stderr.strip()[-400:]}")
    return path if path.is_file() else None
