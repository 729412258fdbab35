"""``thermoc run``."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from thermoc import api
from thermoc.certificates import Certificate
from thermoc.certificates import certify as make_certificate
from thermoc.cli.common import (
    Chip,
    DumpIr,
    Json,
    Model,
    Options,
    Target,
    file_name,
    load_model,
    parse_options,
    print_json,
)
from thermoc.reports import chip_picture, chip_trace
from thermoc.support.errors import error
from thermoc.support.files import can_write, write_atomic
from thermoc.support.tables import table


def run(
    model: Model,
    target: Target = "sim",
    input: Annotated[
        Path | None, typer.Option("--input", "-i", help="A .npz with one array for each input of the network.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the outputs as .npz.")] = None,
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
    net = load_model(model)
    inputs = {} if input is None else load_arrays(input)
    options = parse_options(option) | ({} if chip is None else {"chip": chip})
    pictures = {"floorplan": floorplan, "heat_map": heat_map, "trace": trace}
    _can_draw(pictures, options)
    for path in (output, *pictures.values()):
        if path is not None:
            can_write(path)
    result = api.compile(net, target, dump_ir=dump_ir, **options).run(inputs, ticks=ticks, batch=batch, seed=seed)
    _draw(result, pictures)
    if output is not None:
        buffer = io.BytesIO()
        np.savez(buffer, **result.outputs)  # pyright: ignore[reportArgumentType]
        write_atomic(output, buffer.getvalue())
    certificate = _certified(result) if certify else None
    rows = [_row(name, result) for name in result.outputs]
    if as_json:
        print_json(
            {
                "network": result.network,
                "target": target,
                "seed": seed,
                "outputs": rows,
                "path": str(output) if output else None,
                "warnings": [str(warning) for warning in result.warnings],
                "certificate": None if certificate is None else certificate.document,
                **({} if result.chip is None else {"chip": result.chip.to_json()}),
            }
        )
    else:
        typer.echo(table(f"{result.network} on {target}, seed {seed}", rows))
        for warning in result.warnings:
            typer.echo(str(warning), err=True)
        if result.chip is not None:
            typer.echo(f"\n{result.chip}")
        for path in (output, *pictures.values()):
            if path is not None:
                typer.echo(f"wrote {path}")
    if certificate is not None:
        if not as_json:
            typer.echo(str(certificate))
            typer.echo(f"wrote {_certificate_path(result)}")
        certificate.check()


def _can_draw(pictures: Mapping[str, Path | None], options: Mapping[str, object]) -> None:
    """Refuse pictures of a chip that there is not, and formats that there are not, before anything runs."""
    wanted = [name.replace("_", "-") for name, path in pictures.items() if path is not None]
    if wanted and options.get("chip") is None:
        raise error("T404", f"--{wanted[0]} shows a chip, and none is named", hint="add --chip thermo-1")
    for name in ("floorplan", "heat_map"):
        path = pictures[name]
        if path is not None:
            chip_picture.format_of(path)


def _draw(result: api.Run, pictures: Mapping[str, Path | None]) -> None:
    makers = {"floorplan": chip_picture.floorplan, "heat_map": chip_picture.thermal_map, "trace": chip_trace.trace}
    for name, path in pictures.items():
        if path is not None:
            makers[name](result.chip, path)


def _certified(result: api.Run) -> Certificate:
    certificate = make_certificate(result)
    certificate.save(_certificate_path(result))
    return certificate


def _certificate_path(result: api.Run) -> Path:
    return Path(f"{file_name(result.network)}.certificate.json")


def load_arrays(path: Path) -> Mapping[str, NDArray]:
    """Return the arrays of a .npz file; nothing in it is executed. Errors: T501, T502."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array, not named ones")
            return {name: archive[name] for name in archive.files}
    except OSError as reason:
        raise error(
            "T501", f"{path} cannot be read", notes=[str(reason.strerror or reason)], hint="check the path"
        ) from None
    except (ValueError, zipfile.BadZipFile, EOFError) as reason:
        raise error(
            "T502", f"{path} is not a .npz file of arrays", notes=[str(reason)], hint="numpy.savez(path, name=array)"
        ) from None


def _row(name: str, result: api.Run) -> dict[str, object]:
    array, chain = result[name], result.diagnostics.get(name)
    mixing = {"r_hat": chain.r_hat, "ess": chain.ess} if chain else {"r_hat": "", "ess": ""}
    return {
        "output": name,
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "mean": float(array.mean()),
        "min": float(array.min()),
        "max": float(array.max()),
        **(mixing if result.diagnostics else {}),
    }
