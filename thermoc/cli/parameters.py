"""Parameters that several commands share: target, options, chip, passes, inputs, the JSON switch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from thermoc.support.errors import error

Target = Annotated[str, typer.Option("--target", "-t", help="One of `thermoc targets`.")]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", "-O", metavar="KEY=VALUE", help="An option of the target; may be repeated."),
]
Chip = Annotated[
    str | None,
    typer.Option("--chip", metavar="CHIP", help="The chip of target chip: thermo-1, isaac, puma, FILE.toml."),
]
Passes = Annotated[
    str | None,
    typer.Option("--passes", metavar="TEXT", help="Passes to run, e.g. fuse,discretize{dt=0.1}; see thermoc passes."),
]
DumpIr = Annotated[
    Path | None,
    typer.Option("--dump-ir", metavar="DIR", help="Write the graph's text after each pass that changed it."),
]
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


def file_name(name: str) -> str:
    """Return a network's name as one that is safe for a file."""
    # The name may come from somebody's file: nothing in it may lead into another folder.
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name) or "network"
