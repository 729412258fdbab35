"""``thermoc verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc.cli.inputs import load_inputs, load_labels
from thermoc.cli.model import ModelArgument, takes_model
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Inputs, Json, ReportPage, options_by_target
from thermoc.reports.html import check_page
from thermoc.support.files import can_write
from thermoc.verification import Verification
from thermoc.verification import verify as verification
from thermoc.verification.plot import format_of

Targets = Annotated[
    str,
    typer.Option("--targets", "-t", help="Targets, with commas between, as sim,sim:cuda; see `thermoc targets`."),
]
Ticks = Annotated[int | None, typer.Option(help="Number of ticks; default: what the inputs say, else 64.")]
Batch = Annotated[int | None, typer.Option(help="Number of samples; default: what the inputs say, else 4.")]
Seed = Annotated[int, typer.Option(help="Seed of the noise, and of inputs that are drawn.")]
Pieces = Annotated[
    int, typer.Option(help="In how many calls of a session each target runs the ticks; whole and cut runs agree.")
]
Probes = Annotated[
    list[str] | None, typer.Option("--probe", metavar="NAME", help="A value to compare too; may be repeated.")
]
Tolerance = Annotated[
    float | None, typer.Option(help="An absolute difference for floats, in place of the bounds by rounding.")
]
TargetOptions = Annotated[
    list[str] | None,
    typer.Option("--option", "-O", metavar="TARGET.KEY=VALUE", help="An option of a target; may be repeated."),
]
Reduce = Annotated[
    Path | None,
    typer.Option(
        "--reduce", metavar="PATH", help="On a breach: write the smallest graph that shows it, .thermo and .npz."
    ),
]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw error against tick, as .png or .svg.")]
Labels = Annotated[
    Path | None,
    typer.Option("--labels", metavar="PATH", help="For --report, how accurate targets are: a .npy of right classes."),
]


@takes_model
def verify(
    model: ModelArgument,
    targets: Targets = "sim",
    input: Inputs = None,
    ticks: Ticks = None,
    batch: Batch = None,
    seed: Seed = 0,
    pieces: Pieces = 1,
    probe: Probes = None,
    tolerance: Tolerance = None,
    option: TargetOptions = None,
    reduce: Reduce = None,
    plot: Plot = None,
    report: ReportPage = None,
    labels: Labels = None,
    as_json: Json = False,
) -> None:
    """Compare a network with its lowered graph, and that with each target; exit with 0 only if all bounds hold.

    Inputs are drawn from the seed where none are named.
    """
    _check_files(plot, reduce, report)
    settings = {"ticks": ticks, "batch": batch, "seed": seed, "pieces": pieces, "tolerance": tolerance}
    net = model.load()
    inputs = None if input is None else load_inputs(input, net.graph)
    right = None if labels is None else load_labels(labels, net.graph)
    names = [name for name in targets.split(",") if name]
    settings |= {"probes": probe or (), "options": options_by_target(option), "reduce": reduce}
    verified = verification(net, names, inputs=inputs, **settings)
    if plot is not None:
        verified.plot(plot)
    if report is not None:
        verified.report(right).html(report)
    if as_json:
        print_json({**verified.to_json(), "plot": str(plot) if plot else None})
    else:
        _tell(verified, plot, report)
    if not verified.ok:
        raise typer.Exit(1)


def _check_files(plot: Path | None, reduce: Path | None, report: Path | None) -> None:
    """Refuse before the runs, which may take long, what could not be written after them. Errors: T404, T505."""
    if plot is not None:
        format_of(plot)
    if report is not None:
        check_page(report)
    for path in (plot, reduce, report):
        if path is not None:
            can_write(path)


def _tell(verified: Verification, *files: Path | None) -> None:
    say(str(verified))
    for path in files:
        if path is not None:
            say(f"wrote {path}")
