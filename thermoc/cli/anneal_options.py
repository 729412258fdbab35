"""Parameters of ``thermoc anneal`` and ``thermoc check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc.frontends.problems.formats import FORMATS, KINDS

ProblemFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="A problem: rudy, QUBO, Ising, CNF, a graph, a TSPLIB tour.")
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind", "-k", help=f"What to solve: {', '.join(KINDS)}.", show_default="what such files usually are"
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", "-f", help=f"How to read it: {', '.join(FORMATS)}.", show_default="by suffix and content"),
]
Colours = Annotated[
    int | None, typer.Option("--colours", help="Colours of a colouring.", show_default="as a greedy one takes")
]
Method = Annotated[str, typer.Option("--method", "-m", help="A sampler of thermoc.apps.optimisation.minimise.")]
Sweeps = Annotated[int | None, typer.Option("--sweeps", help="Updates of each spin.")]
Replicas = Annotated[int | None, typer.Option("--replicas", help="Independent runs.")]
Seconds = Annotated[float | None, typer.Option("--seconds", help="Go on for so long, instead of so many sweeps.")]
Reach = Annotated[float | None, typer.Option("--reach", metavar="OBJECTIVE", help="End once an answer is worth this.")]
AnnealTarget = Annotated[
    str, typer.Option("--target", "-t", help="sim, or what anneals the network instead: brian2, lava, onnx, chip.")
]
Threads = Annotated[int | None, typer.Option("--threads", help="Threads of target sim.", show_default="one a core")]
Keep = Annotated[int, typer.Option("--keep", min=1, help="Answers that are kept, the best ones.")]
AnswersFile = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the answers, for thermoc check.")
]
