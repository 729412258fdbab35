"""What a row of a program reads and writes, as arrays: the words of its line, and of the frame that all rows share.

A line is a row with its slots looked up: the address of the function that runs it, the opcode, for the result and each
operand (address, elements from one block of samples to the next, elements from sample to sample, elements of a sample,
elements up to the end of its array), then the parameters. Absent operands have the address 0. The frame holds address
and size of each bank and the numbers of ``FrameNumber``. Both are 64-bit integers; the types of their pointers say
what they lead to: ``line`` points to the type of the tables, ``frame`` to that of the floats.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from thermoc.simulator.instructions.declaration import OPERANDS, PARAMETERS

RESULT, X, Y, Z = range(1 + OPERANDS)
FUNCTION, OPCODE, SLOTS = 0, 1, 2
SLOT_WORDS = 5
"""Of a slot: address, step of a block, stride of a sample, elements, elements to the end."""
NUMBERS = SLOTS + SLOT_WORDS * (1 + OPERANDS)
LINE = NUMBERS + PARAMETERS
"""Words of a line."""
_WORD = ir.IntType(64)


class RowOperand(NamedTuple):
    """A slot: its elements from the block's first sample on, those from sample to sample (0: shared), those of one.

    given: False for an operand that is absent.
    """

    array: Any
    stride: int
    size: int
    given: bool


class NoisePosition(NamedTuple):
    """Where noise is drawn: the number of the block's first sample, the tick, the seed."""

    sample: int
    tick: int
    key: Any


class LoopPosition(NamedTuple):
    """Where the loop is: first sample and tick of the run; ticks and batch of the run; whether inputs change."""

    start: int
    tick: int
    ticks: int
    batch: int
    timed: int


class FrameArray(IntEnum):
    """The arrays of a frame: the banks of a program in their order, then inputs, outputs, tables, scratch memory."""

    FLOAT_CONSTANT = 0
    INT_CONSTANT = 1
    FLOAT_WORK = 2
    INT_WORK = 3
    FLOAT_STATE = 4
    INT_STATE = 5
    FLOAT_INPUT = 6
    INT_INPUT = 7
    FLOAT_OUTPUT = 8
    INT_OUTPUT = 9
    TABLE = 10
    FLOAT_SCRATCH = 11
    INT_SCRATCH = 12
    HALT = 13


class FrameNumber(IntEnum):
    """The numbers of a frame. START, SAMPLES and TICK: where the loop is; TICKS and BATCH: of the run; TIMED: whether
    inputs change; STATES to INT_INPUTS: elements of a sample; KEY, SAMPLE0 and TICK0 place the noise; BEGUN: the ticks
    that the states have behind them; FIRST to TO_LINE: which samples run, how many at a time, in which ticks and lines.
    """

    START = 28
    SAMPLES = 29
    TICK = 30
    TICKS = 31
    BATCH = 32
    TIMED = 33
    STATES = 34
    INT_STATES = 35
    INPUTS = 36
    INT_INPUTS = 37
    KEY = 38
    SAMPLE0 = 39
    TICK0 = 40
    BEGUN = 41
    FIRST = 42
    LAST = 43
    BLOCK = 44
    FROM_TICK = 45
    TO_TICK = 46
    FROM_LINE = 47
    TO_LINE = 48


def _load(builder, pointer, index):
    words = builder.bitcast(pointer, _WORD.as_pointer())
    return builder.load(builder.gep(words, [index]))


def _constant(number):
    return ir.Constant(_WORD, int(number))


def _array(context, builder, kind, address, size):
    """Return an array (size,) at an address, without an owner: the engine keeps it for as long as it is used."""
    array = context.make_array(kind)(context, builder)
    width = _constant(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    data = builder.inttoptr(address, context.get_data_type(kind.dtype).as_pointer())
    # without an owner an array costs no reference count, which inner loops would pay thousands of times
    populate_array(array, data=data, shape=[size], strides=[width], itemsize=width, meminfo=None)
    return array._getvalue()


def _operand(kind):
    """Return the code of an ``RowOperand`` of a line."""

    def codegen(context, builder, signature, args):
        line, frame, slot = args
        first = builder.add(builder.mul(slot, _constant(SLOT_WORDS)), _constant(SLOTS))
        address, step, stride, n, size = (
            _load(builder, line, builder.add(first, _constant(word))) for word in range(SLOT_WORDS)
        )
        present = builder.icmp_signed("!=", address, _constant(0))
        offset = builder.mul(_load(builder, frame, _constant(FrameNumber.START)), step)
        width = _constant(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        address = builder.add(address, builder.mul(offset, width))
        array = _array(context, builder, kind, address, builder.sub(size, offset))
        return context.make_tuple(builder, signature.return_type, [array, stride, n, present])

    return codegen


def _operand_type(dtype):
    # contiguous by its type: loops over an array of any stride would not vectorise
    kind = types.Array(dtype, 1, "C")
    return kind, types.NamedTuple((kind, types.intp, types.intp, types.boolean), RowOperand)


@intrinsic
def floats(typingctx, line, frame, slot):
    """Return a slot of floats."""
    kind, operand = _operand_type(frame.dtype)
    return operand(line, frame, types.intp), _operand(kind)


@intrinsic
def integers(typingctx, line, frame, slot):
    """Return a slot of integers."""
    kind, operand = _operand_type(types.int64)
    return operand(line, frame, types.intp), _operand(kind)


def _sample(typingctx, operand, s):
    """Return the elements of one sample of an operand."""
    kind = operand.types[0]

    def codegen(context, builder, signature, args):
        array, stride, n = (builder.extract_value(args[0], k) for k in range(3))
        data = context.make_array(kind)(context, builder, array).data
        # a slice would clamp its ends, which takes longer to compile and to run
        first = builder.gep(data, [builder.mul(args[1], stride)])
        return _array(context, builder, kind, builder.ptrtoint(first, _WORD), n)

    return kind(operand, types.intp), codegen


sample: Any = intrinsic(_sample)
"""``sample(operand, s)``: the elements of one sample of an operand."""


def _samples(dtype, frame):
    """Return type and code of an array of the frame that holds so many elements a sample, from the block's on."""
    kind, operand = _operand_type(dtype)

    def codegen(context, builder, signature, args):
        first = builder.mul(args[1], _constant(2))
        address, size = _load(builder, args[0], first), _load(builder, args[0], builder.add(first, _constant(1)))
        elements = _load(builder, args[0], args[2])
        offset = builder.mul(_load(builder, args[0], _constant(FrameNumber.START)), elements)
        width = _constant(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        address = builder.add(address, builder.mul(offset, width))
        array = _array(context, builder, kind, address, builder.sub(size, offset))
        return context.make_tuple(
            builder, signature.return_type, [array, elements, elements, ir.Constant(ir.IntType(1), 1)]
        )

    return operand(frame, types.intp, types.intp), codegen


@intrinsic
def float_samples(typingctx, frame, number, elements):
    """Return the floats of all samples, of which a number of the frame says how many a sample has."""
    return _samples(frame.dtype, frame)


@intrinsic
def int_samples(typingctx, frame, number, elements):
    """Return the integers of all samples, of which a number of the frame says how many a sample has."""
    return _samples(types.int64, frame)


def _bank(dtype, pointer):
    kind = types.Array(dtype, 1, "C")

    def codegen(context, builder, signature, args):
        first = builder.mul(args[1], _constant(2))
        address, size = _load(builder, args[0], first), _load(builder, args[0], builder.add(first, _constant(1)))
        return _array(context, builder, kind, address, size)

    return kind(pointer, types.intp), codegen


@intrinsic
def float_array(typingctx, frame, number):
    """Return an array of the frame that holds floats."""
    return _bank(frame.dtype, frame)


@intrinsic
def int_array(typingctx, frame, number):
    """Return an array of the frame that holds integers."""
    return _bank(types.int64, frame)


@intrinsic
def tables(typingctx, line, frame):
    """Return the tables of the program."""
    kind = types.Array(line.dtype, 1, "C")

    def codegen(context, builder, signature, args):
        address, size = (_load(builder, args[1], _constant(2 * FrameArray.TABLE + k)) for k in range(2))
        return _array(context, builder, kind, address, size)

    return kind(line, frame), codegen


@intrinsic
def word(typingctx, pointer, place):
    """Return a word of a line or of a frame."""

    def codegen(context, builder, signature, args):
        return _load(builder, *args)

    return types.int64(pointer, types.intp), codegen


@intrinsic
def put(typingctx, pointer, place, value):
    """Set a word of a frame."""

    def codegen(context, builder, signature, args):
        words = builder.bitcast(args[0], _WORD.as_pointer())
        builder.store(args[2], builder.gep(words, [args[1]]))
        return context.get_dummy_value()

    return types.void(pointer, types.intp, types.int64), codegen


@intrinsic
def call(typingctx, lines, number, frame):
    """Run a line: call the function whose address it begins with, by (line, frame)."""

    def codegen(context, builder, signature, args):
        lines, number, frame = args
        line = builder.gep(builder.bitcast(lines, _WORD.as_pointer()), [builder.mul(number, _constant(LINE))])
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, pointer])
        function = builder.inttoptr(builder.load(line), kind.as_pointer())
        builder.call(function, [builder.bitcast(line, pointer), builder.bitcast(frame, pointer)])
        return context.get_dummy_value()

    return types.void(lines, types.intp, frame), codegen


@intrinsic
def stopped(typingctx, halt):
    """Return whether the run has been asked to stop: the one element of an array, read anew each time."""

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        # a plain load could be moved out of the loop that waits for the flag
        return builder.icmp_signed("!=", builder.load_atomic(data, "monotonic", 8), _constant(0))

    return types.boolean(halt), codegen
