"""Currents, potentials and heat of a crossbar whose wires have resistance.

Word line i runs from its source through r_word to each of its cells in turn; bit line j from cell to cell through
r_bit and through one more to ground. A cell joins word line i to bit line j.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import numbers
from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.crossbar import joule, wires
from thermoc.support.errors import ThermocError, error

TOLERANCE = 1e-12
"""Of potentials, in the norm of the power: what is left over against what the cells take without bit lines."""
MOST_ITERATIONS = 5000
TO_ROUNDING = 1e-17
"""For the transfer matrix: the remainder of the recursion falls below rounding, and what is left is rounding."""
UNITS = 16
"""Unit inputs that a thread solves in a row."""
MOST_KEPT = 1 << 23
"""Floats of an array to work in that is kept for later solutions."""
_T = TypeVar("_T")
_rooms: list[NDArray] = []

_ladders = keep(njit(wires.ladders.py_func, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"}))
_responses = keep(njit(wires.responses.py_func, error_model="numpy", nogil=True))
_heats = keep(njit(joule.heats.py_func, error_model="numpy", nogil=True, fastmath={"contract"}))
_potentials = keep(njit(wires.potentials.py_func, error_model="numpy", nogil=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """Of k inputs: potentials of word and bit lines at each cell, volts (k, m, n), and what follows from them."""

    V: NDArray
    word: NDArray
    bit: NDArray
    G: NDArray
    r_word: float
    r_bit: float
    iterations: tuple[int, ...] = ()

    @cached_property
    def cell_currents(self) -> NDArray:
        """Amperes through each cell, (k, m, n)."""
        return self.G * (self.word - self.bit)

    @cached_property
    def currents(self) -> NDArray:
        """Amperes out of each bit line, (k, n)."""
        return self.cell_currents.sum(axis=1)

    @property
    def cell_power(self) -> NDArray:
        """Watts of Joule heat in each cell, (k, m, n)."""
        return self._heat[0]

    @property
    def word_power(self) -> NDArray:
        """Watts in the wire before each cell of a word line, (k, m, n)."""
        return self._heat[1]

    @property
    def bit_power(self) -> NDArray:
        """Watts in the wire after each cell of a bit line, (k, m, n)."""
        return self._heat[2]

    @cached_property
    def _heat(self) -> NDArray:
        watts = np.empty((3, *self.word.shape))
        lines, ohms = (self.word, self.bit), (float(self.r_word), float(self.r_bit))

        def one(index: int) -> None:
            word, bit = (np.ascontiguousarray(line[index]) for line in lines)
            _heats(self.G, word, bit, *ohms, *watts[:, index])

        _spread(one, range(len(self.word)), os.cpu_count() or 1)
        return watts

    @cached_property
    def source_power(self) -> NDArray:
        """Watts that the sources of each input give, (k,)."""
        return (self.V * self.cell_currents.sum(axis=2)).sum(axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Circuit:
    """LineCells G (m, n) in siemens, and wires in ohms; 0 ohms is an ideal wire.

    processor: "cpu" or "cuda", where it is solved; both agree to the tolerance. Errors: T303, T405.
    """

    G: NDArray
    r_word: float = 0.0
    r_bit: float = 0.0
    processor: str = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "G", np.ascontiguousarray(numbers("a conductance", self.G, code="T405")))
        if self.processor not in ("cpu", "cuda"):
            raise error("T303", "a crossbar is solved on cpu or cuda", notes=[f"processor = {self.processor!r}"])
        if self.G.ndim != 2 or not self.G.size or not np.isfinite(self.G).all() or (self.G < 0).any():
            raise error("T405", "conductances must be a matrix of finite numbers >= 0", notes=[_told(self.G)])
        for name, r in (("r_word", self.r_word), ("r_bit", self.r_bit)):
            ohms = numbers(name, r, code="T405")
            if ohms.ndim or not (np.isfinite(ohms) and ohms >= 0):
                raise error("T405", f"{name} must be a resistance >= 0", notes=[f"it is {r} ohm"])

    @cached_property
    def transfer(self) -> NDArray:
        """K (n, m) in siemens with currents = K V: made once, it turns every later input into a plain product.

        A column is the solution for a unit input, or a row where there are fewer bit lines than word lines: turned
        upside down, the same cells and wires have the transposed map.
        """
        m, n = self.G.shape
        if self.r_word == 0 and self.r_bit == 0:
            # ideal wires need no ladder: the map is the conductances themselves, exactly
            return np.ascontiguousarray(self.G.T)
        if n < m:
            turned = Circuit(G=self.G[::-1, ::-1].T, r_word=self.r_bit, r_bit=self.r_word, processor=self.processor)
            return np.ascontiguousarray(turned.transfer[::-1, ::-1].T)
        if self.processor == "cuda":
            return self._responses_on_gpu()
        K, lines, ohms = np.empty((n, m)), self._lines, (float(self.r_word), float(self.r_bit))

        def some(first: int) -> bool:
            last, limits = min(first + UNITS, m), (TO_ROUNDING, MOST_ITERATIONS)
            with self._room() as scratch:
                return _responses(*lines, *ohms, self._sizes, first, last, K, *limits, scratch)

        if not all(_spread(some, range(0, m, UNITS), os.cpu_count() or 1)):
            # a unit input that does not converge would be a wrong column of the map, seen by no later product
            raise _diverged("a unit input", TO_ROUNDING)
        return K

    def currents(self, V: ArrayLike) -> NDArray:
        """Return the currents (k, n) or (n,) of inputs V (k, m) or (m,), by ``transfer``. Errors: T402."""
        inputs = self._inputs(V)
        currents = inputs @ self.transfer.T
        return currents if np.ndim(V) == 2 else currents[0]

    def solve(
        self, V: ArrayLike, *, near: Solution | None = None, tolerance: float = TOLERANCE, threads: int | None = None
    ) -> Solution:
        """Return the potentials for inputs V (k, m) or (m,), volts, by conjugate gradients.

        near: a solution for about these cells and as many inputs, to start from. threads: at most so many work on
        several inputs, default one a core. Errors: T402, T412.
        """
        inputs = self._inputs(V)
        (k, m), n = inputs.shape, self.G.shape[1]
        if self.processor == "cuda":
            start = near.bit if near is not None and near.bit.shape == (k, m, n) else np.zeros((k, m, n))
            word, bit, counts = self._on_gpu(inputs, start, tolerance)
            return self._solution(inputs, word, bit, counts)
        lines, ohms = self._lines, (float(self.r_word), float(self.r_bit))
        shape = lines[0].shape
        # rows are padded to whole vectors; padded ones have neither source nor cells
        sources = np.zeros((k, shape[0]))
        sources[:, :m] = inputs
        word, bit = np.zeros((2, k, *shape))  # in one piece: two are given back to the system each time
        if near is not None and near.bit.shape == (k, m, n):
            # only the bit lines are iterated on, word lines follow: so only they have a start
            bit[:, :m, :n] = near.bit

        def one(index: int) -> int:
            operands = sources[index], word[index], bit[index], self._sizes
            with self._room() as scratch:
                return _potentials(*lines, *ohms, *operands, tolerance, MOST_ITERATIONS, scratch)

        counts = _spread(one, range(k), threads or os.cpu_count() or 1)
        if min(counts) < 0:
            raise _diverged(f"input {counts.index(-1)}", tolerance)
        return self._solution(inputs, word[:, :m, :n], bit[:, :m, :n], counts)

    def _solution(self, V: NDArray, word: NDArray, bit: NDArray, counts: Sequence[int]) -> Solution:
        wires = {"r_word": self.r_word, "r_bit": self.r_bit}
        return Solution(V=V, word=word, bit=bit, G=self.G, iterations=tuple(counts), **wires)

    def _on_gpu(self, V: NDArray, b: NDArray, tolerance: float) -> tuple[NDArray, NDArray, list[int]]:
        """Return word and bit potentials (k, m, n), and iterations, from a guess b of the bit lines. Errors: T412."""
        from thermoc.simulator.cuda.crossbar import potentials
        from thermoc.simulator.kernels.crossbar.lines import LineCells

        (m, n), (_, word, bit, taken) = self.G.shape, self._lines
        # eight word lines lie side by side
        shares = np.moveaxis(word, 1, 2).reshape(-1, word.shape[1])[:m, :n]
        cells = LineCells(self.G, shares, bit[:m, :n], float(self.r_word), float(self.r_bit), m, n)
        goals = tolerance * tolerance * (V * V @ taken[:m])
        words, bits, counts = potentials(cells, V, b, goals, MOST_ITERATIONS)
        if counts.min() < 0:
            raise _diverged(f"input {counts.argmin()}", tolerance)
        return words, bits, counts.tolist()

    def _responses_on_gpu(self) -> NDArray:
        """Return ``transfer``, some unit inputs at a time. Errors: T412."""
        m, n = self.G.shape
        K, some = np.empty((n, m)), max(1, MOST_KEPT // (m * n))
        for first in range(0, m, some):
            units = np.eye(m)[first : first + some]
            word, bit, _ = self._on_gpu(units, np.zeros((len(units), m, n)), TO_ROUNDING)
            K[:, first : first + some] = (self.G * (word - bit)).sum(axis=1).T
        return K

    @cached_property
    def _lines(self) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Padded cells, and what ``wires.ladders`` makes of them."""
        m, n = self.G.shape
        # the kernels take eight word lines side by side, and rows of whole vectors
        rows, width = -(-m // wires.LANES) * wires.LANES, wires.leading(n)
        (cells, word, bit), powers = np.zeros((3, rows, width)), np.zeros(rows)
        cells[:m, :n] = self.G
        word = word.reshape(-1, width, wires.LANES)
        _ladders(cells, float(self.r_word), float(self.r_bit), m, n, word, bit, powers)
        return cells, word, bit, powers

    @property
    def _sizes(self) -> tuple[int, int]:
        m, n = self.G.shape
        return m, -(-n // wires.LANES) * wires.LANES

    @contextmanager
    def _room(self) -> Iterator[NDArray]:
        """Lend arrays to work in, which later solutions use again: new ones take the system about as long as one."""
        shape = wires.SCRATCH, *self._lines[0].shape
        size = math.prod(shape)
        try:
            # pop and append of a list are atomic: threads lend and return arrays without a lock
            scratch = _rooms.pop()
        except IndexError:
            scratch = np.empty(size)
        scratch = scratch if scratch.size >= size else np.empty(size)
        yield scratch[:size].reshape(shape)
        # one very large array would stay with the process for good
        if scratch.size <= MOST_KEPT:
            _rooms.append(scratch)

    def _inputs(self, V: ArrayLike) -> NDArray:
        inputs = np.ascontiguousarray(np.atleast_2d(numbers("an input of a crossbar", V, code="T402")))
        if inputs.ndim != 2 or inputs.shape[1] != self.G.shape[0] or not np.isfinite(inputs).all():
            notes = [f"V has shape {list(np.shape(V))}", f"there are {self.G.shape[0]} word lines"]
            raise error("T402", "inputs of a crossbar must be one finite voltage for each word line", notes=notes)
        return inputs


def transfer(G: NDArray, r_word: float, r_bit: float) -> NDArray:
    """Return K (n, m) of cells G (m, n), as ``thermoc.physics.crossbar.transfer`` does, and faster."""
    return Circuit(G=G, r_word=r_word, r_bit=r_bit).transfer


def _spread(work: Callable[[int], _T], items: Sequence[int], threads: int) -> list[_T]:
    """Return what the work makes of each item, on as many threads as there are items, at most; kernels hold no lock."""
    if min(threads, len(items)) <= 1:
        # one item: a pool of threads costs more than it brings
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        return list(pool.map(work, items))


def _diverged(what: str, tolerance: float) -> ThermocError:
    notes = [f"{what}, after {MOST_ITERATIONS} iterations, to a tolerance of {tolerance:g}"]
    return error("T412", "the potentials of a crossbar do not converge", notes=notes)


def _told(G: NDArray) -> str:
    if G.ndim != 2 or not G.size:
        return f"they have shape {list(G.shape)}"
    i, j = np.argwhere(~(np.isfinite(G) & (G >= 0)))[0].tolist()
    return f"cell ({i}, {j}) has {G[i, j]} S"
