"""Git LFS pointers are told from damaged files, whatever a file's suffix says it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import thermoc as tc
from thermoc.support.git_lfs import refuse_pointer

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0f" * 32 + b"\nsize 1234567\n"


@pytest.mark.parametrize("name", ["a.nir", "a.net"])
def test_a_pointer_says_what_brings_the_file(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(POINTER)
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(tmp_path / name)
    assert caught.value.code == "T501"
    assert "is a Git LFS pointer" in str(caught.value)
    assert "a file of 1234567 bytes" in str(caught.value)
    assert "git lfs pull" in caught.value.findings[0].hint


def test_other_texts_are_no_pointers():
    for start in (b"", b"version 1", b"version https://example.org/spec/v1\n", b"\n" + POINTER, b"\x89HDF\r\n\x1a\n"):
        refuse_pointer("a", start)


def test_a_pointer_without_a_size_or_with_another_line_end():
    for start in (POINTER[:43], POINTER.replace(b"\n", b"\r\n"), POINTER.replace(b"git-lfs", b"hawser")):
        with pytest.raises(tc.ThermocError, match="Git LFS pointer"):
            refuse_pointer("a", start)
