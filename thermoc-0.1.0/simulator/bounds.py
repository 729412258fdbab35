"""Whether a program stays inside its arrays. Kernels look at no bound, so what comes from a file is checked first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.kernels.crossbar import mvm
from thermoc.simulator.kernels.gibbs.layout import shapes
from thermoc.simulator.kernels.loihi import synapses
from thermoc.simulator.kernels.spiking import CHUNK, PARAMETERS
from thermoc.simulator.opcodes import AT_ONCE, BY_SWEEP, LATTICE, OPERANDS, REPLICAS, ROW, SPINS, WORDS, Opcode

if TYPE_CHECKING:
    from thermoc.simulator.program import Port, Program, State

MOST_ELEMENTS = 2**37
"""Working memory of one sample beyond this (a terabyte of float64) is refused."""
COUNTER = 2**32
BANKS = {0: "f", 1: "i", 2: "f", 3: "i", 4: "f", 5: "i"}
IN_PLACE = (Opcode.TRACE_STEP, Opcode.SPARSE_COLUMNS, Opcode.SPARSE_LIST)
"""Rows that may write a state."""


def _kinds() -> dict[Opcode, tuple[str, str]]:
    """Return each opcode's kind of result and of operands: f float, i integer; a capital may be absent."""
    kinds = {op: ("f", "f" if op <= Opcode.FLOOR else "ff") for op in Opcode if op <= Opcode.MAXWELL_BOLTZMANN}
    kinds |= {op: ("i", "ff" if op <= Opcode.EQUAL else "ii") for op in Opcode if Opcode.LESS <= op <= Opcode.OR}
    kinds |= {Opcode.FERMI_DIRAC: ("f", "fff"), Opcode.SELECT: ("f", "iff"), Opcode.NOT: ("i", "i")}
    kinds |= {Opcode.FLOAT_TO_INT: ("i", "f"), Opcode.INT_TO_INT: ("i", "i"), Opcode.INT_TO_FLOAT: ("f", "i")}
    kinds |= dict.fromkeys((Opcode.GATHER, Opcode.SCATTER, Opcode.REDUCE), ("f", "f"))
    kinds |= dict.fromkeys((Opcode.INT_GATHER, Opcode.INT_SCATTER), ("i", "i"))
    kinds |= {Opcode.ARG_REDUCE: ("i", "f"), Opcode.MATMUL: ("f", "ffF"), Opcode.SPARSE: ("f", "ffF")}
    kinds |= {
        Opcode.MVM: ("f", "fFF"),
        Opcode.BOLTZMANN: ("f", "ff"),
        Opcode.NORMAL: ("f", ""),
        Opcode.UNIFORM: ("f", ""),
    }
    kinds |= dict.fromkeys((Opcode.GIBBS, Opcode.GIBBS_WORDS, Opcode.GIBBS_LAYERS), ("f", "fff"))
    kinds |= {Opcode.SPARSE_COLUMNS: ("f", "ffF"), Opcode.SPARSE_LIST: ("f", "fiF"), Opcode.TRACE_STEP: ("f", "Ff")}
    kinds |= {Opcode.LIF_STEP: ("i", "fff"), Opcode.SPREAD: ("f", "i"), Opcode.PAIRS: ("f", "ff")}
    kinds |= {Opcode.READ_LIST: ("i", ""), Opcode.WRITE_LIST: ("", "i")}
    kinds |= {Opcode.TICK: ("i", ""), Opcode.INPUT: ("f", ""), Opcode.INT_INPUT: ("i", "")}
    kinds |= {Opcode.OUTPUT: ("", "f"), Opcode.INT_OUTPUT: ("", "i"), Opcode.READ: ("f", "")}
    kinds |= {Opcode.INT_READ: ("i", ""), Opcode.WRITE: ("", "f"), Opcode.INT_WRITE: ("", "i")}
    return kinds | _loihi_kinds()


def _loihi_kinds() -> dict[Opcode, tuple[str, str]]:
    kinds = {op: ("i", "ii") for op in Opcode if op > Opcode.LOIHI_ARRIVE}
    kinds |= {Opcode.LOIHI_ENCODE: ("i", "f"), Opcode.LOIHI_DECODE: ("f", "i"), Opcode.LOIHI_ARRIVE: ("i", "")}
    kinds |= dict.fromkeys((Opcode.LOIHI_SYNAPSE, Opcode.LOIHI_SYNAPSE_LIST), ("i", "i"))
    kinds |= {Opcode.LOIHI_SPREAD: ("i", "i"), Opcode.LOIHI_SIGMA: ("i", "i"), Opcode.LOIHI_TOTAL: ("i", "iiI")}
    kinds |= dict.fromkeys((Opcode.LOIHI_LOOKUP, Opcode.LOIHI_FERMI_DIRAC, Opcode.LOIHI_CATEGORICAL), ("i", "iii"))
    return kinds | dict.fromkeys((Opcode.LOIHI_MEMORY, Opcode.LOIHI_HEAT), ("", "ii"))


KINDS = _kinds()


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A row of code: number of elements of the result and of each operand, -1 where there is none; parameters.

    floats, states, kept: number of float constants of the program, and of floats and integers of its states.
    bank: the result's.
    """

    opcode: Opcode
    n: int
    x: int
    y: int
    z: int
    p: Sequence[int]
    floats: int
    states: int
    kept: int
    bank: int


def check(program: Program) -> None:
    """Raise ValueError where a row would reach outside its arrays or read what no row has written."""
    _check_arrays(program)
    faces = {*_faces(program, program.inputs, "INPUT"), *_faces(program, program.outputs, "OUTPUT")}
    faces |= {*_rings(program)}
    written, met = set[int](), set[tuple[Opcode, int, int, int]]()
    for number, row in enumerate(program.code.tolist()):
        line = _line(program, row, written)
        if line is None or not _fits(line, program.table):
            raise ValueError(f"row {number} of the code reaches outside its operands or its tables")
        if Opcode.INPUT <= line.opcode <= Opcode.WRITE_LIST:
            met.add(_face(line))
    if met != faces:
        raise ValueError("its code does not serve its inputs, outputs and states")


def _check_arrays(program: Program) -> None:
    code, slots = program.code, program.slots
    if code.ndim != 2 or code.shape[1] != ROW or slots.ndim != 2 or slots.shape[1] != 3:
        raise ValueError("code and slots have the wrong shape")
    if program.precision not in ("float64", "float32") or program.floats.dtype != program.precision:
        raise ValueError("its floats are of another precision")
    if any(array.dtype != np.int64 for array in (code, slots, program.ints, program.table)):
        raise ValueError("its integers are not of 64 bits")
    if any(array.ndim != 1 for array in (program.floats, program.ints, program.table)):
        raise ValueError("its constants have the wrong shape")
    if len(program.work) != 2 or not all(type(n) is int and 0 <= n <= MOST_ELEMENTS for n in program.work):
        raise ValueError(f"its working memory is {program.work}")
    rooms = np.array([program.floats.size, program.ints.size, *program.work, *map(len, program.first_states)])
    if (slots < 0).any() or (slots[:, 0] > 5).any() or (slots[:, 1:] > rooms.max()).any():
        raise ValueError("a slot lies nowhere")
    if (slots[:, 1] + slots[:, 2] > rooms[slots[:, 0]]).any():
        raise ValueError("a slot lies outside its bank")


def _line(program: Program, row: list[int], written: set[int]) -> _Line | None:
    """Return a row with its slots looked up, or None where one is missing, of the wrong kind or not yet written."""
    op, (result, *operands), parameters = Opcode(row[0]), row[1 : 2 + OPERANDS], row[2 + OPERANDS :]
    given, wanted = KINDS[op]
    if min(parameters) < 0 or min(result, *operands) < -1 or max(result, *operands) >= len(program.slots):
        return None
    sizes = []
    for slot, letter in zip(operands, wanted.ljust(OPERANDS)):
        if slot < 0 and not letter.islower():
            sizes.append(-1)
            continue
        bank, _, size = program.slots[slot].tolist() if slot >= 0 else (-1, 0, 0)
        if BANKS.get(bank) != letter.lower() or (bank in (2, 3) and slot not in written):
            return None
        sizes.append(size)
    bank, _, n = program.slots[result].tolist() if result >= 0 else (-1, 0, -1)
    if (BANKS.get(bank, "") if bank >= 2 else "" if result < 0 else "constant") != given:
        return None
    if bank == 5 or (bank == 4 and op not in IN_PLACE):
        return None
    written.add(result)
    x, y, z = sizes
    floats, ints = program.first_states
    held = {"floats": program.floats.size, "states": floats.size, "kept": ints.size, "bank": bank}
    return _Line(opcode=op, n=n, x=x, y=y, z=z, p=parameters, **held)


def _fits(line: _Line, table: NDArray[np.int64]) -> bool:
    """True where sizes, parameters and table entries agree; compare each case with the comments of ``Opcode``."""
    n, x, y, z, (p0, p1, p2, p3, p4, p5) = line.n, line.x, line.y, line.z, line.p

    def inside(start: int, count: int, least: int, below: int) -> bool:
        part = table[start : start + count]
        return start + count <= table.size and (count == 0 or (least <= part.min() and part.max() < below))

    match line.opcode:
        case op if op <= Opcode.NOT:
            return {x, y, z} <= {-1, 1, n}
        case Opcode.FLOAT_TO_INT | Opcode.INT_TO_INT | Opcode.INT_TO_FLOAT:
            return x == n and p0 <= 2
        case Opcode.GATHER | Opcode.INT_GATHER:
            return inside(p0, n, -1, x)
        case Opcode.SCATTER | Opcode.INT_SCATTER:
            return inside(p0, x, 0, n)
        case Opcode.REDUCE:
            return inside(p0, n * p1, -1, x) and p2 <= 3
        case Opcode.ARG_REDUCE:
            return p1 >= 1 and inside(p0, n * p1, 0, x) and p2 in (4, 5)
        case Opcode.MATMUL:
            bias = {0: z == -1, 1: z == p3, 2: z == p0 * p1}.get(p5, False)
            return bias and p4 <= 1 and (x, y, n) == (p0 * p1 * p2, (1 if p4 else p0) * p2 * p3, p0 * p1 * p3)
        case Opcode.MVM:
            if not inside(p0, mvm.SIZES, 0, MOST_ELEMENTS):
                return False
            inputs, outputs, slices, rows, readings, form = table[p0 : p0 + mvm.SIZES].tolist()
            digits = form % 2 == 1 and form < 2 * readings
            if min(inputs, outputs, slices, rows, readings) < 1 or not (digits or (form in (0, 2) and readings == 1)):
                return False
            columns, arrays = slices * outputs, -(-inputs // rows)
            held = mvm.SETTINGS + outputs + inputs * columns * (1 if y < 0 else 2)
            whole = (n, x) == (p2 * outputs, p2 * inputs) and y in (-1, p2 * arrays * readings * columns)
            return whole and z in (-1, 1, arrays * outputs) and p1 + held <= line.floats
        case Opcode.SPARSE:
            if z not in (-1, n) or not inside(p0, n + 1, 0, x + 1) or (np.diff(table[p0 : p0 + n + 1]) < 0).any():
                return False
            return inside(p1, int(table[p0 + n]), 0, y)
        case Opcode.SPARSE_COLUMNS | Opcode.SPARSE_LIST as op:
            columns = y - (op == Opcode.SPARSE_LIST)
            if z not in (-1, n) or p2 > 1 or columns < 0 or not inside(p0, columns + 1, 0, table.size):
                return False
            starts = table[p0 : p0 + columns + 1]
            if (np.diff(starts) < 0).any() or (x != 1 and starts[-1] > x):
                return False
            return inside(p1, int(starts[-1]), 0, n)
        case Opcode.TRACE_STEP:
            return line.bank == 4 and x in (-1, n) and y in (1, n)
        case Opcode.LIF_STEP:
            units = n - 1
            parameters = z in (PARAMETERS, PARAMETERS * CHUNK * max(1, -(-units // CHUNK)))
            return units >= 0 and x == y == units and parameters and max(p0, p1) + units <= line.states and p2 < 4
        case Opcode.SPREAD:
            return x == n + 1
        case Opcode.BOLTZMANN:
            return p0 >= 1 and n % p0 == 0 and x == n and y in (1, n)
        case Opcode.NORMAL | Opcode.UNIFORM:
            return p0 < COUNTER and p1 < COUNTER
        case Opcode.TICK:
            return n == 1
        case Opcode.PAIRS:
            settings = 2 + p1 * p4 + 2 * p5
            whole = (n, x, y) == (p0 * p1 + 2, p0 * p1, p0 + 2) and p0 >= 1 and p1 >= 1
            return whole and p2 < 8 and p4 <= 1 and (p2 % 4 != 3 or p5 >= 2) and p3 + settings <= line.floats
        case Opcode.GIBBS | Opcode.GIBBS_WORDS:
            if (
                not _sweeps(line)
                or ((p3 & ~BY_SWEEP) >= WORDS) != (line.opcode == Opcode.GIBBS_WORDS)
                or not _form(p3, p1, n)
            ):
                return False
            order, rows = p0 + p1 + 1, p0 + p1 + 1 + n
            if not inside(p0, p1 + 1, 0, n + 1) or not inside(order, n, 0, n) or not inside(rows, n + 1, 0, table.size):
                return False
            if any((np.diff(table[at : at + count]) < 0).any() for at, count in ((p0, p1 + 1), (rows, n + 1))):
                return False
            entries = int(table[rows + n])
            return inside(rows + n + 1, entries, 0, n) and p5 + entries <= line.floats
        case Opcode.GIBBS_LAYERS:
            starts = table[p0 : p0 + p1 + 1]
            if not _sweeps(line) or p3 & ~(SPINS | BY_SWEEP) or not inside(p0, p1 + 1 + n, 0, n + 1) or not len(starts):
                return False
            if (np.diff(starts) < 0).any() or (starts[0], starts[-1]) != (0, n) or not inside(p0 + p1 + 1, n, 0, n):
                return False
            return p5 + sum(rows * columns for rows, columns in shapes(starts)) <= line.floats
        case op if op > Opcode.WRITE_LIST:
            return _loihi(line, table)
    return True


def _loihi(line: _Line, table: NDArray[np.int64]) -> bool:
    """The same for rows on Loihi's integers. What shifts a number or divides one must be in range too."""
    n, x, y, z, (p0, p1, p2, p3, p4, p5), kept = line.n, line.x, line.y, line.z, line.p, line.kept

    def inside(start: int, count: int, least: int, below: int) -> bool:
        part = table[start : start + count]
        return start + count <= table.size and (count == 0 or (least <= part.min() and part.max() < below))

    match line.opcode:
        case Opcode.LOIHI_ENCODE:
            return x == n and 0 < p0 < 2**63 and p1 < 2**31
        case Opcode.LOIHI_DECODE | Opcode.LOIHI_SPREAD as op:
            return x == n + (op == Opcode.LOIHI_SPREAD)
        case Opcode.LOIHI_ARRIVE:
            return p1 >= 1 and p0 + p1 * n <= kept
        case Opcode.LOIHI_SYNAPSE | Opcode.LOIHI_SYNAPSE_LIST | Opcode.LOIHI_MATRIX as op:
            units = x - (op == Opcode.LOIHI_SYNAPSE_LIST or p5 & 2 > 0)
            room = p1 >= 1 and p0 + p1 * p2 <= kept and n == (p1 * p2 if p5 >> 2 else 0) and p5 >> 2 < 32 and units >= 0
            if not room or op == Opcode.LOIHI_MATRIX:
                return room and p1 == 1 and y == units * p2
            starts = table[p3 : p3 + units + 1]
            if p5 & 2 or not inside(p3, units + 1, 0, table.size) or (np.diff(starts) < 0).any():
                return False
            targets = table[p4 : p4 + 2 * int(starts[-1]) : 2]
            whole = p4 + 2 * int(starts[-1]) <= table.size
            return whole and (targets.size == 0 or 0 <= targets.min() <= targets.max() < p1 * p2)
        case Opcode.LOIHI_CONV:
            if not inside(p1, synapses.SIZES, 0, 2**31) or p2 >= 2 * 32 or p0 + n > kept:
                return False
            sizes = [int(size) for size in table[p1 : p1 + synapses.SIZES]]
            channels, height, width, out, rows, columns, tall, wide, sy, sx, _, _, dy, dx, groups = sizes
            if min(channels, height, width, out, tall, wide, sy, sx, dy, dx, groups) < 1:
                return False
            if channels % groups or out % groups or x != channels * height * width or n != out * rows * columns:
                return False
            return y == channels * tall * wide * (out // groups)
        case Opcode.LOIHI_LIF:
            units = n - 1
            decays = p2 <= 4095 and p3 <= 4096 and p4 < 2**31
            return units >= 0 and x == units and y in (1, units) and max(p0, p1) + units <= kept and decays
        case Opcode.LOIHI_TOTAL:
            return x == y == n and z in (-1, n)
        case Opcode.LOIHI_GRADED:
            return x == n and y in (1, n) and p1 < 32 and p2 <= 1
        case Opcode.LOIHI_LOOKUP:
            return x == n and y in (1, n) and z >= 1 and p0 < 32
        case Opcode.LOIHI_SIGMA:
            return x == n and p0 + n <= kept
        case Opcode.LOIHI_DELTA:
            return x == n and y in (1, n) and p4 < 8 and max(p2, p3) < 32 and p0 + (4 if p4 & 4 else 3) * n <= kept
        case Opcode.LOIHI_FERMI_DIRAC:
            whole = x == n and y in (1, n) and z == 2 * n and p0 + n <= kept
            return whole and min(p1, p2) >= 1 and max(p1, p2) < COUNTER and p4 < COUNTER
        case Opcode.LOIHI_CATEGORICAL:
            return x == n and y in (1, n) and z in (1, n) and p0 >= 1 and n % p0 == 0 and p2 < COUNTER
        case Opcode.LOIHI_MEMORY:
            return y in (1, x) and p0 + x <= kept and p2 <= 4096 and p4 < COUNTER
        case Opcode.LOIHI_HEAT:
            return y in (1, x) and p0 + x <= kept and p1 <= 4096 and 1 <= p3 < 2**24
    return False


def _sweeps(line: _Line) -> bool:
    """True where the operands and numbers of sweeps over n units agree."""
    n, (_, _, sweeps, form, stream, _) = line.n, line.p
    sizes = (
        line.x == n and line.y in (1, n) and line.z in ((1, sweeps) if form & BY_SWEEP else (1, sweeps, n, sweeps * n))
    )
    return sizes and n >= 1 and 1 <= sweeps < COUNTER and stream < COUNTER


def _form(form: int, classes: int, n: int) -> bool:
    """True for a form that exists; a lattice has two classes and a side that words fill."""
    side = isqrt(n)
    form &= ~(SPINS | BY_SWEEP)
    if form & LATTICE:
        return form == LATTICE | WORDS and classes == 2 and side * side == n and side % 128 == 0
    return form in (0, AT_ONCE, WORDS, REPLICAS)


def _face(line: _Line) -> tuple[Opcode, int, int, int]:
    """Return where a row meets the outside: (opcode, offset, elements, ticks of the ring)."""
    return line.opcode, line.p[0], max(line.n, line.x), line.p[1] if line.opcode >= Opcode.READ else 1


def _faces(program: Program, ports: Sequence[Port], name: str):
    widths = {kind: sum(port.size for port in ports if port.integer == kind) for kind in (False, True)}
    if len({port.name for port in ports}) != len(ports):
        raise ValueError(f"two of its {name.lower()}s have one name")
    for port in ports:
        _check_face(program, port, widths[port.integer])
        yield Opcode[f"INT_{name}" if port.integer else name], port.offset, port.size, 1


def _rings(program: Program):
    widths = {kind: sum(state.size for state in program.states if state.integer == kind) for kind in (False, True)}
    for state in program.states:
        _check_face(program, state, widths[state.integer])
        if state.ticks < 1 or state.initial.shape != (state.ticks, *state.shape) or state.initial.dtype != state.dtype:
            raise ValueError(f"state {state.name!r} does not start as it is described")
        if state.form in ("place", "sums"):
            continue
        for name in ("READ", "WRITE"):
            opcode = Opcode[f"{name}_LIST" if state.form == "lists" else f"INT_{name}" if state.integer else name]
            yield opcode, state.offset, state.width, state.ticks


def _check_face(program: Program, face: Port | State, width: int) -> None:
    kinds = (program.precision, "int64", "int32", "bool")
    if face.dtype not in kinds or not all(type(n) is int and n >= 0 for n in (*face.shape, face.offset)):
        raise ValueError(f"{face.name!r} has an unknown dtype or shape")
    if face.offset + face.size > width:
        raise ValueError(f"{face.name!r} lies outside")
