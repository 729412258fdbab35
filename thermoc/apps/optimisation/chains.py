"""An Ising model laid out for the kernels that sweep long chains: colour by colour, whole numbers where there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.colouring import colouring
from thermoc.physics.ising_model import IsingModel
from thermoc.simulator.kernels.annealing.byte_lanes import BLOCK
from thermoc.simulator.kernels.annealing.chain import Couplings, SpinChains
from thermoc.simulator.kernels.annealing.colours import least_free_colours
from thermoc.simulator.thread_pool import spread
from thermoc.support.array_types import AnyArray, FloatArray, IntArray

BYTE = 126
"""The greatest field that a byte holds: 127 stands for a limit that none reaches."""
DENSE = 1024
"""Blocks of one colour are given up where so many places, and three times those that are needed, would stand empty."""
FACTORS = (1, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A model by place: spins of a colour side by side, each colour filled up to blocks of 64 places.

    place (n,): where each spin stands. h: fields by place. scale: couplings and fields are those of the model times
    this; fields of chains are bytes if ``greatest`` (of |f|) fits one and all are whole numbers, else float64.
    """

    model: IsingModel
    place: IntArray
    couplings: Couplings
    h: AnyArray
    scale: float
    greatest: float
    whole_numbers: bool

    @property
    def places(self) -> int:
        """Return how many places there are, a multiple of 64."""
        return len(self.h)

    @cached_property
    def by_place(self) -> Any:
        """The couplings J of the kernels as a SciPy matrix over places."""
        from scipy.sparse import csr_array

        offsets, columns = self.couplings.offsets.astype(np.int64), self.couplings.columns.astype(np.int64)
        return csr_array((self.couplings.doubled / 2.0, columns, offsets), shape=(self.places, self.places))

    def energies(self, chains: SpinChains) -> FloatArray:
        """Return the lowest energy (m,) of each chain, in the units of the model."""
        return chains.energies[:, 1] / self.scale + self.model.offset


def lay_out(model: IsingModel) -> Layout:
    """Return the layout of a model; of one whose colours are many and small, spins stand in their own order."""
    colors = colouring(np.asarray(model.J.indptr), np.asarray(model.J.indices), least_free_colours)
    position, places = _places(colors)
    dense = places <= max(DENSE, 3 * model.size)
    if not dense:
        position, places = _places(np.zeros(model.size, np.int64))
    scale, greatest = _scale(model)
    whole_numbers = dense and scale > 0 and greatest <= BYTE
    scale = scale if whole_numbers else 1.0
    rows = model.J[np.argsort(position)]
    degree, real, h = np.zeros(places, np.int64), np.zeros(places, np.bool_), np.zeros(places)
    degree[np.sort(position)], real[position], h[position] = np.diff(rows.indptr), True, scale * model.h
    couplings = Couplings(
        # unsigned: indices that cannot count from the end cost no test
        np.concatenate([[0], np.cumsum(degree)]).astype(np.uint64),
        position[rows.indices].astype(np.uint32),
        np.rint(2 * scale * rows.data).astype(np.int16) if whole_numbers else 2 * rows.data,
        np.packbits(real, bitorder="little").view(np.uint64),
        dense,
    )
    return Layout(
        model=model,
        place=position,
        couplings=couplings,
        h=h,
        scale=scale,
        greatest=greatest,
        whole_numbers=whole_numbers,
    )


def start(layout: Layout, spins: NDArray[np.int8]) -> SpinChains:
    """Return chains (m) that begin at spins (m, n) of -1 and 1."""
    m = len(spins)
    by_place, up = np.zeros((m, layout.places)), np.zeros((m, layout.places), np.bool_)
    by_place[:, layout.place], up[:, layout.place] = spins, spins > 0
    alone = (layout.by_place @ by_place.T).T
    kind, number = (np.int8, np.int64) if layout.whole_numbers else (np.float64, np.float64)
    energy = -((alone / 2 + layout.h) * by_place).sum(axis=1)
    fields = np.rint(alone + layout.h) if layout.whole_numbers else alone + layout.h
    words = np.packbits(up, axis=1, bitorder="little").view(np.uint64)
    energies = np.rint(energy) if layout.whole_numbers else energy
    pairs = np.ascontiguousarray(np.repeat(energies[:, np.newaxis], 2, axis=1).astype(number))
    return SpinChains(np.ascontiguousarray(fields.astype(kind)), words.copy(), words.copy(), pairs)


def spins_of(layout: Layout, words: NDArray[np.uint64]) -> NDArray[np.int8]:
    """Return the spins (m, n) of words (m, blocks)."""
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1, bitorder="little")
    return (2 * bits[:, layout.place].astype(np.int8) - 1).astype(np.int8)


def random_spins(n: int, count: int, seed: int, first: int = 0) -> NDArray[np.int8]:
    """Return spins (count, n) of -1 and 1, alike for the same seed and number of the first row."""
    return np.random.default_rng([seed, first]).choice(np.array([-1, 1], np.int8), (count, n))


def in_threads(work: Callable[[int], None], rows: int, threads: int, halt: NDArray[np.int64]) -> None:
    """Do the work of each row, rows shared out among threads; what a row does must depend on no other."""

    def some(first: int) -> None:
        for row in range(first, rows, threads):
            work(row)

    works: Sequence[Callable[[], None]] = [lambda first=first: some(first) for first in range(min(threads, rows))]
    spread(works, halt)


def _places(color: IntArray) -> tuple[IntArray, int]:
    """Return the place of each unit, and how many places there are."""
    of_color = np.bincount(color)
    begin = np.cumsum(np.append(0, -(-of_color // BLOCK) * BLOCK))
    by_color = np.argsort(color, kind="stable")
    before = np.cumsum(of_color) - of_color
    position = np.empty(len(color), np.int64)
    position[by_color] = np.arange(len(color)) + np.repeat(begin[:-1] - before, of_color)
    return position, int(begin[-1])


def _scale(model: IsingModel) -> tuple[float, float]:
    """Return a factor that makes couplings and fields whole numbers, 0 where none does, and the greatest |f|."""
    greatest = float((abs(model.J).sum(axis=0) + np.abs(model.h)).max(initial=0.0))
    sizes = np.abs(np.concatenate([model.J.data, model.h]))
    sizes = np.unique(sizes[sizes > 0])
    if not len(sizes):
        return 1.0, greatest
    for factor in FACTORS:
        scaled = sizes * (factor / sizes[0])
        if greatest * factor / sizes[0] <= BYTE and np.abs(scaled - np.rint(scaled)).max() < 1e-9 * scaled[-1]:
            return factor / float(sizes[0]), greatest * factor / float(sizes[0])
    return 0.0, greatest
