"""``thermoc compile``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc import api
from thermoc.cli.common import (
    Chip,
    DumpIr,
    Json,
    Model,
    Options,
    file_name,
    load_model,
    parse_options,
    print_json,
)


def compile(
    model: Model,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="One of `thermoc targets`.", show_default="onnx; sim with --chip"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the artefact goes; default: the network's name, here.")
    ] = None,
    step: Annotated[bool, typer.Option("--step", help="onnx: one tick, with state in and out.")] = False,
    chip: Chip = None,
    option: Options = None,
    dump_ir: DumpIr = None,
    as_json: Json = False,
) -> None:
    """Compile a network for a target and write the artefact."""
    options = parse_options(option) | ({"step": True} if step else {}) | ({} if chip is None else {"chip": chip})
    target = target or ("onnx" if chip is None else "sim")
    exe = api.compile(load_model(model), target, dump_ir=dump_ir, **options)
    path = output or Path(file_name(exe.source.name) + exe.artefact.suffix)
    size = exe.save(path)
    report = exe.report()
    layout = getattr(exe.artefact, "mapping", None)
    if as_json:
        used = {} if layout is None else {"utilisation": layout.utilisation}
        print_json({**report.to_json(), **used, "path": str(path), "bytes": size})
        return
    typer.echo(str(report))
    if layout is not None:
        typer.echo(f"\n{layout.summary()}")
    typer.echo(f"wrote {path} ({size} bytes)")
