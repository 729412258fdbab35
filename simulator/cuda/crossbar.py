"""Crossbars with wire resistance on a GPU: conjugate gradients as in ``kernels.crossbar.wires``, a block an input.

A thread takes a word line or a bit line. Sums over lines run in their order, not in the CPU's tree of vectors, so
that potentials agree to the tolerance of the solution and not to the bit.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.cuda.compiler import Kernel
from thermoc.simulator.cuda.gpu import device as found
from thermoc.simulator.kernels.crossbar import lines
from thermoc.simulator.kernels.crossbar.lines import LineCells

SCRATCH = 5
"""Arrays of the size of the cells that a block works in."""
TEXT = """
def run(G, word, bit, V, w, b, room, sums, counts, reals, numbers):
    inputs, m, n, most = numbers[0], numbers[1], numbers[2], numbers[3]
    cells, size, block = LineCells(G, word, bit, reals[0], reals[1], m, n), m * n, cuda.blockIdx.x
    at = {scratch} * block * size
    x, p, q = room[at : at + size], room[at + size : at + 2 * size], room[at + 2 * size : at + 3 * size]
    F, z = room[at + 3 * size : at + 4 * size], room[at + 4 * size : at + 5 * size]
    part = sums[block * 2 * (m + n) : (block + 1) * 2 * (m + n)]
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    for k in range(block, inputs, cuda.gridDim.x):
        words, bits, sources = w[k * size : (k + 1) * size], b[k * size : (k + 1) * size], V[k * m : (k + 1) * m]
        for place in range(thread, size, threads):
            x[place], p[place], q[place] = bits[place], 0.0, 0.0
        for i in range(thread, m, threads):
            solve_word_line(cells, i, sources[i], bits, words)
        cuda.syncthreads()
        for j in range(thread, n, threads):
            solve_bit_line(cells, j, words, 1.0, F, x)
        cuda.syncthreads()
        for i in range(thread, m, threads):
            part[i] = solve_word_line(cells, i, 0.0, x, z)
        cuda.syncthreads()
        residual = 0.0
        for i in range(m):
            residual += part[i]
        goal, beta, count = reals[2 + k], 0.0, 0
        while residual > goal and count < most:
            count += 1
            for j in range(thread, n, threads):
                part[m + j], part[m + n + j] = search(cells, j, x, z, beta, p, q, F)
            cuda.syncthreads()
            squares, passed = 0.0, 0.0
            for j in range(n):
                squares += part[m + j]
                passed += part[m + n + j]
            alpha, old, residual = residual / (squares - cells.r_bit * passed), residual, 0.0
            for j in range(thread, n, threads):
                move(cells, j, alpha, F, q, x, bits)
            cuda.syncthreads()
            for i in range(thread, m, threads):
                part[i] = solve_word_line(cells, i, 0.0, x, z)
            cuda.syncthreads()
            for i in range(m):
                residual += part[i]
            beta = residual / old
        for i in range(thread, m, threads):
            solve_word_line(cells, i, sources[i], bits, words)
        cuda.syncthreads()
        for j in range(thread, n, threads):
            solve_bit_line(cells, j, words, 0.0, F, bits)
        if thread == 0:
            counts[k] = count if residual <= goal else -1
        cuda.syncthreads()
"""


@cache
def kernel() -> Kernel:
    """Return the kernel of all inputs."""
    names = {name: getattr(lines, name) for name in ("solve_word_line", "solve_bit_line", "search", "move")}
    kinds = ("float64",) * 8 + ("int64", "float64", "int64")
    text, title = TEXT.format(scratch=SCRATCH), "crossbars with wires on the GPU"
    return Kernel(
        text=text,
        names=names | {"LineCells": LineCells},
        arrays=kinds,
        title=title,
        seconds=2.0,
        modules=(lines.__name__,),
    )


def potentials(cells: LineCells, V: NDArray, b: NDArray, goals: NDArray, most: int) -> tuple[NDArray, NDArray, NDArray]:
    """Return word and bit potentials (k, m, n), volts, and iterations (k,), -1 where there were more than ``most``.

    V: (k, m) volts of the sources. b: (k, m, n) a guess of the bit lines. goals: (k,) the power, in watts, that a
    residual may have. Errors: T408, T421.
    """
    device, (inputs, m), n = found(), V.shape, cells.n
    blocks, size = max(1, min(inputs, device.resident(kernel()))), m * n
    uploaded = [device.upload(np.ascontiguousarray(array).reshape(-1)) for array in (*cells[:3], V)]
    w, bits = device.empty(inputs * size, np.dtype(float)), device.upload(np.ascontiguousarray(b).reshape(-1))
    scratch = (
        device.empty(SCRATCH * blocks * size, np.dtype(float)),
        device.empty(2 * blocks * (m + n), np.dtype(float)),
    )
    counts = device.upload(np.zeros(inputs, np.int64))
    reals = device.upload(np.concatenate([[cells.r_word, cells.r_bit], goals]))
    numbers = device.upload(np.array([inputs, m, n, most], np.int64))
    device.launch(kernel(), blocks, [*uploaded, w, bits, *scratch, counts, reals, numbers])
    words, bit_lines = (device.read(memory).reshape(inputs, m, n) for memory in (w, bits))
    return words, bit_lines, device.read(counts)
