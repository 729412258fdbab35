"""``thermoc schema``: what each command prints with --json, as JSON Schema."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Annotated, Any

import typer

from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.support.errors import error
from thermoc.support.suggestions import near

FOLDER = "thermoc.schemas"


def names() -> list[str]:
    """Return the commands whose output has a schema; ``errors`` is what any of them prints where it fails."""
    paths = (path.name for path in files(FOLDER).iterdir())
    return sorted(name.removesuffix(".json") for name in paths if name.endswith(".json"))


def read(name: str) -> dict[str, Any]:
    """Return a schema by the command's name. Errors: T404 where there is none."""
    if name not in names():
        notes, hint = [f"there are {', '.join(names())}"], near(name, names())
        raise error("T404", f"there is no schema {name!r}", notes=notes, hint=hint)
    return json.loads(files(FOLDER).joinpath(f"{name}.json").read_text(encoding="utf-8"))


def schema(
    name: Annotated[str, typer.Argument(metavar="[COMMAND]", help="A command, or errors; without it: list them.")] = "",
    as_json: Json = False,
) -> None:
    """Print the JSON Schema of what a command prints with --json."""
    if name:
        print_json(read(name))
    elif as_json:
        print_json(names())
    else:
        say("\n".join(names()))
