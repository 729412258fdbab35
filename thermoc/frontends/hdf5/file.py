"""Read a whole file as nested dictionaries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.hdf5.content import UNDEFINED, Hdf5Content, ReadingLimits, open_content
from thermoc.frontends.hdf5.datasets import dataset
from thermoc.frontends.hdf5.groups import members
from thermoc.frontends.hdf5.headers import DATASPACE, messages

Tree: TypeAlias = "dict[str, Tree | NDArray | str]"
SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_hdf5(path: str | os.PathLike[str], limits: ReadingLimits | None = None) -> Tree:
    """Return the groups of a file as dictionaries, its datasets as arrays; a single text as str, texts as objects.

    Attributes are not read. Refused: soft and external links, external storage, virtual datasets, references,
    compounds, filters but deflate and shuffle, anything reached twice. Errors: T501, T502, T504, T507.
    """
    content = open_content(path, limits or ReadingLimits())
    root = messages(content, _root(content))
    if DATASPACE in root:
        raise content.damaged("its root is no group")
    return dict(_group(content, root, 1))


def _group(content: Hdf5Content, header: dict, depth: int) -> Iterator[tuple[str, Tree | NDArray | str]]:
    # Claimed headers exclude cycles, but a long chain of groups would still exhaust Python's stack.
    if depth > content.limits.depth:
        raise content.damaged(f"groups are nested deeper than {content.limits.depth}")
    for name, at in members(content, header).items():
        inner = messages(content, at)
        yield name, dataset(content, inner) if DATASPACE in inner else dict(_group(content, inner, depth + 1))


def _root(content: Hdf5Content) -> int:
    """Return where the root group's header lies."""
    if content.data[:8] != SIGNATURE:
        raise content.damaged("it is no HDF5 file: its signature is missing")
    version = content.number(8, 1)
    if version not in (0, 1, 2, 3):
        raise content.refused(f"HDF5 superblock version {version}")
    # Where the sizes of offsets and the base address stand; version 1 has 4 bytes more before the latter.
    sizes, start = (13, 24 + 4 * version) if version < 2 else (9, 12)
    if content.number(sizes, 2) != 0x0808:
        raise content.refused("offsets or lengths that are not of 8 bytes")
    # A base address other than 0 would shift every address of the file.
    if content.number(start) != 0:
        raise content.refused("a user block")
    if version < 2:
        # A block for the file's driver says that the data are spread over several files.
        if content.number(start + 24) != UNDEFINED:
            raise content.refused("a file driver (a file in parts)")
        # The root's symbol table entry: the offset of its name (8 bytes), then the address of its header.
        return content.number(start + 40)
    return content.number(start + 24)


def one_text(value: Tree | NDArray | str | None) -> str | None:
    """Return the text that a dataset is, or holds as its one element; None for anything else."""
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype == object:
        value = value.reshape(-1)[0]
    return value if isinstance(value, str) else None
