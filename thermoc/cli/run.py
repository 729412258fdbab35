"""``thermoc run``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from thermoc import api
from thermoc.cli.inputs import load_inputs, no_inputs
from thermoc.cli.model import ModelArgument, takes_model
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import (
    Chip,
    DumpIr,
    Inputs,
    Json,
    MaxMemory,
    Options,
    parse_options,
)
from thermoc.cli.results import Results, certificate_path
from thermoc.cli.stopping import finished
from thermoc.ir.memory import Memory
from thermoc.recording.specs import parsed_plan
from thermoc.saving import Saving
from thermoc.saving import saving as saving_of
from thermoc.session import run_memory


@takes_model
def run(
    model: ModelArgument,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="One of `thermoc targets`.", show_default="sim; chip with --chip"),
    ] = None,
    input: Inputs = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write what is recorded as .npz.")] = None,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="TEXT", help="What to keep: s=mean,E=every:100; default: every output."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write what is recorded: a .zarr while it runs, .nc or .npz at the end.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over the run that --to names.")] = False,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw spikes, energy or traces: .png, .svg.")] = None,
    ticks: Annotated[int | None, typer.Option(help="Number of ticks; default: what the inputs say, else 1.")] = None,
    batch: Annotated[int | None, typer.Option(help="Number of samples; default: what the inputs say, else 1.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 0,
    certify: Annotated[
        bool, typer.Option("--certify", help="Check the laws of physics on the run; write NAME.certificate.json.")
    ] = False,
    chip: Chip = None,
    floorplan: Annotated[Path | None, typer.Option("--floorplan", help="Draw what each core works for.")] = None,
    heat_map: Annotated[Path | None, typer.Option("--heat-map", help="Draw the die when it was hottest.")] = None,
    trace: Annotated[Path | None, typer.Option("--trace", help="Write a Chrome trace, for ui.perfetto.dev.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", metavar="PATH", help="Save to it while it runs; see thermoc resume.")
    ] = None,
    every: Annotated[
        str | None,
        typer.Option("--every", metavar="N", help="Ticks between two checkpoints, or a time: 30s.", show_default="60s"),
    ] = None,
    max_memory: MaxMemory = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would hold of memory; run nothing.")] = False,
    option: Options = None,
    dump_ir: DumpIr = None,
    as_json: Json = False,
) -> None:
    """Compile a network for a target, run it, and show or write what it gives."""
    options = parse_options(option) | ({} if chip is None else {"chip": chip})
    target = target or ("sim" if chip is None else "chip")
    files = {"output": output, "plot": plot, "floorplan": floorplan, "heat_map": heat_map, "trace": trace}
    wanted = Results(**files, to=to, as_json=as_json)
    # All that can be refused is refused before the model's file, which may take long, is run.
    wanted.check(target)
    keep, kept = saving_of(checkpoint, every), None if record is None else parsed_plan(record)
    net = model.load()
    if certify:
        wanted = replace(wanted, certificate=certificate_path(net.name))
    if not dry_run:
        wanted.can_write()
    arrays = None if input is None else load_inputs(input, net.graph)
    exe = api.compile(net, target, dump_ir=dump_ir, **options)
    size = {"ticks": ticks, "batch": batch, "record": kept, "to": to, "max_memory": max_memory}
    arrays = no_inputs(net.graph) if arrays is None else arrays
    if dry_run:
        _show(run_memory(exe, arrays, checkpoint=checkpoint, **size), as_json=as_json)
        return
    keep = None if keep is None else Saving(path=keep.path, every=keep.every, note=wanted.note())
    watch = {"checkpoint": keep, "overwrite": overwrite, "progress": False if as_json else None}
    finished(lambda: exe.run(arrays, seed=seed, **size, **watch), wanted, checkpoint)


def _show(needed: Memory, *, as_json: bool) -> None:
    """Print what a run would hold. Errors: T408 where it does not fit."""
    if as_json and needed.fits:
        print_json({"parts": needed.parts, "total": needed.total, "available": needed.limit})
    elif not as_json:
        say(needed)
    needed.check()
