"""``thermoc certify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from thermoc.certificates import certify_samples, recheck
from thermoc.cli.model import DEMO, ModelArgument
from thermoc.cli.output import check, print_json, say
from thermoc.cli.parameters import Json
from thermoc.frontends.formats import by_suffix
from thermoc.frontends.problems import FORMATS
from thermoc.plot import format_of, save, temperatures

_OF_SAMPLES = "Samples of any machine"


def _option(*names: str, text: str, metavar: str | None = None, default: str | bool = False) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=_OF_SAMPLES, show_default=default)


def certify(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A certificate of `thermoc run MODEL --certify`; with --model, a file of samples."
        ),
    ],
    large: Annotated[bool, typer.Option("--large", help="Repeat also a run that takes long.")] = False,
    on: Annotated[str | None, typer.Option("--on", metavar="TARGET", help="Repeat it on another target too.")] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="PEM", help="The Ed25519 public key that must have signed it.")
    ] = None,
    model: Annotated[
        str | None,
        _option("--model", "-m", metavar="MODEL", text="What FILE samples: a network, or a problem (.coo, .json)."),
    ] = None,
    temperature: Annotated[
        float | None,
        _option("--temperature", "-T", metavar="T", text="That of the samples.", default="the network's own"),
    ] = None,
    of: Annotated[
        str | None, _option("--of", metavar="OUTPUT", text="The output of the network, and array of the file.")
    ] = None,
    format: Annotated[
        str | None, _option("--format", metavar="NAME", text="npz, csv or dimod.", default="as its suffix says")
    ] = None,
    kind: Annotated[
        str | None, _option("--kind", metavar="NAME", text="Kind of the problem; see thermoc anneal.")
    ] = None,
    independent: Annotated[
        bool | None,
        _option(
            "--independent/--chain",
            text="The samples stand alone, or follow each other.",
            default="independent for sample sets of dimod",
        ),
    ] = None,
    resolution: Annotated[
        float,
        _option("--resolution", metavar="SHARE", text="Bias in temperature that must show.", default="0.05"),
    ] = 0.05,
    output: Annotated[
        Path | None, _option("--output", "-o", metavar="PATH", text="Write what was found of samples as JSON.")
    ] = None,
    plot: Annotated[
        Path | None, _option("--plot", metavar="PATH", text="Draw each unit's temperature: .png, .svg, .pdf.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a certificate again, offline: its run is repeated, and laws, bounds and verdicts are derived anew.

    With --model, hold samples of any machine against exp(-E / T) of a network or a problem.
    """
    if model is None:
        _of_run(file, large, on, key, as_json)
        return
    if plot is not None:
        format_of(plot)  # before samples are looked at, which may take a while
    options: dict[str, Any] = {"T": temperature, "output": of, "independent": independent, "format": format}
    certificate = certify_samples(file, _model(model), kind=kind, resolution=resolution, **options)
    if output is not None:
        certificate.save(output)
    if plot is not None:
        save(temperatures(certificate.unit_temperatures), plot)
    if as_json:
        print_json(certificate.document)
    else:
        say(str(certificate))
    check(certificate, as_json=as_json)


def _of_run(file: Path, large: bool, on: str | None, key: Path | None, as_json: bool) -> None:
    certificate = recheck(file, large=large, on=on, key=key)
    if as_json:
        print_json({**certificate.document, "rechecked": True})
    else:
        say(str(certificate))
        say("repeated from the seed: it agrees" + (f", and on {on} too" if on else ""))
        if key is not None:
            say(f"signed by {key}")
    check(certificate, as_json=as_json)


def _model(name: str) -> Any:
    """Return the network of a MODEL, or the path of a problem's file."""
    suffix = Path(name).suffix.lower()
    problems = {ending for format in FORMATS.values() for ending in format.suffixes}
    if name == DEMO or suffix == ".thermo" or by_suffix(suffix) or (suffix not in problems and ".py" in name):
        return ModelArgument(name=name, options={}).load()
    return Path(name)
