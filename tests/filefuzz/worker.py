"""A process that damages and reads files until it has read its share, or one of them breaks it.

Which file it is at stands in ``position`` (8 bytes), so that whoever waits for it knows which one broke it.
"""

from __future__ import annotations

import argparse
import collections
import json
import mmap
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import thermoc as tc
from filefuzz import formats

MOST_SECONDS, MOST_BYTES = 5.0, 512 * 2**20
SPENT = 3
"""Exit code of a worker whose memory cannot be told from before any more."""


class Overtime(BaseException):
    """A file took longer than it may."""


@dataclass(frozen=True)
class Fault:
    """What went wrong: the kind, and where."""

    kind: str
    where: str


def _overtime(*_: object) -> NoReturn:
    raise Overtime


def verdict(name: str, path: Path, unforeseen: collections.Counter[str] | None = None) -> Fault | None:
    """Read a file; return what is wrong with how that went. Seconds are of the processor, so that load is no fault."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        formats.FORMATS[name].read(path)
    except tc.ThermocError as problem:
        signal.setitimer(signal.ITIMER_PROF, 0)
        try:
            str(problem).encode()
        except Exception as reason:
            return Fault("message", type(reason).__name__)
        if len(str(problem)) > 2**16:
            return Fault("message", f"{len(str(problem)) >> 16} x 64 KiB")
        if unforeseen is not None and problem.__cause__ is not None:
            unforeseen[f"{name}: {_site(problem.__cause__)}"] += 1
        if isinstance(problem.__cause__, MemoryError):
            return Fault("memory", _site(problem.__cause__))
    except Overtime as reason:
        return Fault("time", _site(reason))
    except Exception as reason:
        return Fault("uncoded", _site(reason))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return Fault("memory", f"{grown >> 27} x 128 MiB") if grown > MOST_BYTES else None


def _site(reason: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(reason.__traceback__) if "filefuzz" not in f.filename]
    ours = [
        frame for frame in frames if "/site-packages/" not in frame.filename and "/lib/python" not in frame.filename
    ]
    last = (ours or frames or [None])[-1]
    return f"{type(reason).__name__} at {Path(last.filename).name}:{last.lineno}" if last else type(reason).__name__


def smallest(name: str, index: int, seed: int, fault: Fault, path: Path) -> bytes:
    """Return the smallest file that still breaks in the same way: steps are left out, then bytes."""
    _, rng = formats.chosen(seed, index)
    start, steps, numbers = formats.drawn(name, rng)

    def still(data: bytes) -> bool:
        path.write_bytes(data)
        return verdict(name, path) == fault

    for at in reversed(range(len(steps))):
        fewer = steps[:at] + steps[at + 1 :], numbers[:at] + numbers[at + 1 :]
        if fewer[0] and still(formats.damaged(name, start, *fewer)):
            steps, numbers = fewer
    data, end = formats.damaged(name, start, steps, numbers), time.process_time() + 20
    size = len(data) // 2
    while size and time.process_time() < end:
        at = 0
        while at < len(data) and time.process_time() < end:
            shorter = data[:at] + data[at + size :]
            if still(shorter):
                data = shorter
            else:
                at += size
        size //= 2
    return data


def keep(folder: Path, name: str, index: int, fault: Fault, data: bytes, small: bytes | None) -> None:
    """Write a file that broke something, and a line about it."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace(' ', '-')}-{index}"
    (folder / f"{stem}{formats.FORMATS[name].suffix}").write_bytes(data)
    if small is not None and small != data:
        (folder / f"{stem}.small{formats.FORMATS[name].suffix}").write_bytes(small)
    with (folder / "faults.jsonl").open("a") as lines:
        lines.write(json.dumps({"format": name, "index": index, "kind": fault.kind, "where": fault.where}) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("seed", "first", "last"):
        parser.add_argument(f"--{option}", type=int, required=True)
    for option in ("position", "found", "figures"):
        parser.add_argument(f"--{option}", type=Path, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGPROF, _overtime)
    for name in formats.FORMATS:
        formats.sound(name)
    figures: dict[str, Any] = {"read": collections.Counter(), "unforeseen": collections.Counter()}
    seen: collections.Counter[Fault] = collections.Counter()
    with (
        options.position.open("r+b") as stream,
        tempfile.TemporaryDirectory(prefix="filefuzz.", dir=_memory()) as folder,
    ):
        position = mmap.mmap(stream.fileno(), 8)
        os.chdir(folder)
        _warm(Path(folder), options.seed)
        for index in range(options.first, options.last):
            position[:] = index.to_bytes(8, "little")
            fault = _one(index, options, Path(folder), figures, seen)
            if fault is not None and fault.kind in ("memory", "time"):
                _write(options.figures, figures)
                return SPENT
        position[:] = options.last.to_bytes(8, "little")
    _write(options.figures, figures)
    return 0


def _one(index: int, options: Any, folder: Path, figures: dict[str, Any], seen: collections.Counter) -> Fault | None:
    name, rng = formats.chosen(options.seed, index)
    data = formats.damaged(name, *formats.drawn(name, rng))
    path = folder / f"file{formats.FORMATS[name].suffix}"
    path.write_bytes(data)
    fault = verdict(name, path, figures["unforeseen"])
    figures["read"][name] += 1
    if fault is not None:
        seen[fault] += 1
        if seen[fault] <= 3:
            small = smallest(name, index, options.seed, fault, path) if fault.kind == "uncoded" else None
            keep(options.found, name, index, fault, data, small)
        else:
            keep(options.found, name, index, fault, data, None)
    return fault


def _warm(folder: Path, seed: int) -> None:
    """Read a sound file of each format, so that imports and compilation are behind us."""
    for name, format_ in formats.FORMATS.items():
        for start in formats.sound(name)[:4]:
            path = folder / f"warm{format_.suffix}"
            path.write_bytes(format_.written(start))
            try:
                format_.read(path)
            except tc.ThermocError as problem:
                if name not in ("device file",):
                    print(f"a sound file of {name} is refused: {problem}", file=sys.stderr)


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _write(path: Path, figures: dict[str, Any]) -> None:
    with path.open("a") as lines:
        lines.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    sys.exit(main())
