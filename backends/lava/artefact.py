"""A package of files that runs in Lava by itself."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from thermoc.backends.base import Artefact
from thermoc.backends.lava.emit import refuse
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.support.arrays import npz_bytes
from thermoc.support.errors import ThermocError, error
from thermoc.support.files import can_write, write_atomic
from thermoc.support.json_text import read_json


@dataclass(frozen=True, kw_only=True, eq=False)
class LavaArtefact(Artefact):
    """The files by their names in the package, the graph they were made of, and how ``run`` runs them.

    loihi: the ops of Loihi in the graph, which the package is.
    """

    files: dict[str, bytes]
    graph: Graph
    loihi: Graph
    options: Any

    suffix: ClassVar[str] = ".lava"

    @cached_property
    def whole(self) -> dict[str, bytes]:
        """The files, and inputs with the outputs that the reference gives: what ``run.py --check`` compares.

        Errors: T301 where nothing of the network is on Loihi, so that there is no package.
        """
        if not self.files:
            refuse(self.graph)
        return self.files | {"golden.npz": golden(self.loihi)}

    def to_bytes(self) -> bytes:
        """Return the package as a .zip, the same bytes for the same network."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted(self.whole.items()):
                # A fixed date, or the same network would give other bytes each day.
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    @property
    def size(self) -> int:
        """Number of bytes of all files."""
        return sum(map(len, self.whole.values()))

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the package as a folder, or as one file where the path ends in .zip, whole or not at all.

        A folder that is there is replaced only where it is such a package and holds nothing else. Errors: T505.
        """
        target = Path(path)
        if target.suffix == ".zip":
            write_atomic(target, self.to_bytes())
            return len(self.to_bytes())
        can_write(target.with_name(f"{target.name}.x"))  # beside it, for it may be a folder that is replaced
        if target.exists() and (strange := foreign(target)):
            notes = [f"it holds {strange}"]
            raise error("T505", f"{target} is there and is no Lava package", notes=notes, hint="name another folder")
        # Beside the target, on one file system, so that renaming is one step.
        fresh = Path(tempfile.mkdtemp(prefix=".thermoc.", dir=target.parent))
        try:
            unpack(self.whole, fresh)
            # mkdtemp makes a folder for its user alone; a package is there for others to read.
            fresh.chmod(0o755)
            replace(target, fresh)
        except OSError as reason:
            raise error("T505", f"{target} cannot be written", notes=[str(reason)]) from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return self.size


def foreign(folder: Path) -> str:
    """Return the name of something in a folder that no package has put there, or nothing."""
    if folder.is_symlink() or not folder.is_dir():
        return "a file or a link"
    try:
        manifest = read_json(folder / "manifest.json", "a manifest")
        ours = {*manifest["files"], "manifest.json", "golden.npz"} if "thermoc" in manifest else set()
    except (ThermocError, KeyError, TypeError):
        return "no manifest of a package"
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if not path.is_dir())
    return next((str(path) for path in paths if "__pycache__" not in path.parts and path.as_posix() not in ours), "")


def replace(target: Path, fresh: Path) -> None:
    """Put a folder where another may be: the old one is away only once the new one is there."""
    old = Path(f"{fresh}.old")
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def unpack(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def golden(graph: Graph, *, ticks: int = 8, batch: int = 2) -> bytes:
    """Return inputs that are drawn for this network by its hash, and what the reference makes of them, as an .npz."""
    # Drawn by the graph's hash: the same network gives the same bytes.
    rng = np.random.default_rng(int(graph.hash[:8], 16))
    shapes = {name: (ticks, batch, *op.shape) for name, op in graph.inputs.items()}
    inputs = {name: rng.integers(-100, 100, shape, dtype=np.int32) for name, shape in shapes.items()}
    outputs = interpret(graph, Feed(arrays=inputs, ticks=ticks, batch=batch)).outputs
    arrays = {f"in.{name}": array for name, array in inputs.items()}
    arrays |= {f"out.{name}": array for name, array in outputs.items()}
    return npz_bytes(arrays | {"ticks": np.array(ticks), "samples": np.array(batch)}, compress=True)
