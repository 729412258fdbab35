"""A restricted Boltzmann machine and its chains as kernels take them: float32, in bands of columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from thermoc.learning.machines import RestrictedBoltzmannMachine
from thermoc.simulator.kernels.learning import contrastive_divergence as kernel
from thermoc.simulator.kernels.learning.bands import NEVER, BandedLayers
from thermoc.simulator.kernels.learning.wide_tables import BAND, CODE, DEEP, FOUR, STATES
from thermoc.support.array_types import AnyArray, FloatArray

Single = NDArray[np.float32]
LINE = 64
"""Bytes of a cache line and of a vector."""


def filled(n: int) -> int:
    """Return n filled up to a multiple of a band's columns."""
    return -(-n // BAND) * BAND


def in_bands(matrix: AnyArray) -> AnyArray:
    """Return a matrix laid out in bands of columns, both axes filled up by zeros, as one axis."""
    rows, columns = (filled(n) for n in matrix.shape)
    padded = np.zeros((rows, columns), matrix.dtype)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    bands = aligned(padded.size, matrix.dtype)
    bands.reshape(-1, rows, BAND)[:] = padded.reshape(rows, -1, BAND).swapaxes(0, 1)
    return bands


def aligned(size: int, dtype: DTypeLike = np.float32) -> AnyArray:
    """Return zeros that start at a cache line: vectors that straddle two lines are loaded at half the speed."""
    padded = np.zeros(size + LINE, dtype)
    skip = -padded.ctypes.data % LINE // padded.itemsize
    return padded[skip : skip + size]


def from_bands(array: AnyArray, rows: int, columns: int) -> AnyArray:
    """Return the matrix (rows, columns) of an array in bands, whose rows may be filled up or not."""
    bands = array.reshape(filled(columns) // BAND, -1, BAND)
    return bands.swapaxes(0, 1).reshape(bands.shape[1], -1)[:rows, :columns]


@dataclass(frozen=True, eq=False)
class BandedMachine:
    """Weights and biases of a machine in arrays of float32 that kernels change."""

    visible: int
    hidden: int
    layers: BandedLayers

    @classmethod
    def of(cls, machine: RestrictedBoltzmannMachine) -> BandedMachine:
        """Return copies of a machine's arrays."""
        W, m, n = machine.W.astype(np.float32), machine.visible, machine.hidden
        return cls(m, n, BandedLayers(in_bands(W), _bias(machine.b), _bias(machine.c), filled(m), filled(n)))

    def at(self, T: float) -> kernel.Machine:
        """Return what kernels take, at a temperature."""
        return kernel.Machine(self.layers, np.float32(1 / T))

    def machine(self, T: float) -> RestrictedBoltzmannMachine:
        """Return the machine as it is now."""
        W = from_bands(self.layers.w, self.visible, self.hidden)
        b, c = self.layers.row_bias[: self.visible], self.layers.column_bias[: self.hidden]
        return RestrictedBoltzmannMachine(W.astype(float), b.astype(float), c.astype(float), T)


def velocities(machine: BandedMachine) -> kernel.Velocities:
    """Return velocities of 0."""
    layers = machine.layers
    return kernel.Velocities(*(np.zeros_like(array) for array in (layers.w, layers.row_bias, layers.column_bias)))


def chains(machine: BandedMachine, count: int, *, k: int, persistent: bool) -> kernel.PersistentChains:
    """Return chains whose visible bits are 0."""
    size = count * machine.layers.rows
    return kernel.PersistentChains(np.zeros(size, np.uint8), np.zeros(size // FOUR, np.uint8), count, k, persistent)


def set_bits(chains: kernel.PersistentChains, bits: AnyArray) -> None:
    """Set the bits of chains, in bands, and their codes."""
    chains.bits[:] = bits
    rows = len(chains.bits) // chains.size
    states = from_bands(chains.bits, chains.size, rows).reshape(-1, FOUR)
    chains.codes[:] = states @ (CODE * 2 ** np.arange(FOUR))


def memory(machine: BandedMachine, samples: int, count: int) -> kernel.StepMemory:
    """Return scratch memory for steps of up to so many samples and chains."""
    rows, columns, largest = machine.layers.rows, machine.layers.columns, filled(max(samples, count))
    total = filled(samples) + filled(count)

    return kernel.StepMemory(
        r=aligned(BAND * max(rows, largest)),
        p=aligned(BAND * largest),
        u=aligned(max(rows, columns) * largest),
        means=aligned(columns * total),
        data_bits=np.zeros(rows * largest, np.uint8),
        data_codes=np.zeros(largest * rows // FOUR, np.uint8),
        hidden_bits=np.zeros(BAND * largest, np.uint8),
        hidden_codes=np.zeros(largest * columns // FOUR, np.uint8),
        unit_codes=np.zeros(rows * total // FOUR, np.uint8),
        transposed=np.zeros(rows * largest, np.float32),
        tables=aligned(DEEP * STATES * BAND),
        square=aligned(BAND * BAND),
        sums=np.zeros(BAND, np.float32),
        model_sums=np.zeros(BAND, np.float32),
    )


def _bias(values: FloatArray) -> Single:
    bias = np.full(filled(len(values)), NEVER)
    bias[: len(values)] = values
    return bias
