"""``.thermo`` files: round trips, damage, hostile sizes, versions, and writing whole or not at all."""

from __future__ import annotations

import copy
import functools
import json
import os
import random
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from strategies import networks

import thermoc as tc
from thermoc.ir import serial
from thermoc.ir.dialects import core
from thermoc.ir.ops import REGISTRY
from thermoc.ir.parser import parse_graph
from thermoc.ir.verify import verify
from thermoc.support.bundle import bundle_bytes, read_bundle

HERE = Path(__file__).parent
SAMPLES = sorted((HERE / "samples").glob("v*/*.thermo"))


@pytest.mark.slow
@given(net=networks())
def test_a_network_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, net: tc.Network):
    path = tmp_path_factory.mktemp("thermo") / "n.thermo"
    net.save(path)
    assert tc.load(path).graph == net.graph


def small(path: Path) -> bytes:
    with tc.Network("small") as net:
        tc.output("y", tc.affine(tc.input("x", (2,)), np.ones((3, 2))))
    net.save(path)
    return path.read_bytes()


def test_a_network_does_not_follow_its_file(tmp_path: Path):
    path = tmp_path / "n.thermo"
    data = small(path)
    net = tc.load(path)
    with path.open("r+b") as stream:
        stream.seek(len(data) - 8)
        stream.write(b"\0" * 8)
        stream.truncate(16)
    weights = [op.value.numpy for op in net.graph.of(core.Constant)]
    assert all((weight == 1).all() for weight in weights if weight.size == 6)


def code_of(path: Path) -> str:
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path)
    return caught.value.code


def test_every_truncation_is_noticed(tmp_path: Path):
    path = tmp_path / "n.thermo"
    data = small(path)
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        assert code_of(path) == "T502", length


def test_every_flipped_bit_is_noticed(tmp_path: Path):
    path = tmp_path / "n.thermo"
    data, rng = small(path), np.random.default_rng(0)
    for place in {*range(8), *(len(data) - 1 - np.arange(48)).tolist(), *rng.integers(0, len(data), 300).tolist()}:
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        assert code_of(path) in {"T502", "T503", "T504"}, place


def header(path: Path, document: dict[str, Any], length: int | None = None) -> None:
    text = json.dumps(document).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text)


@pytest.mark.parametrize(
    ("shape", "end"),
    [
        ([2**47], 2**50),
        ([2**40, 2**40], 2**80),
        ([2**30, 2**30, 2**30], 0),
        ([-1, -8], 64),
        ([1.5], 12),
        ([10**6], 8 * 10**6),
    ],
)
def test_a_file_that_declares_too_much_costs_nothing(tmp_path: Path, shape: list[float], end: int):
    path = tmp_path / "n.thermo"
    metadata = {"kind": serial.KIND, "version": "1", "document": "{}", "sha256": ""}
    header(path, {"__metadata__": metadata, "w": {"dtype": "F64", "shape": shape, "data_offsets": [0, end]}})
    tracemalloc.start()
    assert code_of(path) in {"T502", "T504"}
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_header_longer_than_the_file_costs_nothing(tmp_path: Path):
    for length in (2**50, 2**63, 2**64 - 1):
        header(tmp_path / "n.thermo", {}, length)
        assert code_of(tmp_path / "n.thermo") == "T502"


def test_a_newer_version_says_so(tmp_path: Path):
    path = tmp_path / "n.thermo"
    path.write_bytes(bundle_bytes(kind=serial.KIND, version=99, document={}, arrays={}))
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path)
    assert caught.value.code == "T503"
    assert "version is 99" in str(caught.value)
    assert "pip install --upgrade" in str(caught.value)


def test_other_files_are_refused(tmp_path: Path):
    path = tmp_path / "n.thermo"
    path.write_bytes(bundle_bytes(kind="recipe", version=1, document={}, arrays={}))
    assert code_of(path) == "T502"
    path.write_bytes(
        bundle_bytes(kind=serial.KIND, version=serial.VERSION, document={"ops": [{"op": "no.such"}]}, arrays={})
    )
    assert code_of(path) == "T502"
    path.write_bytes(bundle_bytes(kind=serial.KIND, version=serial.VERSION, document=[1], arrays={}))
    assert code_of(path) == "T502"
    path.write_text("not a model")
    assert code_of(path) == "T502"
    assert code_of(tmp_path / "missing.thermo") == "T501"
    assert code_of(tmp_path / "n.txt") == "T506"
    (tmp_path / "folder.thermo").mkdir()
    assert code_of(tmp_path / "folder.thermo") == "T501"


def test_a_graph_that_is_not_sound_is_refused_when_read(tmp_path: Path):
    path = tmp_path / "n.thermo"
    entry = {
        "op": "core.input",
        "operands": {},
        "attrs": {"name": "x", "shape": [2]},
        "results": {"y": ["x", "signal f64[3]"]},
    }
    document = {"name": "n", "dt": 1.0, "ops": [entry]}
    path.write_bytes(bundle_bytes(kind=serial.KIND, version=serial.VERSION, document=document, arrays={}))
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path)
    assert {finding.code for finding in caught.value.findings} == {"T101", "T103"}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    path = tmp_path / "n.thermo"
    before = small(path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(tc.ThermocError) as caught:
        small(path)
    assert caught.value.code == "T505"
    assert "No space left" in str(caught.value)
    assert os.listdir(tmp_path) == ["n.thermo"]
    assert path.read_bytes() == before


def test_a_missing_folder_is_told(tmp_path: Path):
    with pytest.raises(tc.ThermocError) as caught:
        small(tmp_path / "nowhere" / "n.thermo")
    assert caught.value.code == "T505"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_files_of_every_older_format_are_still_read(path: Path):
    """Each sample lies beside its graph's text, written when its format was current."""
    assert tc.load(path).graph == parse_graph(path.with_suffix(".txt").read_text())


def test_every_op_is_in_a_sample():
    stored = {op.opname for path in SAMPLES for op in tc.load(path).graph.ops}
    missing = sorted(REGISTRY.keys() - stored)
    assert not missing, (
        f"store a sample in tests/ir/samples/v{serial.VERSION}/ with {missing} (tests/ir/store_samples.py)"
    )


ODD = [None, 0, -1, 1.5, "", "x", [], {}, [1], [[1]], True, 2**70, "signal f64[2]", "signal f64[-1]", {"tensor": "w"}]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(document, dict):
        items = cast("dict[str, Any]", document).items()
    elif isinstance(document, list):
        items = enumerate(cast("list[Any]", document))
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@pytest.mark.parametrize("path", SAMPLES[::4], ids=lambda path: path.stem)
def test_a_document_altered_on_purpose_is_refused_or_sound(tmp_path: Path, path: Path):
    """With a right checksum, as somebody hostile would: never anything but a coded error."""
    bundle, rng = read_bundle(path, kind=serial.KIND, version=serial.VERSION), random.Random(path.stem)
    spots = list(places(bundle.document))
    for _ in range(40):
        document = copy.deepcopy(bundle.document)
        *way, last = rng.choice(spots)
        inner = functools.reduce(lambda held, key: held[key], way, document)
        inner[last] = rng.choice(ODD)
        altered = tmp_path / "altered.thermo"
        altered.write_bytes(
            bundle_bytes(kind=serial.KIND, version=serial.VERSION, document=document, arrays=bundle.arrays)
        )
        try:
            str(tc.load(altered).graph)
        except tc.ThermocError as problem:
            assert str(problem)


@pytest.mark.parametrize("path", SAMPLES[::6], ids=lambda path: path.stem)
def test_a_text_altered_at_random_is_refused_or_parsed(path: Path):
    text, rng = path.with_suffix(".txt").read_text(), random.Random(path.stem)
    for _ in range(60):
        at = rng.randrange(len(text))
        altered = (
            text[:at]
            + rng.choice(['"', "{", "}", "[", "]", "(", "%", "=", ",", "9", "-", " ", "x", ""])
            + text[at + 1 :]
        )
        try:
            verify(parse_graph(altered))
        except tc.ThermocError as problem:
            assert str(problem)


@pytest.mark.parametrize("place", ["/etc/hostname", "/dev/zero", "../../../etc/passwd"])
def test_a_place_that_a_file_names_is_text(tmp_path: Path, place: str):
    """Older files name source lines: an error shows where, and opens nothing."""
    path = tmp_path / "n.thermo"
    entry = {
        "op": "core.input",
        "operands": {},
        "attrs": {"name": "x", "shape": [2], "dtype": "f64", "role": "signal"},
        "results": {"y": ["x", "signal f64[3]"]},
        "at": [place, 1],
    }
    document = {"name": "n", "dt": 1.0, "ops": [entry]}
    path.write_bytes(bundle_bytes(kind=serial.KIND, version=serial.VERSION, document=document, arrays={}))
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path)
    where = next(finding.where for finding in caught.value.findings if finding.where is not None)
    assert (str(where), where.source) == (f"{place}:1", "")


def test_names_that_no_file_can_have_are_refused(tmp_path: Path):
    with pytest.raises(tc.ThermocError, match="T102"), tc.Network("long"):
        tc.output("y" * 400, tc.input("x", (2,)))
