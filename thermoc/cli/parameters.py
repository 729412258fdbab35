"""Parameters of commands: what several share, and all of ``thermoc run``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from thermoc.cli.completions import chips, targets
from thermoc.support.errors import error

Target = Annotated[str, typer.Option("--target", "-t", help="One of `thermoc targets`.", autocompletion=targets)]
RunTarget = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        help="One of `thermoc targets`.",
        show_default="sim; chip with --chip",
        autocompletion=targets,
    ),
]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", "-O", metavar="KEY=VALUE", help="An option of the target; may be repeated."),
]
Chip = Annotated[
    str | None,
    typer.Option(
        "--chip",
        metavar="CHIP",
        help="The chip of target chip: thermo-1, isaac, puma, FILE.toml.",
        autocompletion=chips,
    ),
]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="DEVICE", help="Where target sim runs: cpu, cuda, auto.", show_default="cpu"),
]
Passes = Annotated[
    str | None,
    typer.Option("--passes", metavar="TEXT", help="Passes to run, e.g. fuse,discretize{dt=0.1}; see thermoc passes."),
]
DumpIr = Annotated[
    Path | None,
    typer.Option("--dump-ir", metavar="DIR", help="Write the graph's text after each pass that changed it."),
]
Ticks = Annotated[int | None, typer.Option(help="Number of ticks; default: what the inputs say, else 1.")]
Batch = Annotated[int | None, typer.Option(help="Number of samples; default: what the inputs say, else 1.")]
Seed = Annotated[int, typer.Option(help="Seed of the noise.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write what is recorded as .npz.")]
Record = Annotated[
    str | None,
    typer.Option("--record", metavar="TEXT", help="What to keep: s=mean,E=every:100; default: every output."),
]
To = Annotated[
    Path | None, typer.Option("--to", help="Write what is recorded: a .zarr while it runs, .nc or .npz at the end.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write over the run that --to names.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw spikes, energy or traces: .png, .svg.")]
Sign = Annotated[
    Path | None,
    typer.Option(
        "--sign", metavar="PEM", help="With --certify: the private Ed25519 key that signs it; `resume` does not."
    ),
]
Certify = Annotated[
    bool, typer.Option("--certify", help="Check the laws of physics on the run; write NAME.certificate.json.")
]
ReportPage = Annotated[
    Path | None, typer.Option("--report", metavar="PAGE.html", help="Write one page that shows the run, for a browser.")
]
Floorplan = Annotated[Path | None, typer.Option("--floorplan", help="Draw what each core works for.")]
HeatMap = Annotated[Path | None, typer.Option("--heat-map", help="Draw the die when it was hottest.")]
Trace = Annotated[Path | None, typer.Option("--trace", help="Write a Chrome trace, for ui.perfetto.dev.")]
CheckpointPath = Annotated[
    Path | None, typer.Option("--checkpoint", metavar="PATH", help="Save to it while it runs; see thermoc resume.")
]
Every = Annotated[
    str | None,
    typer.Option("--every", metavar="N", help="Ticks between two checkpoints, or a time: 30s.", show_default="60s"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what it would hold of memory; run nothing.")]
MaxMemory = Annotated[
    str | None,
    typer.Option(
        "--max-memory", metavar="SIZE", help="Refuse a run that holds more: 8GiB.", show_default="what is free"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Inputs = Annotated[
    Path | None,
    typer.Option("--input", "-i", metavar="PATH", help="A .npz with an array for each input, or the only one's .npy."),
]


def parse_options(pairs: Sequence[str] | None) -> dict[str, Any]:
    """Return KEY=VALUE pairs as a dictionary; a value is JSON where it reads as such, else text. Errors: T303."""
    options: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise error("T303", f"option {pair!r} is not KEY=VALUE", hint="e.g. -O precision=float32")
        try:
            options[key.replace("-", "_")] = json.loads(text)
        except ValueError:
            options[key.replace("-", "_")] = text
    return options


def options_by_target(pairs: list[str] | None) -> dict[str, dict[str, Any]]:
    """Return TARGET.KEY=VALUE pairs as options by target. Errors: T303."""
    options: dict[str, dict[str, Any]] = {}
    for pair in pairs or ():
        # the last dot before the value: a chip's file has one too
        target, dot, key = pair.partition("=")[0].rpartition(".")
        if not dot:
            raise error("T303", f"option {pair!r} is not TARGET.KEY=VALUE", hint="e.g. -O onnx.precision=float64")
        options.setdefault(target, {}).update(parse_options([key + pair[len(target + dot + key) :]]))
    return options


def file_name(name: str) -> str:
    """Return a network's name as one that is safe for a file."""
    # The name may come from somebody's file: nothing in it may lead into another folder.
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name) or "network"
