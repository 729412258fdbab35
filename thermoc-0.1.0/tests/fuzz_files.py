"""Damaged files of every format, read in a process under limits; what breaks is made small and written to a folder.

    make fuzz-files FILES=100000

A fault is an error without a code, a crash, more than 5 s of the processor, or more than 512 MB above what the process
had. For each: the file, the smallest file that breaks in the same way, and a line in faults.jsonl. A seed and an index
are one file, so that any of them can be made again. Exit code 1 if there are faults.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STALLED = 60.0
"""Seconds of the clock in which one file must be done, whatever else the machine does."""


def supervise(seed: int, first: int, last: int, found: Path, figures: Path) -> None:
    """Let workers read the files [first, last); one that dies or stalls is replaced behind the file that broke it."""
    with tempfile.NamedTemporaryFile() as position:
        position.write(bytes(8))
        position.flush()
        while first < last:
            command = [sys.executable, "-m", "filefuzz.worker", "--seed", str(seed), "--first", str(first)]
            command += [
                "--last",
                str(last),
                "--position",
                position.name,
                "--found",
                str(found),
                "--figures",
                str(figures),
            ]
            worker = subprocess.Popen(command, env=_environment())
            stalled = _wait(worker, Path(position.name), first)
            at = max(first, int.from_bytes(Path(position.name).read_bytes(), "little"))
            if worker.returncode not in (0, 3):
                _note(found, seed, at, "stalled" if stalled else f"crash {worker.returncode}")
            first = at + 1 if worker.returncode else last


def _wait(worker: subprocess.Popen, position: Path, first: int) -> bool:
    """Wait for a worker; kill one that stays at a file. Its start, with imports and compilation, may take longer."""
    last, since = position.read_bytes(), time.monotonic() + 9 * STALLED
    while worker.poll() is None:
        time.sleep(0.2)
        now = position.read_bytes()
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > STALLED:
            worker.kill()
            worker.wait()
            return True
    return False


def _note(found: Path, seed: int, index: int, kind: str) -> None:
    """Note a file that took its worker with it; it is made again from its seed and index."""
    from filefuzz import formats
    from filefuzz.worker import Fault, keep

    name, rng = formats.chosen(seed, index)
    keep(found, name, index, Fault(kind, ""), formats.damaged(name, *formats.drawn(name, rng)), None)


def _environment() -> dict[str, str]:
    here = str(Path(__file__).parent)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))}


def report(found: Path, figures: Path, seconds: float) -> int:
    """Print what was read and what broke; return how many faults there are."""
    read, unforeseen = collections.Counter(), collections.Counter()
    for line in figures.read_text().splitlines() if figures.exists() else ():
        counts = json.loads(line)
        read.update(counts["read"])
        unforeseen.update(counts["unforeseen"])
    lines = (found / "faults.jsonl").read_text().splitlines() if (found / "faults.jsonl").exists() else []
    faults = collections.Counter((fault["format"], fault["kind"], fault["where"]) for fault in map(json.loads, lines))
    print(f"{read.total():,} files in {seconds:.0f} s: " + ", ".join(f"{n:,} {name}" for name, n in read.items()))
    print(f"coded by the last resort: {unforeseen.total():,}")
    for site, count in unforeseen.most_common(40):
        print(f"  {count:6d} {site}")
    print(f"faults: {faults.total():,}" + (f", in {found}" if faults else ""))
    for (name, kind, where), count in faults.most_common(100):
        print(f"  {count:6d} {name}: {kind} {where}")
    return faults.total()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="index of the first file")
    parser.add_argument("--found", type=Path, default=Path("out/fuzz-files"))
    options = parser.parse_args()
    options.found.mkdir(parents=True, exist_ok=True)
    figures = options.found.absolute() / "figures.jsonl"
    for old in (figures, options.found / "faults.jsonl"):
        old.unlink(missing_ok=True)
    start = time.monotonic()
    supervise(options.seed, options.first, options.first + options.files, options.found.absolute(), figures)
    return 1 if report(options.found, figures, time.monotonic() - start) else 0


if __name__ == "__main__":
    sys.exit(main())
