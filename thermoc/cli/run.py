"""``thermoc run``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from thermoc import api
from thermoc import plot as figures
from thermoc.certificates import Certificate
from thermoc.certificates import certify as make_certificate
from thermoc.cli.inputs import load_inputs, no_inputs
from thermoc.cli.model import ModelArgument, takes_model
from thermoc.cli.output import check, print_json, say
from thermoc.cli.parameters import (
    Chip,
    DumpIr,
    Inputs,
    Json,
    Options,
    file_name,
    parse_options,
)
from thermoc.recording.specs import parsed_plan
from thermoc.reports import chip_picture, chip_trace
from thermoc.run import Run
from thermoc.support.arrays import npz_bytes
from thermoc.support.errors import error
from thermoc.support.files import can_write, write_atomic
from thermoc.support.tables import table


@takes_model
def run(
    model: ModelArgument,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="One of `thermoc targets`.", show_default="sim; chip with --chip"),
    ] = None,
    input: Inputs = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the outputs as .npz.")] = None,
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
    option: Options = None,
    dump_ir: DumpIr = None,
    as_json: Json = False,
) -> None:
    """Compile a network for a target, run it, and show or write what it gives."""
    options = parse_options(option) | ({} if chip is None else {"chip": chip})
    pictures = {"floorplan": floorplan, "heat_map": heat_map, "trace": trace}
    target = target or ("sim" if chip is None else "chip")
    # All that can be refused is refused before the model's file, which may take long, is run.
    _can_draw(pictures, target)
    _can_hold_arrays(output)
    kept = None if record is None else parsed_plan(record)
    if plot is not None:
        figures.format_of(plot)
    net = model.load()
    written = [output, plot, *pictures.values(), _certificate_path(net.name) if certify else None]
    for path in written:
        if path is not None:
            can_write(path)
    inputs = None if input is None else load_inputs(input, net.graph)
    exe = api.compile(net, target, dump_ir=dump_ir, **options)
    inputs = no_inputs(net.graph) if inputs is None else inputs
    result = exe.run(inputs, ticks=ticks, batch=batch, seed=seed, record=kept, to=to, overwrite=overwrite)
    _draw(result, pictures)
    if plot is not None:
        figures.save(figures.overview(result), plot)
    if output is not None:
        write_atomic(output, npz_bytes(result.outputs))
    certificate = _certified(result) if certify else None
    if as_json:
        print_json({**_document(result, certificate), "path": str(output) if output else None})
    else:
        _print(result, certificate, [path for path in (output, to, plot, *pictures.values()) if path is not None])
    # Last, because it may end the command: by now every file is written.
    if certificate is not None:
        check(certificate, as_json=as_json)


def _document(result: Run, certificate: Certificate | None) -> dict[str, Any]:
    """Return what --json prints of a run."""
    return {
        "network": result.network,
        "target": result.target,
        "seed": result.seed,
        "outputs": result.rows(),
        "warnings": [str(warning) for warning in result.warnings],
        "certificate": None if certificate is None else certificate.document,
        **({} if result.chip is None else {"chip": result.chip.to_json()}),
    }


def _print(result: Run, certificate: Certificate | None, written: Sequence[Path]) -> None:
    say(table(result.title, result.rows()))
    for warning in result.warnings:
        say(str(warning), err=True)
    if result.chip is not None:
        say(f"\n{result.chip}")
    for path in written:
        say(f"wrote {path}")
    if certificate is not None:
        say(str(certificate))
        say(f"wrote {_certificate_path(result.network)}")


def _can_draw(pictures: Mapping[str, Path | None], target: str) -> None:
    """Refuse pictures of a chip that there is not, and formats that there are not, before anything runs."""
    requested = [name.replace("_", "-") for name, path in pictures.items() if path is not None]
    if requested and target != "chip":
        raise error(
            "T404", f"--{requested[0]} shows a simulated chip, and the target is {target!r}", hint="take --target chip"
        )
    for name in ("floorplan", "heat_map"):
        path = pictures[name]
        if path is not None:
            chip_picture.format_of(path)


def _draw(result: Run, pictures: Mapping[str, Path | None]) -> None:
    makers = {"floorplan": chip_picture.floorplan, "heat_map": chip_picture.thermal_map, "trace": chip_trace.trace}
    for name, path in pictures.items():
        if path is not None:
            makers[name](result.chip, path)


def _certified(result: Run) -> Certificate:
    certificate = make_certificate(result)
    certificate.save(_certificate_path(result.network))
    return certificate


def _certificate_path(network: str) -> Path:
    return Path(f"{file_name(network)}.certificate.json")


def _can_hold_arrays(output: Path | None) -> None:
    """Refuse a suffix that says something else than what is written."""
    if output is not None and output.suffix not in ("", ".npz"):
        hint = f"-o {output.with_suffix('.npz')}"
        raise error("T404", f"outputs are written as .npz, not {output.suffix}", hint=hint)
