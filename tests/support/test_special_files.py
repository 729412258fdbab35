"""Devices and pipes are written into, never replaced by a file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from thermoc.support.errors import ThermocError
from thermoc.support.files import can_write, write_atomic


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    can_write(pipe)
    write_atomic(pipe, b"abc")
    reader.join(10)
    assert received == [b"abc"] and pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
def test_a_full_device_is_an_error_with_a_code(tmp_path: Path):
    link = tmp_path / "full"  # a link, so that a fault replaces the link and not the device
    link.symlink_to("/dev/full")
    with pytest.raises(ThermocError) as caught:
        write_atomic(link, b"abc")
    assert caught.value.code == "T505" and "No space left" in str(caught.value)
    assert "make room" in str(caught.value)
    assert link.is_symlink() and Path("/dev/full").is_char_device()
