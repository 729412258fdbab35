"""The cache of compiled kernels: what it is made of, whom it trusts, what it says."""

from __future__ import annotations

import ast
import os
import pickle
from collections import namedtuple
from pathlib import Path
from typing import NamedTuple

import numba
import pytest

from thermoc import simulator
from thermoc.simulator import cache, private, row_functions, sources


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THERMOC_CACHE", str(tmp_path))
    cache._folder.cache_clear()
    return tmp_path


def half(x):
    return x / 2


def kept(value: float = 3.0) -> bool:
    """Whether a kernel that is needed now came from the disk."""
    kernel = cache.keep(numba.njit(half), "a half", 5.0)
    assert kernel(value) == value / 2
    return bool(kernel.stats.cache_hits)


def test_a_kernel_is_kept(root: Path):
    assert [kept(), kept()] == [False, True]
    assert [path.name[:5] for path in (root / "kernels").iterdir()] == ["half-"]
    assert not kept(3)  # integers are another kernel


def test_a_kernel_depends_on_what_its_module_imports_and_on_nothing_else():
    names = set(sources.files("thermoc.simulator.kernels.loihi.units"))
    assert {"thermoc.simulator.instructions.loihi", "thermoc.simulator.kernels.operands"} <= names
    assert not names & {"thermoc.simulator.engine", "thermoc.simulator", "thermoc.simulator.kernels.spiking"}
    assert "thermoc.support.philox" in sources.files("thermoc.simulator.kernels.thermal")


def test_imports_are_those_that_a_parser_finds():
    for path in Path(simulator.__file__).parent.rglob("*.py"):
        names = set[str]()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                members = [f"{node.module}.{alias.name}" for alias in node.names]
                names.update(member if sources._path(member) else node.module for member in members)
        assert set(sources._imports(path)) == {name for name in names if name.startswith("thermoc.")}, path


def test_a_generated_kernel_depends_on_its_text_and_on_all_that_it_is_made_of(root: Path):
    def stored(**made_of) -> bool:
        kernel = cache.keep(numba.njit(half), **made_of)
        assert kernel(3.0) == 1.5
        return bool(kernel.stats.cache_hits)

    kernels = "thermoc.simulator.kernels"
    assert [stored(text="a"), stored(text="a"), stored(text="b")] == [False, True, False]
    assert [stored(text="a", made_of=[f"{kernels}.moves"]), stored(text="a", made_of=[f"{kernels}.linear"])] == [
        False
    ] * 2


def test_a_row_is_compiled_anew_where_its_rule_or_its_kernel_changed():
    made_of = row_functions._dispatcher("NEG")._cache._made_of
    assert "thermoc.simulator.instructions.elementwise" in made_of
    assert "thermoc.simulator.kernels.moves" in row_functions._dispatcher("GATHER")._cache._made_of


def test_a_row_without_floats_is_compiled_once_for_both_formats():
    """Nor is one without places compiled anew for tables of 64 bits."""
    key = row_functions._key
    assert key("LOIHI_LIF", ("float32", 8)) == ("LOIHI_LIF", ("float64", 4))
    assert key("INT_GATHER", ("float32", 8)) == ("INT_GATHER", ("float64", 8))
    for name in ("ADD", "INT_TO_FLOAT", "FLOAT_TO_INT", "LOIHI_ENCODE", "LIF_STEP", "MOMENTS", "INT_TO_INT"):
        other = "float64" if name == "INT_TO_INT" else "float32"
        assert key(name, ("float32", 8))[1] == (other, 4), name
    assert key("GIBBS", ("float32", 8)) == ("GIBBS", ("float32", 8))


def test_a_changed_source_is_another_kernel(root: Path, monkeypatch: pytest.MonkeyPatch):
    kept()
    monkeypatch.setattr(cache, "digest", lambda module: "changed")
    assert not kept()
    monkeypatch.setattr(cache, "digest", lambda module: None)  # changed while this process runs: nothing is kept
    assert [kept(), kept()] == [False, False]


def test_options_are_part_of_a_kernel(root: Path):
    kept()
    fast = cache.keep(numba.njit(half, fastmath=True))
    assert fast(3.0) == 1.5
    assert not fast.stats.cache_hits


@pytest.mark.parametrize("place", [0, 40, 1000, -1])
def test_a_flipped_bit_is_compiled_anew(root: Path, place: int):
    kept()
    (path,) = (root / "kernels").iterdir()
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
    assert [kept(), kept()] == [False, True]


def test_a_truncated_file_is_compiled_anew(root: Path):
    kept()
    for path in (root / "kernels").iterdir():
        path.write_bytes(path.read_bytes()[:30])
    assert [kept(), kept()] == [False, True]


class Trap:
    def __reduce__(self):
        return os.abort, ()


def test_no_pickle_is_opened_that_has_not_its_checksum(root: Path):
    kept()
    (path,) = (root / "kernels").iterdir()
    path.write_bytes(b"\0" * 32 + pickle.dumps(Trap()))
    assert not kept()


@pytest.mark.parametrize("mode", [0o777, 0o733, 0o1777])
def test_a_folder_that_others_may_write_is_refused(root: Path, mode: int, capsys: pytest.CaptureFixture[str]):
    (root / "kernels").mkdir()
    (root / "kernels").chmod(mode)
    assert [kept(), kept()] == [False, False]
    assert not [*(root / "kernels").iterdir()]
    said = capsys.readouterr().err
    assert said.count("may be written by others") == 1
    assert "for this process alone" in said


def test_so_is_one_in_a_folder_that_others_may_write(root: Path):
    root.chmod(0o777)
    assert [kept(), kept()] == [False, False]
    cache._folder.cache_clear()
    root.chmod(0o1777)  # where only the owner of a file may replace it, as in /tmp
    assert [kept(), kept()] == [False, True]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a folder away")
def test_so_is_one_that_belongs_to_another_user(root: Path):
    (root / "kernels").mkdir()
    os.chown(root / "kernels", 12345, -1)
    assert private.why_not_private(root / "kernels").endswith("belongs to user 12345")
    assert [kept(), kept()] == [False, False]


def test_a_link_counts_as_what_it_leads_to(root: Path):
    (root / "open").mkdir()
    (root / "open").chmod(0o777)
    (root / "kernels").symlink_to(root / "open")
    assert [kept(), kept()] == [False, False]


def test_where_nothing_can_be_written_nothing_is_kept(root: Path, monkeypatch: pytest.MonkeyPatch):
    (root / "file").touch()
    monkeypatch.setenv("THERMOC_CACHE", str(root / "file"))
    assert not kept()
    monkeypatch.setenv("THERMOC_CACHE", str(root / "new"))
    kernel = cache.keep(numba.njit(half))
    assert cache.folder() is not None
    (root / "new" / "kernels").rmdir()
    (root / "new" / "kernels").touch()
    assert kernel(3.0) == 1.5


def test_compiling_that_takes_long_says_so_once(root: Path, capsys: pytest.CaptureFixture[str]):
    kept()
    said = capsys.readouterr().err
    assert said.startswith("thermoc: compiling a half, once, kept in ")
    assert "about 5 s" in said
    kept()
    assert capsys.readouterr().err == ""


class Ray(NamedTuple):
    start: float
    end: float


def length(ray):
    return ray.end - ray.start


def test_code_for_a_type_that_only_reads_alike_is_not_taken(root: Path):
    """Numba names a named tuple by its class and its numbers, and the file of its code with it."""
    backwards = namedtuple("Ray", ["end", "start"])
    for ray in (Ray(1.0, 3.0), backwards(3.0, 1.0), Ray(1.0, 3.0)):
        assert cache.keep(numba.njit(length))(ray) == 2.0
    assert len([*(root / "kernels").iterdir()]) == 1
