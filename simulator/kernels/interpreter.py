"""The loop over blocks of samples, ticks and rows. What a row does is a function of its own, called by its address."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from thermoc.simulator.kernels.operands import FrameNumber, call, stopped


def run_lines(lines, frame, halt, first, last, block, from_tick, to_tick, from_line, to_line):
    """Run some lines in some ticks for the samples from ``first`` to ``last``, ``block`` at a time.

    The frame tells the lines where the loop is; it ends early once ``halt`` is set.
    """
    for start in range(first, last, block):
        frame[FrameNumber.START], frame[FrameNumber.SAMPLES] = start, min(block, last - start)
        for tick in range(from_tick, to_tick):
            # rows read where they are from the frame: a call by address hands over two pointers, whatever the row
            # needs
            frame[FrameNumber.TICK] = tick
            if stopped(halt):
                return
            for number in range(from_line, to_line):
                call(lines, number, frame)
