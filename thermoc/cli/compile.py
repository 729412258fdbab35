"""``thermoc compile``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc import api
from thermoc.cli.model import ModelArgument, takes_model
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
from thermoc.frontends.formats import ARTEFACTS, check_artefact, suffix
from thermoc.support.files import can_write

USUAL = {target: suffix for suffix, target in ARTEFACTS.items()}
"""The suffix of what each target of ours writes."""


@takes_model
def compile(
    model: ModelArgument,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            help="One of `thermoc targets`.",
            show_default="what writes the suffix of -o, else sim; chip with --chip",
        ),
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
    target = target or _target(output, step=step, chip=chip)
    name = target.partition(":")[0]
    if output is not None and name in USUAL:
        check_artefact(output, name, USUAL[name])
    net = model.load()
    target_path = output or Path(file_name(net.name))
    # The suffix is not known before the artefact is; the folder can be checked at once.
    if not target_path.is_dir():
        can_write(target_path)
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


def _target(output: Path | None, *, step: bool, chip: str | None) -> str:
    """Return the target where none is named: what the other options are of, else what writes such a file."""
    if chip is not None:
        return "chip"
    return "onnx" if step else "sim" if output is None else ARTEFACTS.get(suffix(output), "sim")
