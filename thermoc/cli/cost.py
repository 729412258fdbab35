"""``thermoc cost``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from thermoc.cli.inputs import load_inputs, no_inputs
from thermoc.cli.model import DEMO, ModelArgument, takes_model
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Batch, Inputs, Json, Seed, Ticks, options_by_target
from thermoc.plot import format_of
from thermoc.support.arrays import read_arrays
from thermoc.support.errors import error
from thermoc.support.files import can_write

if TYPE_CHECKING:
    from thermoc.costs import CostTable

On = Annotated[
    str, typer.Option("--on", metavar="NAMES", help="Chips, files of chips and targets here, with commas between.")
]
Labels = Annotated[
    Path | None, typer.Option("--labels", metavar="PATH", help="A .npy: which element of the output is to be largest.")
]
Calibrate = Annotated[
    Path | None,
    typer.Option("--calibrate", metavar="PATH", help="Inputs that converters' ranges are set by.", show_default="-i"),
]
MachineOptions = Annotated[
    list[str] | None,
    typer.Option("--option", "-O", metavar="NAME.KEY=VALUE", help="An option on one of them; may be repeated."),
]
Sources = Annotated[bool, typer.Option("--sources", help="Show who says each number behind the joules.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw the table, as .png, .svg or .pdf.")]
EVERY = "thermo-1,isaac,puma,loihi,sim"
"""As of ``tc.cost``, which is not imported before it is asked."""
SHOWN = 100
"""How many digits of the demo are run where --batch does not say."""


@takes_model
def cost(
    model: ModelArgument,
    on: On = EVERY,
    input: Inputs = None,
    labels: Labels = None,
    calibrate: Calibrate = None,
    ticks: Ticks = None,
    batch: Batch = None,
    seed: Seed = 0,
    option: MachineOptions = None,
    sources: Sources = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Show what an inference costs on each machine: joules, seconds, kelvins, error, and how sure each number is.

    MODEL may be demo: the digits network with digits it never saw.
    """
    from thermoc.costs import cost as cost_of

    if plot is not None:
        format_of(plot)
        can_write(plot)
    options = options_by_target(option)
    net = model.load()
    arguments: dict[str, Any] = {"ticks": ticks, "batch": batch, "seed": seed, "options": options}
    if model.name == DEMO and input is None:
        arguments |= _digits(batch or SHOWN)
    else:
        arguments["inputs"] = no_inputs(net.graph) if input is None else load_inputs(input, net.graph)
    if calibrate is not None:
        arguments["calibrate"] = load_inputs(calibrate, net.graph)
    if labels is not None:
        arguments["labels"] = _labels(labels)
    table = cost_of(net, on, **arguments)
    if plot is not None:
        table.plot(plot)
    _tell(table, plot, sources=sources, as_json=as_json)


def _digits(count: int) -> dict[str, Any]:
    from thermoc.demo import digits

    data = digits()
    count = min(count, len(data.test_labels))
    samples = {"inputs": {"pixels": data.test_images[:count]}, "labels": data.test_labels[:count], "batch": count}
    return samples | {"calibrate": {"pixels": data.train_images[:200]}}


def _labels(path: Path) -> np.ndarray:
    labels = read_arrays(path)
    if isinstance(labels, dict):
        raise error("T404", "labels are one array, in a .npy file", notes=[f"{path.name} holds {', '.join(labels)}"])
    return labels


def _tell(table: CostTable, plot: Path | None, *, sources: bool, as_json: bool) -> None:
    if as_json:
        print_json({**table.to_json(), "plot": str(plot) if plot else None})
        return
    say(table)
    if sources:
        say(f"\n{table.sources}")
    if plot is not None:
        say(f"wrote {plot}")
