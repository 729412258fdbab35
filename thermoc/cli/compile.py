"""``thermoc compile``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc import api
from thermoc.cli.model import Model, takes_model
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import (
    Chip,
    DumpIr,
    Json,
    Options,
    Passes,
    file_name,
    parse_options,
)
from thermoc.support.files import can_write


@takes_model
def compile(
    model: Model,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="One of `thermoc targets`.", show_default="onnx; chip with --chip"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the artefact goes; default: the network's name, here.")
    ] = None,
    step: Annotated[bool, typer.Option("--step", help="onnx: one tick, with state in and out.")] = False,
    chip: Chip = None,
    option: Options = None,
    passes: Passes = None,
    dump_ir: DumpIr = None,
    as_json: Json = False,
) -> None:
    """Compile a network for a target and write the artefact; with --passes by these, not by the target's own."""
    options = parse_options(option) | ({"step": True} if step else {}) | ({} if chip is None else {"chip": chip})
    target = target or ("onnx" if chip is None else "chip")
    net = model.load()
    beside = output or Path(file_name(net.name))
    if not beside.is_dir():
        can_write(beside)
    exe = api.compile(net, target, passes=passes, dump_ir=dump_ir, **options)
    path = output or Path(file_name(exe.source.name) + exe.artefact.suffix)
    size = exe.save(path)
    report = exe.report()
    layout = getattr(exe.artefact, "mapping", None)
    if as_json:
        used = {} if layout is None else {"utilisation": layout.utilisation}
        print_json({**report.to_json(), **used, "path": str(path), "bytes": size})
        return
    say(str(report))
    if layout is not None:
        say(f"\n{layout.summary()}")
    say(f"wrote {path} ({size} bytes)")
