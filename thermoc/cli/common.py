"""What several commands take: models, options of targets, the JSON switch."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from thermoc import api
from thermoc.support.errors import ThermocError, error

Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="A .thermo, .nir or .net file, or file.py:NAME for a network.")
]
Target = Annotated[str, typer.Option("--target", "-t", help="One of `thermoc targets`.")]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", "-O", metavar="KEY=VALUE", help="An option of the target; may be repeated."),
]
Chip = Annotated[
    str | None,
    typer.Option(
        "--chip", metavar="CHIP", help="Lay the network out on a chip (thermo-1, isaac, puma, FILE.toml): sim."
    ),
]
DumpIr = Annotated[
    Path | None,
    typer.Option("--dump-ir", metavar="DIR", help="Write the graph's text after each pass that changed it."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def load_model(model: str) -> api.Network:
    """Return the network a command names. Errors: T501 to T508, and whatever building it finds (T1xx)."""
    path, colon, name = model.rpartition(":")
    if not colon or not path.endswith(".py"):
        if model.endswith(".py"):
            raise error("T506", f"{model}: which network?", hint=f"name it: {model}:NAME")
        return _told(api.load(model))
    found = getattr(_module(Path(path)), name, None)
    if callable(found) and not isinstance(found, api.Network):
        found = found()
    if not isinstance(found, api.Network):
        kind = "is missing" if found is None else f"is a {type(found).__name__}"
        raise error(
            "T506",
            f"{path} holds no network {name!r}",
            notes=[f"{name} {kind}"],
            hint="a tc.Network, or a function that returns one",
        )
    return found


def _told(net: api.Network) -> api.Network:
    """Print what the reader of a network's file mended or assumed."""
    for repair in net.repairs:
        typer.echo(str(repair), err=True)
    return net


def _module(path: Path) -> Any:
    if not path.is_file():
        raise error("T501", f"{path} cannot be read", notes=["there is no such file"], hint="check the path")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except ThermocError:
        raise
    except Exception as reason:
        line = _last_line(reason, path)
        raise error("T506", f"{path} does not run", notes=[f"{type(reason).__name__}: {reason}", *line]) from reason
    finally:
        sys.path.pop(0)
    return module


def _last_line(reason: Exception, path: Path) -> list[str]:
    trace, line = reason.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return [f"at {path}:{line}"] if line else []


def parse_options(pairs: Sequence[str] | None) -> dict[str, Any]:
    """Return KEY=VALUE pairs as a dictionary; a value is JSON where it reads as such, else text. Errors: T303."""
    options: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise error("T303", f"option {pair!r} is not KEY=VALUE", hint="e.g. -O precision=float32")
        try:
            options[key.replace("-", "_")] = json.loads(text)
        except ValueError:
            options[key.replace("-", "_")] = text
    return options


def print_json(document: Any) -> None:
    """Print a document as indented JSON on stdout."""
    typer.echo(json.dumps(document, indent=2))


def file_name(name: str) -> str:
    """Return a network's name as one that is safe for a file."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name) or "network"
