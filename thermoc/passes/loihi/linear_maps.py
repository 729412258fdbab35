"""Linear maps with constant weights over flat vectors: what can lie between two populations of Loihi.

Three kinds: a gather (each result is one element of x, times a gain), a matrix (dense or in compressed rows), a window
(a convolution, which shares its weights). A map's free numbers are its ``weights``; ``with_weights`` gives the same
map with others, so that magnitudes, rounded weights and errors all go through one ``apply``.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (SciPy has no types for sparse arrays)

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from thermoc.ir.dialects import core
from thermoc.ir.element_indices import windows
from thermoc.ir.reference import evaluate
from thermoc.ir.types import Shape, Type
from thermoc.ir.values import Value
from thermoc.ir.windows import Pairs, windowed
from thermoc.support.array_types import AnyArray, FloatArray, IntArray

DENSE = 0.5
"""A matrix with a larger fraction of entries that are not 0 is stored as all of them."""


@dataclass(frozen=True, kw_only=True)
class Gather:
    """y[i] = gain[i] x[index[i]]."""

    index: IntArray
    gain: FloatArray
    inputs: int

    @property
    def weights(self) -> FloatArray:
        """The gains."""
        return self.gain

    @property
    def outputs(self) -> int:
        """Length of y."""
        return len(self.index)

    @property
    def plain(self) -> bool:
        """Whether every element stays where it is."""
        return self.outputs == self.inputs and bool((self.index == np.arange(self.inputs)).all())

    def with_weights(self, weights: FloatArray) -> Gather:
        """Return the gather with other gains."""
        return replace(self, gain=weights)

    def apply(self, x: FloatArray) -> FloatArray:
        """Return y."""
        return self.gain * x[self.index]

    def matrix(self) -> Matrix:
        """Return the gather in compressed rows."""
        rows = sp.csr_array((self.gain, self.index, np.arange(self.outputs + 1)), shape=(self.outputs, self.inputs))
        return Matrix(rows=rows)


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """y = W x, W in compressed rows."""

    rows: Any

    @property
    def weights(self) -> FloatArray:
        """The entries."""
        return self.rows.data

    @property
    def inputs(self) -> int:
        """Length of x."""
        return self.rows.shape[1]

    @property
    def outputs(self) -> int:
        """Length of y."""
        return self.rows.shape[0]

    @property
    def dense(self) -> bool:
        """Whether most entries are there."""
        return self.rows.nnz > DENSE * self.inputs * self.outputs

    def with_weights(self, weights: FloatArray) -> Matrix:
        """Return the matrix with other entries in the same places."""
        return Matrix(rows=sp.csr_array((weights, self.rows.indices, self.rows.indptr), shape=self.rows.shape))

    def apply(self, x: FloatArray) -> FloatArray:
        """Return y."""
        return self.rows @ x

    def matrix(self) -> Matrix:
        """Return the map itself."""
        return self


@dataclass(frozen=True, kw_only=True)
class Window:
    """y = the cross-correlation of x, flat from ``shape``, over two axes: the windows of ``core.conv``."""

    weights: FloatArray
    shape: Shape
    stride: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    groups: int

    @property
    def inputs(self) -> int:
        """Length of x."""
        return math.prod(self.shape)

    @property
    def space(self) -> Shape:
        """Shape of y."""
        spans = self.weights.shape[2:]
        return (len(self.weights), *windowed(self.shape[1:], spans, self.stride, self.padding, self.dilation))

    @property
    def outputs(self) -> int:
        """Length of y."""
        return math.prod(self.space)

    def with_weights(self, weights: FloatArray) -> Window:
        """Return the window with other weights."""
        return replace(self, weights=weights)

    def apply(self, x: FloatArray) -> FloatArray:
        """Return y."""
        # By the reference's own convolution, so that bounds cover the same windows as the network.
        image, weight = Value("x", Type(self.shape)), Value("weight", Type(self.weights.shape))
        same = {name: getattr(self, name) for name in ("stride", "padding", "dilation", "groups")}
        op = core.Conv(x=image, weight=weight, y=Value("y", Type(self.space)), **same)
        return evaluate(op, {image: x.reshape(self.shape), weight: self.weights})[0].reshape(-1)

    def matrix(self) -> Matrix:
        """Return the windows written out, in compressed rows."""
        out, _, *window = self.weights.shape
        covered = windows(self.shape, tuple(window), self.stride, self.padding, self.dilation)
        inside, outside = self.shape[0] // self.groups, out // self.groups
        entries: list[tuple[FloatArray, IntArray, IntArray]] = []
        for o in range(out):
            first = o // outside * inside
            columns = covered[first : first + inside].transpose(1, 0, 2).reshape(covered.shape[1], -1)
            row = o * len(columns) + np.broadcast_to(np.arange(len(columns))[:, np.newaxis], columns.shape)
            weight = np.broadcast_to(self.weights[o].reshape(-1), columns.shape)
            image = columns >= 0  # the padding has no column
            entries.append((weight[image], row[image], columns[image]))
        values, rows, columns = (np.concatenate(arrays) for arrays in zip(*entries))
        return Matrix(rows=sp.csr_array((values, (rows, columns)), shape=(self.outputs, self.inputs)))


Map = Gather | Matrix | Window


def identity(size: int) -> Gather:
    """Return the map that changes nothing."""
    return Gather(index=np.arange(size), gain=np.ones(size), inputs=size)


def gathered(inner: Map, index: IntArray, gain: FloatArray) -> Map:
    """Return gain[i] times element index[i] of an inner map's result."""
    if isinstance(inner, Gather):
        return Gather(index=inner.index[index], gain=inner.gain[index] * gain, inputs=inner.inputs)
    if isinstance(inner, Window) and np.array_equal(index, np.arange(inner.outputs)):
        by_channel = gain.reshape(len(inner.weights), -1)
        if (by_channel == by_channel[:, :1]).all():  # weights stay shared over the image
            return inner.with_weights(inner.weights * by_channel[:, :1].reshape(-1, 1, 1, 1))
    rows = inner.matrix().rows[index]
    return Matrix(rows=sp.csr_array(sp.diags_array(gain) @ rows))


def after(outer: Map, inner: Gather) -> Map:
    """Return the outer map of what is gathered."""
    if isinstance(outer, Gather):
        return gathered(inner, outer.index, outer.gain)
    if isinstance(outer, Window) and inner.plain:
        by_channel = inner.gain.reshape(outer.shape[0], -1)
        if (inner.gain == inner.gain[:1]).all():
            return outer.with_weights(outer.weights * inner.gain[0])
        # In a grouped convolution the second axis of the weights counts within a group, not over the channels of x.
        if outer.groups == 1 and (by_channel == by_channel[:, :1]).all():
            return outer.with_weights(outer.weights * by_channel[:, 0].reshape(1, -1, 1, 1))
    # A product with the identity would only cost a copy.
    if isinstance(outer, Matrix) and inner.plain and (inner.gain == 1).all():
        return outer
    return Matrix(rows=sp.csr_array(outer.matrix().rows @ inner.matrix().rows))


def of_affine(weight: FloatArray, shape: Shape) -> Matrix:
    """Return W over the last axis of x."""
    rows = sp.csr_array(weight)
    lead = math.prod(shape[:-1])
    # The weights act on the last axis alone: one block for each place along the others.
    return Matrix(rows=rows if lead == 1 else sp.csr_array(sp.kron(sp.eye_array(lead), rows)))


def of_rows(values: AnyArray, columns: AnyArray, offsets: AnyArray, inputs: int) -> Matrix:
    """Return W from compressed rows."""
    # Copies: SciPy sorts columns in place, and a graph's arrays are read-only.
    rows = sp.csr_array((values.astype(float), columns.copy(), offsets.copy()), shape=(len(offsets) - 1, inputs))
    # An entry that stands twice is one synapse of the sum, and one weight of 8 bits.
    rows.sum_duplicates()
    return Matrix(rows=rows)


def of_conv(op: core.Conv, weight: FloatArray, shape: Shape) -> Window:
    """Return a convolution; one space axis becomes the second of two."""
    one_axis = len(shape) == 2
    return Window(
        weights=weight[:, :, np.newaxis] if one_axis else weight,
        shape=(shape[0], 1, shape[1]) if one_axis else shape,
        stride=(1,) * one_axis + op.stride,
        padding=((0, 0),) * one_axis + op.padding,
        dilation=(1,) * one_axis + op.dilation,
        groups=op.groups,
    )


def of_pool(op: core.Pool, shape: Shape) -> Window:
    """Return a sum or mean over windows, each channel by itself."""
    one_axis = len(shape) == 2
    window = (1,) * one_axis + op.window
    weight = 1.0 / math.prod(window) if op.kind == "mean" else 1.0
    return Window(
        weights=np.full((shape[0], 1, *window), weight),
        shape=(shape[0], 1, shape[1]) if one_axis else shape,
        stride=(1,) * one_axis + op.stride,
        padding=((0, 0),) * one_axis + op.padding,
        dilation=(1, 1),
        groups=shape[0],
    )
