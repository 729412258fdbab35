"""What a chip runs: a stream of instructions for each core, as flat arrays that print, save and load."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.machine.instructions import FIELDS, ROW, ChipOp
from thermoc.support.bundle import bundle_bytes, read_bundle
from thermoc.support.files import write_atomic
from thermoc.support.loading import reading

KIND = "thermoc chip program"
VERSION = 1
MOST_OPERAND = 2**48
"""A file that asks for more of anything is damaged."""


@dataclass(frozen=True, kw_only=True)
class ChipProgram:
    """Streams of rows (opcode, served, a, b, c, d): core k runs rows starts[k] to starts[k + 1], in order.

    The first ``setup[k]`` rows of a core run once; the rest is a tick, and runs as often as asked, up to its HALT.
    ops: names of the IR ops that rows serve, -1 serves none. chip: the chip's name.
    """

    name: str
    chip: str
    code: NDArray[np.int64]
    starts: NDArray[np.int64]
    setup: NDArray[np.int64]
    ops: tuple[str, ...] = ()

    @cached_property
    def cores(self) -> NDArray[np.int64]:
        """The core of each row."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """Yield the program as text; cores without rows are left out."""
        # line by line: the text of a large program need not be held at once
        yield f"chip program {self.name!r} for {self.chip}: {len(self.code)} instructions"
        for core in range(len(self.starts) - 1):
            first, last = self.starts[core : core + 2]
            if first < last:
                yield f"core {core}:"
            for row in range(first, last):
                if row == first + self.setup[core]:
                    yield "  tick:"
                yield f"    {self.text(row)}"

    def text(self, row: int) -> str:
        """Return one instruction as text."""
        opcode, served, *operands = self.code[row].tolist()
        fields = " ".join(f"{name}={value}" for name, value in zip(FIELDS[ChipOp(opcode)], operands))
        return f"{ChipOp(opcode).name:8s}{fields}".rstrip() + (f"  ; {self.ops[served]}" if served >= 0 else "")

    def to_bytes(self) -> bytes:
        """Return the program as the content of a file."""
        arrays = {"code": self.code, "starts": self.starts, "setup": self.setup}
        document = {"name": self.name, "chip": self.chip, "ops": list(self.ops)}
        return bundle_bytes(kind=KIND, version=VERSION, document=document, arrays=arrays)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the program, whole or not at all; return its size in bytes. Errors: T505."""
        data = self.to_bytes()
        write_atomic(path, data)
        return len(data)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> ChipProgram:
        """Read a program. Errors: T501 to T504; T502 also for one whose rows make no sense."""
        bundle = read_bundle(path, kind=KIND, version=VERSION)
        with reading(path, f"a {KIND} that can run"):
            program = ChipProgram(
                name=str(bundle.document["name"]),
                chip=str(bundle.document["chip"]),
                ops=tuple(map(str, bundle.document["ops"])),
                **{name: np.array(bundle.arrays[name]) for name in ("code", "starts", "setup")},
            )._checked()
            if len(program.code) and program.code[:, 2:].max() > MOST_OPERAND:
                raise ValueError(f"an operand is {program.code[:, 2:].max()}, of at most {MOST_OPERAND}")
            return program

    def _checked(self) -> ChipProgram:
        code, starts, setup = self.code, self.starts, self.setup
        # the dtype is checked and not cast: the kernel is compiled for int64, and a cast would hide a damaged file
        if starts.dtype != np.int64 or setup.dtype != np.int64:
            raise ValueError(f"starts and setup have dtypes {starts.dtype} and {setup.dtype}, not int64")
        if code.dtype != np.int64 or code.ndim != 2 or code.shape[1] != ROW:
            raise ValueError(f"code has shape {code.shape} and dtype {code.dtype}")
        if starts.dtype != np.int64 or setup.dtype != np.int64:
            raise ValueError(f"starts and setup have dtypes {starts.dtype} and {setup.dtype}, not int64")
        if (
            starts.ndim != 1
            or len(starts) < 1
            or starts[0] != 0
            or starts[-1] != len(code)
            or (np.diff(starts) < 0).any()
        ):
            raise ValueError("starts do not part the rows into cores")
        if setup.shape != (len(starts) - 1,) or (setup < 0).any() or (setup > np.diff(starts)).any():
            raise ValueError("setup names rows that are not there")
        if len(code) and (code[:, 0].min() < 0 or code[:, 0].max() >= len(ChipOp) or code[:, 2:].min() < 0):
            raise ValueError("an opcode or operand is out of range")
        # the served op is an index into the names, -1 aside
        if len(code) and not -1 <= code[:, 1].min() <= code[:, 1].max() < len(self.ops):
            raise ValueError("a row serves an op that is not named")
        return self


def assemble(
    name: str, chip: str, streams: Sequence[tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]]], ops: Sequence[str]
) -> ChipProgram:
    """Return the program of streams (setup rows, tick rows), one a core; short rows are filled with zeros.

    A HALT is put after every tick that is not empty.
    """
    rows, starts, setup = [], [0], []
    for once, tick in streams:
        ends = [] if not (once or tick) else [(ChipOp.HALT, -1)]
        rows += [[*map(int, row), *[0] * (ROW - len(row))] for row in (*once, *tick, *ends)]
        starts.append(len(rows))
        setup.append(len(once))
    return ChipProgram(
        name=name,
        chip=chip,
        code=np.array(rows, np.int64).reshape(-1, ROW),
        starts=np.array(starts, np.int64),
        setup=np.array(setup, np.int64),
        ops=tuple(ops),
    )._checked()
