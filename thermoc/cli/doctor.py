"""``thermoc doctor``."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

import thermoc
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.support.errors import error
from thermoc.support.tables import table

LOADERS = (
    "thermoc.ir.reference",
    "thermoc.passes.expand.table",
    "thermoc.backends.sim.rows.table",
    "thermoc.simulator.devices.models",
)
"""Modules that load what packages add, when they are imported; what needs torch is left to its first use."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """A package, what it is for, and the line that installs it."""

    package: str
    purpose: str
    install: str


NEEDS = (
    Need(package="numpy", purpose="everything", install="pip install thermoc"),
    Need(package="networkx", purpose="graph algorithms", install="pip install thermoc"),
    Need(package="numba", purpose="target sim", install="pip install thermoc"),
    Need(package="numba-cuda", purpose="target sim on a GPU", install='pip install "thermoc[cuda13]"'),
    Need(package="onnx", purpose="target onnx", install="pip install thermoc"),
    Need(package="onnxruntime", purpose="running ONNX exports", install='pip install "thermoc[onnx]"'),
    Need(package="brian2", purpose="running Brian2 scripts", install='pip install "thermoc[brian2]"'),
    Need(package="h5py", purpose="writing .nir files", install='pip install "thermoc[nir]"'),
    Need(package="matplotlib", purpose="figures", install='pip install "thermoc[viz]"'),
    Need(package="jinja2", purpose="HTML reports", install='pip install "thermoc[report]"'),
    Need(package="plotly", purpose="HTML reports", install='pip install "thermoc[report]"'),
    Need(package="zarr", purpose="runs in .zarr stores", install='pip install "thermoc[stores]"'),
    Need(package="h5netcdf", purpose="runs in .nc files", install='pip install "thermoc[stores]"'),
    Need(package="neo", purpose="spikes for Neo", install='pip install "thermoc[neo]"'),
    Need(package="distributed", purpose="sweeps over processes", install='pip install "thermoc[sweep]"'),
    Need(package="optuna", purpose="searches in sweeps", install='pip install "thermoc[search]"'),
    Need(package="cryptography", purpose="signed certificates", install='pip install "thermoc[sign]"'),
    Need(package="dimod", purpose="sample sets of dimod", install='pip install "thermoc[dimod]"'),
)


def doctor(
    install: Annotated[str, typer.Option(help="Make a runtime's own interpreter: lava.")] = "", as_json: Json = False
) -> None:
    """Say what is installed, what is missing, and the line that installs it."""
    if install:
        _install(install)
    rows, plugins = [*(_row(need) for need in NEEDS), _lava()], _plugins()
    if as_json:
        versions = {"thermoc": thermoc.__version__, "python": platform.python_version()}
        print_json({**versions, "packages": rows, "plugins": plugins})
        return
    # what --install is for has a line of its own below: a column of them would be in the way
    shown = [{name: value for name, value in row.items() if name != "install"} for row in rows]
    say(table(f"thermoc {thermoc.__version__} on Python {platform.python_version()}", shown))
    if plugins:
        say("\n" + table("what other packages add", plugins))
    lines = dict.fromkeys(str(row["install"]) for row in rows if not row["installed"])
    # alone on their lines, so that they can be pasted
    say("\n".join(["", "to install what is missing:", *lines]) if lines else "nothing is missing")


def _plugins() -> list[dict[str, str]]:
    """Return what other packages add, loaded so that what is broken says so."""
    from thermoc.support import announced

    rows = announced.rows()
    for module in LOADERS if rows else ():
        import_module(module)
    return announced.rows()


def _install(name: str) -> None:
    """Make the interpreter of a runtime that cannot live beside thermoc. Errors: T302, T404."""
    if name != "lava":
        raise error("T404", f"there is no runtime {name!r} to install", notes=["there is lava"])
    from thermoc.backends.lava import interpreter

    say(f"Lava's Python is {interpreter.install()}", err=True)


def _lava() -> dict[str, object]:
    from thermoc.backends.lava import interpreter

    installed = interpreter.installed()
    purpose, install = "running on Lava, in a Python of its own", "thermoc doctor --install lava"
    return {
        "package": "lava-nc",
        "installed": installed,
        "for": purpose,
        "install": "" if installed else install,
    }


def _row(need: Need) -> dict[str, object]:
    try:
        # From the package's metadata, for importing some of these takes seconds.
        installed_version = version(need.package)
    except PackageNotFoundError:
        installed_version = ""
    return {
        "package": need.package,
        "installed": installed_version,
        "for": need.purpose,
        "install": "" if installed_version else need.install,
    }
