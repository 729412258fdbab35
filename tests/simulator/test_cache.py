"""The cache of compiled kernels."""

from __future__ import annotations

from pathlib import Path

import numba
import pytest

from thermoc.simulator import cache


def test_a_changed_kernel_has_another_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = cache.stamp()
    files = cache.kernel_files()
    assert {"philox.py", "opcodes.py", "interpreter.py", "rules.py"} <= {path.name for path in files}
    changed = tmp_path / "rules.py"
    changed.write_text(files[0].read_text() + "\n# changed\n")
    monkeypatch.setattr(cache, "kernel_files", lambda: [changed, *files[1:]])
    assert cache.stamp() != before


def test_the_cache_goes_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THERMOC_CACHE", str(tmp_path))
    assert cache.cache_root() == tmp_path


def test_an_empty_cache_is_known_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THERMOC_CACHE", str(tmp_path))
    assert cache.empty()
    folder = tmp_path / "kernels" / cache.stamp()
    folder.mkdir(parents=True)
    (folder / "interpret.1.nbc").touch()
    assert not cache.empty()


def half(x):
    return x / 2


def test_a_damaged_cache_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THERMOC_CACHE", str(tmp_path))
    assert cache.keep(numba.njit(half))(3.0) == 1.5
    second = cache.keep(numba.njit(half))
    assert second(3.0) == 1.5
    assert second.stats.cache_hits
    for path in (tmp_path / "kernels" / cache.stamp()).iterdir():
        path.write_bytes(path.read_bytes()[:30])
    third = cache.keep(numba.njit(half))
    assert third(3.0) == 1.5
    assert not third.stats.cache_hits
    assert cache.keep(numba.njit(half))(3.0) == 1.5


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    occupied = tmp_path / "file"
    occupied.touch()
    monkeypatch.setenv("THERMOC_CACHE", str(occupied))
    assert cache.keep(numba.njit(half))(3.0) == 1.5
    monkeypatch.setenv("THERMOC_CACHE", str(tmp_path))
    kept = cache.keep(numba.njit(half))
    (tmp_path / "kernels" / cache.stamp()).rmdir()
    (tmp_path / "kernels" / cache.stamp()).touch()
    assert kept(3.0) == 1.5
