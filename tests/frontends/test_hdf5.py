"""The HDF5 reader: it reads what h5py writes, and refuses what leads out of a file, hides a size or turns in circles."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import thermoc as tc
from thermoc.frontends.hdf5.content import MIB, ReadingLimits
from thermoc.frontends.hdf5.file import read_hdf5

RNG = np.random.default_rng(3)
TEXT = h5py.string_dtype()


def plain(group: h5py.Group) -> dict[str, Any]:
    """What h5py itself reads."""
    return {
        k: plain(v) if isinstance(v, h5py.Group) else v.asstr()[()] if v.dtype.kind in "OS" else v[()]
        for k, v in group.items()
    }


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    return np.array_equal(ours, theirs) and np.shape(ours) == np.shape(theirs)


def fill(file: h5py.File) -> None:
    deep, some = file.create_group("a/b/c"), file.create_group("some")
    for index, kind in enumerate(("i1", "<i2", ">i4", "u8", "<f2", "<f4", ">f8")):
        deep[f"n{index}"] = (10 * RNG.normal(size=(2, index))).astype(np.dtype(kind))
        some[f"scalar{index}"] = np.array(index, kind)
    file["text"] = "tau µs"
    file.create_dataset("edges", data=[["a", "bc"], ["", "d" * 300]], dtype=TEXT)
    deep["fixed"] = np.array([b"conv", b"x"], "S10")
    some["flag"] = np.array([True, False])
    file["empty"] = np.zeros((0, 3))
    file.create_dataset("chunks", data=RNG.normal(size=(70, 41)), chunks=(16, 8))
    file.create_dataset("gzip", data=RNG.normal(size=(300, 7)), compression="gzip", shuffle=True)
    file.create_dataset("one", data=RNG.normal(size=(6, 7)), chunks=(6, 7), compression="gzip")


@pytest.mark.parametrize("bounds", ["earliest", ("earliest", "v108"), ("v108", "v108")])
def test_it_reads_what_h5py_reads(tmp_path: Path, bounds: Any):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=bounds) as file:
        fill(file)
        expected = plain(file)
    assert same(read_hdf5(path), expected)


def test_a_group_of_many_members_is_a_tree(tmp_path: Path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for index in range(700):
            file[f"member {index}"] = index
        expected = plain(file)
    assert same(read_hdf5(tmp_path / "x.h5"), expected)


def cycle(file: h5py.File) -> None:
    file.create_group("a/b")
    file["a/b/a"] = file["a"]


def twice(file: h5py.File) -> None:
    file["x"] = 1.0
    file["y"] = file["x"]


def nested(file: h5py.File) -> None:
    file.create_group("/".join("g" * 40))


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    file.create_virtual_dataset("v", layout)


def committed(file: h5py.File) -> None:
    file["type"] = np.dtype("f8")
    file.create_dataset("x", (3,), file["type"], data=np.ones(3))


def dense(file: h5py.File) -> None:
    group = file.create_group("g", track_order=True)
    for index in range(20):
        group[f"m{index}"] = 1


def sparse(file: h5py.File) -> None:
    chunk = file.create_dataset("x", (64,), "f8", chunks=(8,))
    chunk[:8] = 1.0


HOSTILE: dict[str, tuple[Callable[[h5py.File], object], str, str]] = {
    "soft link": (lambda f: f.__setitem__("x", h5py.SoftLink("/y")), "T507", "a soft link"),
    "external link": (lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/")), "T507", "an external link"),
    "external storage": (lambda f: f.create_dataset("x", (4,), "u1", external=[("/etc/passwd", 0, 4)]), "T507", "external storage"),
    "virtual dataset": (virtual, "T507", "a virtual dataset"),
    "lzf": (lambda f: f.create_dataset("x", data=np.ones(99), compression="lzf"), "T507", "the filter lzf"),
    "fletcher32": (lambda f: f.create_dataset("x", data=np.ones(99), fletcher32=True), "T507", "the filter fletcher32"),
    "scaleoffset": (lambda f: f.create_dataset("x", data=np.arange(99), scaleoffset=0), "T507", "the filter scaleoffset"),
    "reference": (lambda f: f.create_dataset("x", data=f.ref, dtype=h5py.ref_dtype), "T507", "reference"),
    "compound": (lambda f: f.create_dataset("x", data=np.zeros(2, "i4,f8")), "T507", "a compound"),
    "opaque": (lambda f: f.create_dataset("x", data=np.void(b"abc")), "T507", "an opaque type"),
    "sequence": (lambda f: f.create_dataset("x", (2,), h5py.vlen_dtype("f8")), "T507", "a sequence of variable length"),
    "no shape": (lambda f: f.create_dataset("x", data=h5py.Empty("f8")), "T507", "without a shape"),
    "committed type": (committed, "T507", "a message shared"),
    "dense group": (dense, "T507", "a dense group"),
    "cycle": (cycle, "T502", "reached twice"),
    "two links": (twice, "T502", "reached twice"),
    "depth": (nested, "T502", "deeper than 32"),
    "nothing stored": (lambda f: f.create_dataset("x", (4,), "f8"), "T502", "0 bytes of data"),
    "chunks that are missing": (sparse, "T502", "7 of 8 chunks are missing"),
    "a huge shape": (lambda f: f.create_dataset("x", (2**39,), "f8"), "T504", "4398046511104 bytes of arrays"),
    "a huger shape": (lambda f: f.create_dataset("x", (2**62, 0), "u1"), "T504", "4611686018427387904"),
    "a huge shape in chunks": (lambda f: f.create_dataset("x", (2**39,), "f8", chunks=(2**20,), compression="gzip"), "T504", "bytes of arrays"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_without_allocation(tmp_path: Path, name: str):
    make, code, fact = HOSTILE[name]
    bounds: Any = ("v108", "v108") if name == "external link" else "earliest"
    with h5py.File(tmp_path / "x.h5", "w", libver=bounds) as file:
        make(file)
    refused(tmp_path / "x.h5", code, fact)


def refused(path: Path, code: str, fact: str, limits: ReadingLimits | None = None) -> None:
    size = path.stat().st_size
    tracemalloc.start()
    try:
        with pytest.raises(tc.ThermocError) as caught:
            read_hdf5(path, limits)
        assert tracemalloc.get_traced_memory()[1] < 4 * size + MIB
    finally:
        tracemalloc.stop()
    assert (caught.value.code, fact in str(caught.value)) == (code, True), str(caught.value)


@pytest.mark.parametrize("bounds", ["earliest", ("v108", "v108")])
def test_links_that_are_not_hard_are_refused_in_old_and_new_groups(tmp_path: Path, bounds: Any):
    for link in (h5py.SoftLink("/y"), h5py.ExternalLink("y.h5", "/")):
        with h5py.File(tmp_path / "x.h5", "w", libver=bounds) as file:
            file["x"] = link
        refused(tmp_path / "x.h5", "T507", "link")


def test_a_single_chunk_that_skips_a_filter_is_refused(tmp_path: Path):
    with h5py.File(tmp_path / "x.h5", "w", libver=("v110", "v110")) as file:
        array = np.arange(64)
        stored = file.create_dataset("x", shape=(64,), chunks=(64,), dtype=array.dtype, shuffle=True)
        stored.id.write_direct_chunk((0,), array.tobytes(), filter_mask=1)
    refused(tmp_path / "x.h5", "T507", "skips filters")


def test_a_chunk_that_inflates_beyond_its_size_is_stopped_at_it(tmp_path: Path):
    """200 MB in 200 kB, where 800 bytes are declared: HDF5's own filter would make room for all of it."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        made = file.create_dataset("x", (100,), "f8", chunks=(100,), compression="gzip")
        made.id.write_direct_chunk((0,), zlib.compress(bytes(200 * MIB)))
    refused(tmp_path / "x.h5", "T502", "does not inflate to its 800 bytes")


def test_what_inflates_to_much_is_counted_before(tmp_path: Path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", data=np.zeros(2**22), compression="gzip")
    refused(tmp_path / "x.h5", "T504", "33554432 bytes of arrays", ReadingLimits(arrays=16 * MIB))


def test_texts_that_all_name_one_long_text_are_one(tmp_path: Path):
    """Each element of 16 bytes stands for 100 kB; and 20 MB of different texts are too many."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=["y" * 100_000] + ["z" * 8] * 999, dtype=TEXT)
    data = bytearray(path.read_bytes())
    first = data.find((100_000).to_bytes(4, "little"))
    data[first : first + 16_000] = data[first : first + 16] * 1000
    path.write_bytes(data)
    tracemalloc.start()
    texts = read_hdf5(path)["x"]
    assert tracemalloc.get_traced_memory()[1] < 2 * MIB
    tracemalloc.stop()
    assert set(texts) == {"y" * 100_000}
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=[f"{n}" + "y" * 10**6 for n in range(20)], dtype=TEXT)
    with pytest.raises(tc.ThermocError, match="bytes of texts") as caught:
        read_hdf5(path)
    assert caught.value.code == "T504"


def test_too_many_members(tmp_path: Path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for index in range(200):
            file[f"m{index}"] = 1
    refused(tmp_path / "x.h5", "T504", "of objects", ReadingLimits(objects=150))


def test_files_that_are_no_hdf5_file(tmp_path: Path):
    path = tmp_path / "x.h5"
    with pytest.raises(tc.ThermocError, match="T501"):
        read_hdf5(path)
    for content in (b"", b"\x89HDF\r\n\x1a\n", b"PK" * 500):
        path.write_bytes(content)
        refused(path, "T502", "damaged")
    with h5py.File(path, "w", userblock_size=512) as file:
        file["x"] = 1
    refused(path, "T502", "signature is missing")
    refused(path, "T504", "the limit is 100 bytes", ReadingLimits(file=100))


@pytest.mark.slow
def test_a_cut_or_flipped_file_is_read_or_refused(tmp_path: Path):
    """1,000 files with flipped bytes, 100 cut short: never another error than ours."""
    source, path = tmp_path / "x.h5", tmp_path / "y.h5"
    with h5py.File(source, "w") as file:
        fill(file)
    whole, draw, codes = source.read_bytes(), random.Random(1), set()
    live = [place for place, byte in enumerate(whole) if byte]
    for trial in range(1100):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 2, 8))):
            data[draw.choice(live)] = draw.randrange(256)
        path.write_bytes(data if trial < 1000 else data[: draw.randrange(len(data))])
        try:
            read_hdf5(path)
        except tc.ThermocError as problem:
            codes.add(problem.code)
    assert {"T502", "T507"} <= codes <= {"T502", "T504", "T507"}
