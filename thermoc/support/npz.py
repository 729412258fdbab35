"""Named arrays as an ``.npz``: every name that a network may give is kept, and equal arrays are equal bytes."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from typing import IO

import numpy as np
from numpy.typing import NDArray

from thermoc.support.errors import error

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every entry: the earliest that a zip can hold."""


def npz_bytes(arrays: Mapping[str, NDArray], *, compress: bool = False) -> bytes:
    """Return named arrays as the content of an ``.npz``.

    ``np.savez(file, **arrays)`` takes the names ``file`` and ``allow_pickle`` for arguments of its own; this takes any.
    Errors: T505 for two names that NumPy cannot tell apart (``x`` and ``x.npy``).
    """
    for name in arrays:
        if f"{name}.npy" in arrays:
            notes = [f"numpy.load takes {name + '.npy'!r} for the entry of {name!r}"]
            raise error("T505", f"{name!r} and '{name}.npy' cannot stand in one .npz", notes=notes, hint="rename one")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
        for name, array in sorted(arrays.items()):
            entry = zipfile.ZipInfo(f"{name}.npy", EPOCH)
            entry.compress_type = archive.compression
            with archive.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
    return buffer.getvalue()


def read_arrays(source: str | os.PathLike[str] | IO[bytes]) -> dict[str, NDArray] | NDArray:
    """Return the arrays of an ``.npz`` by name, or the one array of an ``.npy``; nothing in them is executed.

    source: a path, or a file that can seek. Errors: T501, T502.
    """
    try:
        stored = np.load(source, allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            return np.asarray(stored)
        with stored as archive:
            return {name: archive[name] for name in archive.files}
    except OSError as reason:
        notes = [str(reason.strerror or reason)]
        raise error("T501", f"{source} cannot be read", notes=notes, hint="check the path") from None
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as reason:
        hint = "numpy.savez(path, name=array), or numpy.save(path, array)"
        raise error("T502", f"{source} is not a .npz file of arrays", notes=[str(reason)], hint=hint) from None
