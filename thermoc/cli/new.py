"""``thermoc new``: a small project that runs at once."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.support.errors import error
from thermoc.support.files import can_write, write_atomic

TEMPLATE = "thermoc.cli.project"
FILES = {
    "network.py.txt": "network.py",
    "test_network.py.txt": "test_network.py",
    "README.md.txt": "README.md",
    "thermoc.toml.txt": "thermoc.toml",
}
"""Templates, which are no Python files lest tools take them for code of ours, and what they become."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The project's folder, made here.")],
    as_json: Json = False,
) -> None:
    """Write a small project: a network, its test, how to train it, and what to do next."""
    folder = Path(name)
    if not NAME.fullmatch(folder.name):
        notes = [f"{folder.name!r} is none"]
        raise error("T404", "a project's name is letters, digits, - and _, a letter first", notes=notes)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise error("T505", f"{folder} is there already", hint="give another name, or an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise error("T505", f"{folder} cannot be made", notes=[str(reason.strerror or reason)]) from None
    for path in (folder / target for target in FILES.values()):
        can_write(path)
    for template, target in FILES.items():
        text = files(TEMPLATE).joinpath(template).read_text(encoding="utf-8")
        write_atomic(folder / target, text.replace("{name}", folder.name).encode())
    _tell(folder, as_json=as_json)


def _tell(folder: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"folder": str(folder), "files": sorted(FILES.values())})
        return
    say(f"wrote {', '.join(sorted(FILES.values()))} to {folder}; next:")
    say("\n".join(["", f"cd {folder}", "thermoc run network.py:net --ticks 20 --seed 7", "python -m pytest"]))
