"""``thermoc doctor``."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import typer

import thermoc
from thermoc.cli.common import Json, print_json
from thermoc.support.tables import table


@dataclass(frozen=True, kw_only=True)
class Need:
    """A package, what it is for, and the line that installs it."""

    package: str
    purpose: str
    install: str


NEEDS = (
    Need(package="numpy", purpose="everything", install="pip install thermoc"),
    Need(package="networkx", purpose="graph algorithms", install="pip install thermoc"),
    Need(package="safetensors", purpose=".thermo files", install="pip install thermoc"),
    Need(package="numba", purpose="target sim", install="pip install thermoc"),
    Need(package="onnx", purpose="target onnx", install="pip install thermoc"),
    Need(package="onnxruntime", purpose="running ONNX exports", install='pip install "thermoc[onnx]"'),
    Need(package="brian2", purpose="running Brian2 scripts", install='pip install "thermoc[brian2]"'),
    Need(package="h5py", purpose="writing .nir files", install='pip install "thermoc[nir]"'),
    Need(package="scikit-learn", purpose="thermoc demo, examples", install='pip install "thermoc[examples]"'),
    Need(package="matplotlib", purpose="figures", install='pip install "thermoc[viz]"'),
)


def doctor(as_json: Json = False) -> None:
    """Say what is installed, what is missing, and the line that installs it."""
    rows = [_row(need) for need in NEEDS]
    if as_json:
        print_json({"thermoc": thermoc.__version__, "python": platform.python_version(), "packages": rows})
        return
    typer.echo(table(f"thermoc {thermoc.__version__} on Python {platform.python_version()}", rows))
    missing = [row for row in rows if not row["installed"]]
    lines = dict.fromkeys(str(row["install"]) for row in missing)
    typer.echo(
        "\n".join(["to install what is missing:", *(f"  {line}" for line in lines)])
        if missing
        else "nothing is missing"
    )


def _row(need: Need) -> dict[str, object]:
    try:
        found = version(need.package)
    except PackageNotFoundError:
        found = ""
    return {"package": need.package, "installed": found, "for": need.purpose, "install": "" if found else need.install}
