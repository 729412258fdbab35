"""A script and the arrays it reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from thermoc.backends.base import Artefact
from thermoc.support.arrays import npz_bytes
from thermoc.support.errors import error
from thermoc.support.files import write_atomic


@dataclass(frozen=True, kw_only=True, eq=False)
class Brian2Artefact(Artefact):
    """A Python script that runs without thermoc, and the ``.npz`` of the same name that it reads.

    options: how ``run`` runs it. parameters: names of the arrays that are parameters; fixed: parameters of which the
    script computes nothing anew.
    """

    text: str
    data: dict[str, NDArray]
    options: Any
    parameters: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()

    suffix: ClassVar[str] = ".py"

    def to_bytes(self) -> bytes:
        """Return the script."""
        return self.text.encode()

    def arrays(self) -> bytes:
        """Return the content of the ``.npz``."""
        return npz_bytes(self.data, compress=True)

    @property
    def size(self) -> int:
        """Number of bytes of both files."""
        return len(self.to_bytes()) + len(self.arrays())

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write both files; return their size together. Errors: T505."""
        if Path(path).suffix == ".npz":
            notes = [f"{path} is where its arrays go"]
            raise error("T505", "a Brian2 script cannot be called .npz", notes=notes, hint="name it .py")
        script, arrays = self.to_bytes(), self.arrays()
        # Arrays first: where writing fails no script stands there without them.
        write_atomic(Path(path).with_suffix(".npz"), arrays)
        write_atomic(path, script)
        return len(script) + len(arrays)
