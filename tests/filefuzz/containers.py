"""Archives, HDF5 trees and protobuf models: taken apart, damaged inside, and put together again with right checksums."""

from __future__ import annotations

import functools
import io
import random
import struct
import zipfile
import zlib
from typing import Any

import numpy as np

from filefuzz import mutations, seeds
from filefuzz.mutations import bytes_damaged, text_damaged

Seeds = list[Any]
DTYPES = ("<f8", "<f4", "<i8", "<i4", "<u8", "|u1", "|b1")


def members() -> Seeds:
    """Archives as lists of (name, head, content, compressed): heads are damaged, checksums are right."""
    found = []
    for data in seeds.archives():
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [(info, archive.read(info)) for info in archive.infolist()]
        found.append([[info.filename, raw[:128], raw[128:], info.compress_type] for info, raw in files])
    return found


def member(rng: random.Random, members: Any) -> Any:
    members = [list(member) for member in members]
    if not members:
        return members
    at = rng.randrange(len(members))
    way = rng.randrange(6)
    if way < 3:
        members[at][1] = rng.choice((text_damaged, bytes_damaged))(rng, members[at][1])
    elif way == 3:
        members[at][2] = bytes_damaged(rng, members[at][2])
    elif way == 4:
        members[at][0] = rng.choice([*(word for word in mutations.ODD if isinstance(word, str) and word), "x.npy"])
    else:
        members.append(members[at])
    return members


def zipped(members: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, head, content, method in members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), head + content, method)
    return buffer.getvalue()


def bomb(rng: random.Random, data: bytes) -> bytes:
    """An archive of few bytes whose member unpacks to very many, and says so or lies."""
    megabytes = rng.choice((1, 300, 3000))
    head = (
        b"\x93NUMPY\x01\x00\x76\x00"
        + f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({megabytes * 131072},), }}".encode().ljust(117)
        + b"\n"
    )
    packer, size, check = zlib.compressobj(9, zlib.DEFLATED, -15), len(head) + megabytes * 2**20, 0
    body = packer.compress(head) + packer.compress(bytes(min(megabytes, 8) * 2**20)) + packer.flush()
    stated = rng.choice((size, 100, 2**32 - 2))
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 33, check, len(body), stated % 2**32, 5, 0) + b"x.npy"
    entry = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 33, check, len(body), stated % 2**32, 5, *(0,) * 5, 0
    )
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(entry) + 5, len(local) + len(body), 0)
    return local + body + entry + b"x.npy" + end


def tree(rng: random.Random, tree: Any) -> Any:
    """Damage one value of a network's tree; what h5py cannot write is left as it was."""
    spots = [spot for spot in mutations.places(tree) if spot]
    *way, last = rng.choice(spots)
    tree = _copied(tree)
    inner = functools.reduce(lambda held, key: held[key], way, tree)
    value = inner[last]
    kind = rng.randrange(6)
    if kind == 0:
        del inner[last]
    elif kind == 1:
        inner[rng.choice(("x", "0", "5", "-1", "weight", "a" * 400, "1e9"))] = inner.pop(last)
    elif kind == 2 or isinstance(value, dict):
        *other, name = rng.choice(spots)
        inner[last] = _copied(functools.reduce(lambda held, key: held[key], other, tree).get(name, 0))
    elif isinstance(value, bytes):
        inner[last] = rng.choice((b"", b"conv", b"CUBA", b"SDNN", b"x" * 400, b"\xff"))
    elif kind == 3:
        inner[last] = rng.choice([*mutations.WHOLE[:14], -(2**31), 1.5, float("nan"), b"x"])
    else:
        inner[last] = mutations.array_damaged(rng, np.asarray(value), DTYPES)
    return tree


def _copied(tree: Any) -> Any:
    return {name: _copied(value) for name, value in tree.items()} if isinstance(tree, dict) else tree


def nir_trees() -> Seeds:
    import h5py

    def values(group: Any) -> Any:
        return {name: values(item) if isinstance(item, h5py.Group) else item[()] for name, item in group.items()}

    return [values(h5py.File(io.BytesIO(data))) for data in seeds.nir_files()]


def hdf5(tree: Any) -> bytes:
    try:
        return seeds.hdf5_bytes(tree)
    except (ValueError, TypeError, OSError, RuntimeError):
        return b"\x89HDF\r\n\x1a\n"


def proto(rng: random.Random, model: Any) -> Any:
    """A model with one field of one node, array or input changed, and its metadata gone."""
    copy = type(model)()
    copy.CopyFrom(model)
    copy.ClearField("metadata_props")
    graph = copy.graph
    change = rng.randrange(5)
    if change == 0:
        node = rng.choice(graph.node)
        node.op_type = rng.choice(
            ["Reshape", "Loop", "Tile", "Conv", "Pad", "Resize", "TopK", "LSTM", "Gather", "Warp"]
        )
    elif change == 1:
        item = rng.choice(graph.initializer)
        item.dims[:] = [rng.choice([0, 1, 3, 2**31, 2**62]) for _ in range(rng.randrange(4))]
    elif change == 2:
        item = rng.choice(graph.initializer)
        item.raw_data = mutations.bytes_damaged(rng, item.raw_data)[: len(item.raw_data)].ljust(
            len(item.raw_data), b"x"
        )
    elif change == 3:
        node = rng.choice([node for node in graph.node if node.attribute] or graph.node)
        for attribute in node.attribute:
            attribute.i, attribute.ints[:] = rng.choice([-1, 0, 7, 2**40]), [rng.choice([-3, 0, 2, 2**40])] * 4
    else:
        node = rng.choice(graph.node)
        if node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice(["", *(item.name for item in graph.initializer)])
    return copy


def serialised(model: Any) -> bytes:
    return model.SerializeToString()
