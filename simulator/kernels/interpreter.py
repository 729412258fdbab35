"""The loop over blocks of samples, ticks and rows. What a row does is a function of its own, called by its address."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from thermoc.simulator.kernels.operands import FrameArray, FrameNumber, call, int_array, put, stopped, word


def run_lines(lines, frame):
    """Run some lines in some ticks for some samples, a block at a time; the frame says which.

    It also tells the lines where the loop is, which ends early once ``HALT`` is set.
    """
    halt, block, last = int_array(frame, FrameArray.HALT), word(frame, FrameNumber.BLOCK), word(frame, FrameNumber.LAST)
    from_line, to_line = word(frame, FrameNumber.FROM_LINE), word(frame, FrameNumber.TO_LINE)
    for start in range(word(frame, FrameNumber.FIRST), last, block):
        put(frame, FrameNumber.START, start)
        put(frame, FrameNumber.SAMPLES, min(block, last - start))
        for tick in range(word(frame, FrameNumber.FROM_TICK), word(frame, FrameNumber.TO_TICK)):
            # rows read where they are from the frame: a call by address hands over two pointers, whatever the row
            # needs
            put(frame, FrameNumber.TICK, tick)
            if stopped(halt):
                return
            for number in range(from_line, to_line):
                call(lines, number, frame)
