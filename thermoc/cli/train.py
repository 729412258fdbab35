"""``thermoc train``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thermoc.cli.exit_codes import INTERRUPTED
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.progress import Display, on_terminal
from thermoc.support.plurals import counted
from thermoc.support.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from thermoc.learning.training import Config, Summary

EXAMPLE = """\
A file to begin with:

\b
[data]
sklearn = "digits"      # or file = "digits.npz" (arrays x, y), or folder = "data" (train/x.npy, ...)
scaling = "unit"

\b
[network]
feed_forward = [64, 10] # or file = "net.thermo"; hidden = 64 for a Boltzmann machine
activations = ["thermal_relu", "boltzmann"]
T = [0.05, 0.5]

\b
[training]
rule = "gradient"       # or "contrastive_divergence"
epochs = 20
patience = 5

\b
[output]
folder = "digits"       # metrics.csv, training.ckpt, model.thermo
"""


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="A TOML file: data, network, training, loss, output.")
    ],
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew where there is a checkpoint.")] = False,
    as_json: Json = False,
) -> None:
    """Train a network as a file describes it; stopped and resumed, it gives the same bytes."""
    from thermoc.learning.training import read_config
    from thermoc.learning.training import train as run

    settings = read_config(config)
    shown = _Shown(config.stem, on_terminal(False if as_json else None))
    try:
        summary = run(settings, resume=resume, overwrite=overwrite, watch=shown)
    except KeyboardInterrupt:
        shown.close()
        _say_how(config, settings)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        shown.close()
    if as_json:
        print_json(asdict(summary))
        return
    _print(config.stem, summary)


def _say_how(path: Path, settings: Config) -> None:
    from thermoc.learning.training.saved import CHECKPOINT

    resumed = (settings.folder / CHECKPOINT).is_file()
    how = f"to go on: thermoc train {path} --resume" if resumed else "before the first checkpoint"
    say(f"stopped; {how}", err=True)


def _print(name: str, summary: Summary) -> None:
    numbers = {**summary.metrics, **{f"test_{key}": value for key, value in summary.test.items()}}
    early = f", early: best at epoch {summary.best_epoch}" if summary.early else ""
    title = f"{name}: {summary.rule}, {counted(summary.epochs, 'epoch')}, {counted(summary.steps, 'step')}{early}"
    say(table(title, [{key: f"{value:.4g}" for key, value in numbers.items()}]))
    say(f"wrote {summary.model}")


class _Shown:
    """A line on the terminal, from the first epoch on."""

    def __init__(self, name: str, wanted: bool):
        self._name, self._wanted = name, wanted
        self._display: Display | None = None
        self._metrics: Mapping[str, float] = {}

    def __call__(self, steps: int, total: int, metrics: Mapping[str, float]) -> None:
        """Show that so many steps are behind."""
        if not self._wanted:
            return
        self._metrics = metrics
        if self._display is None:  # the first epoch loads what is compiled: its pace is no one's
            self._display = Display(self._name, total, steps, lambda: self._metrics, unit="steps")
            return
        self._display(steps)

    def close(self) -> None:
        """Take the line away."""
        if self._display is not None:
            self._display.close()
