"""``thermoc run``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from thermoc import api
from thermoc.cli.inputs import load_inputs, no_inputs
from thermoc.cli.model import ModelArgument, takes_model
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import (
    Batch,
    Certify,
    CheckpointPath,
    Chip,
    Device,
    DryRun,
    DumpIr,
    Every,
    Floorplan,
    HeatMap,
    Inputs,
    Json,
    MaxMemory,
    Options,
    Output,
    Overwrite,
    Plot,
    Record,
    ReportPage,
    RunTarget,
    Seed,
    Sign,
    Ticks,
    To,
    Trace,
    parse_options,
)
from thermoc.cli.results import Results, certificate_path
from thermoc.cli.stopping import finished
from thermoc.ir.memory import MemoryEstimate
from thermoc.network import Network
from thermoc.recording.specs import parsed_plan
from thermoc.saving import saving
from thermoc.session import run_memory
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error


@takes_model
def run(
    model: ModelArgument,
    target: RunTarget = None,
    input: Inputs = None,
    output: Output = None,
    record: Record = None,
    to: To = None,
    overwrite: Overwrite = False,
    plot: Plot = None,
    report: ReportPage = None,
    ticks: Ticks = None,
    batch: Batch = None,
    seed: Seed = 0,
    certify: Certify = False,
    sign: Sign = None,
    chip: Chip = None,
    device: Device = None,
    floorplan: Floorplan = None,
    heat_map: HeatMap = None,
    trace: Trace = None,
    checkpoint: CheckpointPath = None,
    every: Every = None,
    max_memory: MaxMemory = None,
    dry_run: DryRun = False,
    option: Options = None,
    dump_ir: DumpIr = None,
    as_json: Json = False,
) -> None:
    """Compile a network for a target, run it, and show or write what it gives."""
    target = target or ("sim" if chip is None else "chip")
    if sign is not None and not certify:
        raise error("T404", "--sign signs a certificate, and none is asked for", hint="add --certify")
    options = parse_options(option) | {k: v for k, v in {"chip": chip, "device": device}.items() if v is not None}
    files = {
        "output": output,
        "to": to,
        "plot": plot,
        "report": report,
        "floorplan": floorplan,
        "heat_map": heat_map,
        "trace": trace,
    }
    results = Results(**files, sign=sign, as_json=as_json)
    # All that can be refused is refused before the model's file, which may take long, is run.
    plan = None if record is None else parsed_plan(record)
    results.check(target, plan)
    settings = {"ticks": ticks, "batch": batch, "seed": seed, "record": plan, "to": to, "overwrite": overwrite}
    settings |= {"checkpoint": saving(checkpoint, every), "max_memory": max_memory}
    net = model.load()
    if ticks is None and net.ticks is not None:
        settings["ticks"] = net.ticks
    results = replace(results, certificate=certificate_path(net.name) if certify else None)
    if not dry_run:
        results.can_write()
    exe, arrays = _compiled(net, target, input, dump_ir=dump_ir, **options)
    _carry_out(exe, arrays, results, settings, dry_run=dry_run)


def _compiled(
    net: Network, target: str, input: Path | None, **options: Any
) -> tuple[api.Executable, Mapping[str, AnyArray]]:
    arrays = None if input is None else load_inputs(input, net.graph)
    exe = api.compile(net, target, **options)
    return exe, no_inputs(net.graph) if arrays is None else arrays


def _carry_out(
    exe: api.Executable,
    arrays: Mapping[str, AnyArray],
    results: Results,
    settings: Mapping[str, Any],
    *,
    dry_run: bool,
) -> None:
    if dry_run:
        _show(run_memory(exe, arrays, **settings), as_json=results.as_json)
        return
    keep = settings["checkpoint"]
    if keep is not None:
        keep = replace(keep, note=results.note())
    watch = {**settings, "checkpoint": keep, "progress": False if results.as_json else None}
    finished(lambda: exe.run(arrays, **watch), results, None if keep is None else keep.path)


def _show(needed: MemoryEstimate, *, as_json: bool) -> None:
    """Print what a run would hold. Errors: T408 where it does not fit."""
    if as_json and needed.fits:
        gpu = {} if needed.device is None else {"gpu": asdict(needed.device)}
        print_json({"parts": needed.parts, "total": needed.total, "available": needed.limit, **gpu})
    elif not as_json:
        say(needed)
    needed.check()
