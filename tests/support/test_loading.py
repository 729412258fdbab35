"""One loader under every reader: what it refuses, with which code, and at what cost."""

from __future__ import annotations

import io
import os
import pickle
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc import simulator
from thermoc.certificates import recheck
from thermoc.simulator.chips import load_chip
from thermoc.simulator.data import quantities
from thermoc.simulator.machine import ChipProgram
from thermoc.simulator.thermal import description, hotspot
from thermoc.support.arrays import npz_bytes, read_npy, read_npz
from thermoc.support.bundle import safetensors_bytes
from thermoc.support.files import can_write
from thermoc.support.json_text import parse_json
from thermoc.support.loading import read_bytes
from thermoc.support.toml_text import parse_toml

READERS: dict[str, Callable[[Path], Any]] = {
    ".thermo": tc.load,
    ".nir": tc.load,
    ".net": tc.load,
    ".program": simulator.load,
    ".chip": ChipProgram.load,
    ".npz": read_npz,
    ".npy": read_npy,
    ".json": recheck,
    ".toml": load_chip,
    ".stack.toml": description.read,
    ".flp": hotspot.read_floorplan,
}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
reader = pytest.mark.parametrize("suffix", READERS)


def refusal(suffix: str, path: Path) -> tc.ThermocError:
    with pytest.raises(tc.ThermocError) as caught:
        READERS[suffix](path)
    return caught.value


@reader
def test_a_pointer_of_git_lfs_is_named_as_one(tmp_path: Path, suffix: str):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(POINTER)
    problem = refusal(suffix, path)
    assert problem.code == "T501"
    assert "Git LFS pointer" in str(problem) and "git lfs pull" in str(problem)


@reader
def test_a_pipe_is_refused_and_does_not_hang(tmp_path: Path, suffix: str):
    path = tmp_path / f"pipe{suffix}"
    os.mkfifo(path)
    assert refusal(suffix, path).code == "T501"


@reader
def test_a_device_without_end_is_refused(tmp_path: Path, suffix: str):
    path = tmp_path / f"zeros{suffix}"
    path.symlink_to("/dev/zero")
    assert refusal(suffix, path).code == "T501"


@reader
@pytest.mark.parametrize("name", ["x" * 400, "a\0b"])
def test_names_that_no_file_can_have(tmp_path: Path, suffix: str, name: str):
    problem = refusal(suffix, tmp_path / f"{name}{suffix}")
    assert problem.code == "T501"
    assert len(str(problem)) < 600


@reader
def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path, suffix: str):
    path = tmp_path / f"large{suffix}"
    with path.open("wb") as stream:
        stream.truncate(5 * 2**30)  # a hole: it takes no space on disk
    tracemalloc.start()
    assert refusal(suffix, path).code == "T504"
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()


def test_a_long_name_is_refused_before_work_is_done(tmp_path: Path):
    with pytest.raises(tc.ThermocError, match="T505"):
        can_write(tmp_path / ("x" * 300))
    can_write(tmp_path / ("x" * 250))


# ----------------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5000 + "]" * 5000,
        "x = " + "{a=" * 5000 + "1" + "}" * 5000,
        "x = " + "7" * 5000,
        "x" + ".a" * 100_000 + " = 1",
        "[x" + ".a" * 100_000 + "]",
        'x = "' + "y" * 5_000_000 + '"',
    ],
)
def test_toml_without_measure_is_refused_at_once(text: str):
    start = time.process_time()
    with pytest.raises(tc.ThermocError, match=r"T504|T513"):
        parse_toml(text, "x.toml")
    assert time.process_time() - start < 2


def test_thousands_of_unknown_keys_are_counted_and_not_compared(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_text("".join(f"key{index} = 1\n" for index in range(20_000)))
    start = time.process_time()
    problem = refusal(".toml", path)
    assert time.process_time() - start < 2
    assert len(problem.findings) < 60 and "more mistakes are not listed" in str(problem)


@pytest.mark.parametrize("unit", ["nm^99999999", "(((km^99)^99)^99)^99", "(" * 90 + "m" + ")" * 90, "m" * 10_000])
def test_units_without_measure_mean_nothing(unit: str):
    text = f'a = {{ value = 1, unit = "{unit}", source = "x", sure = "O" }}\n'
    with pytest.raises(tc.ThermocError, match="T513"):
        quantities.read(text, {"a": "s"})


@pytest.mark.parametrize("number", ["1e399", "1" + "0" * 350, "1e999999999"])
def test_numbers_beyond_floats_are_told(number: str):
    text = f'a = {{ value = {number}, unit = "s", source = "x", sure = "O" }}\n'
    with pytest.raises(tc.ThermocError, match="T513"):
        quantities.read(text, {"a": "s"})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" * 100_000, "T502"),
        (b"[" * 60 + b"]" * 60, "T504"),
        (b"9" * 5000, "T502"),
        (b"[NaN]", "T502"),
        (b'["\\ud800"]', "T502"),
        (b"[" + b"0," * 2_100_000 + b"0]", "T504"),
        (b"\xff\xfe[\x00]\x00", "T502"),
    ],
)
def test_json_without_measure_is_refused(data: bytes, code: str):
    with pytest.raises(tc.ThermocError, match=code):
        parse_json(data, "x.json", "a document")


# --------------------------------------------------------------------------------------------------------------- arrays


def test_arrays_come_back(tmp_path: Path):
    arrays = {
        "f": np.eye(3)[:, :2],
        "i": np.arange(4, dtype=">i4"),
        "none": np.zeros((2, 0)),
        "one": np.array(1.5),
        **{name: np.ones(2) for name in ("file", "allow_pickle", "time", "a.b")},
        "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    (tmp_path / "a.npz").write_bytes(npz_bytes(arrays))
    found = read_npz(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    assert all((found[name] == array).all() and found[name].shape == array.shape for name, array in arrays.items())
    np.savez(tmp_path / "b.npz", x=np.ones(3))
    assert read_npz(tmp_path / "b.npz")["x"].tolist() == [1, 1, 1]
    np.save(tmp_path / "c.npy", arrays["turned"])
    assert read_npy(tmp_path / "c.npy").tolist() == arrays["turned"].tolist()


def test_equal_arrays_are_equal_bytes():
    one, other = {"a": np.ones(2), "b": np.eye(2)}, {"b": np.eye(2), "a": np.ones(2)}
    assert npz_bytes(one) == npz_bytes(other)


class Hostile:
    """Would run code where it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch /tmp/pickled",)  # pyright: ignore[reportDeprecated]


def test_objects_are_never_unpickled(tmp_path: Path):
    assert pickle.dumps(Hostile())
    np.savez(tmp_path / "x.npz", x=np.array([Hostile()], object))
    np.save(tmp_path / "x.npy", np.array([Hostile()], object))
    assert refusal(".npz", tmp_path / "x.npz").code == refusal(".npy", tmp_path / "x.npy").code == "T507"


@pytest.mark.parametrize("stated", [3 * 2**30, 100])
def test_a_bomb_costs_nothing(tmp_path: Path, stated: int):
    """3 GiB of zeros in 3 MB, once honest about it and once not."""
    shape = str((3 * 2**27,))
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        member.write(b"\x93NUMPY\x01\x00\x76\x00" + head)
        for _ in range(8):
            member.write(bytes(2**20))
    size = (8 * 2**20 + 128).to_bytes(4, "little")
    data = buffer.getvalue().replace(size, stated.to_bytes(4, "little"))
    (tmp_path / "bomb.npz").write_bytes(data)
    tracemalloc.start()
    assert refusal(".npz", tmp_path / "bomb.npz").code in {"T502", "T504"}
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_what_numpy_writes_beyond_numbers_is_refused(tmp_path: Path):
    np.save(tmp_path / "x.npy", np.array([("a", 1)], [("name", "U4"), ("n", "i4")]))
    assert refusal(".npy", tmp_path / "x.npy").code == "T507"
    np.save(tmp_path / "x.npy", np.array(["text"]))
    assert refusal(".npy", tmp_path / "x.npy").code == "T507"


def test_our_files_are_safetensors(tmp_path: Path):
    """The package of that name reads what we write."""
    from safetensors.numpy import load

    arrays = {"b": np.arange(3), "a": np.eye(2), "c": np.array([True]), "none": np.zeros((0, 4), np.float32)}
    found = load(safetensors_bytes(arrays, {"kind": "x"}))
    assert all((found[name] == array).all() and found[name].dtype == array.dtype for name, array in arrays.items())


def test_bytes_that_were_read_are_those_of_the_file(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"abc")
    assert read_bytes(tmp_path / "x", most=3) == b"abc"
    with pytest.raises(tc.ThermocError, match="T504"):
        read_bytes(tmp_path / "x", most=2)
