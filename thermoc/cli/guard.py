"""``thermoc guard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc.cli.completions import chips
from thermoc.cli.inputs import load_inputs, no_inputs
from thermoc.cli.model import ModelArgument, takes_model
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Batch, Inputs, Json, Options, Seed, parse_options
from thermoc.plot import format_of
from thermoc.support.files import can_write

ChipOfGuard = Annotated[
    str, typer.Option("--chip", metavar="CHIP", help="thermo-1, FILE.toml: one that samples.", autocompletion=chips)
]
Epsilon = Annotated[
    float, typer.Option("--epsilon", help="The largest total variation of a draw from the law that was asked for.")
]
GuardTicks = Annotated[int, typer.Option("--ticks", help="Ticks that are looked at, of a run that goes on for ever.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw distance against rate, as .png, .svg or .pdf.")]


@takes_model
def guard(
    model: ModelArgument,
    chip: ChipOfGuard = "thermo-1",
    epsilon: Epsilon = 0.01,
    input: Inputs = None,
    ticks: GuardTicks = 16,
    batch: Batch = None,
    seed: Seed = 0,
    option: Options = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Show how fast a chip may sample before its own heat spoils the law of its draws."""
    from thermoc.guard import guard_band

    if plot is not None:
        format_of(plot)
        can_write(plot)
    net = model.load()
    inputs = no_inputs(net.graph) if input is None else load_inputs(input, net.graph)
    options = parse_options(option)
    band = guard_band(net, chip, epsilon=epsilon, inputs=inputs, ticks=ticks, batch=batch, seed=seed, options=options)
    if plot is not None:
        band.plot(plot)
    if as_json:
        print_json({**band.to_json(), "plot": str(plot) if plot else None})
        return
    say(band)
    if plot is not None:
        say(f"wrote {plot}")
