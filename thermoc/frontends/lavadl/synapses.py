"""The synapses of a ``.net`` layer: weights of 8 bits with an exponent, delays, convolutions as sparse matrices."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.lavadl.fields import NetSource, repair
from thermoc.frontends.lavadl.layers import NetLayer
from thermoc.ir.ops import ShapeProblem
from thermoc.ir.windows import windowed
from thermoc.support.errors import Finding, error

LONGEST = 62
MOST_ENTRIES = 2**23


class CompressedRows(NamedTuple):
    """A sparse matrix in compressed rows, and which channel of the output each row belongs to."""

    values: NDArray
    columns: NDArray
    offsets: NDArray
    channels: NDArray


def fitted(source: NetSource, layer: NetLayer, weight: NDArray) -> tuple[NDArray, dict[str, Any], list[Finding]]:
    """Return weights of 8 bits, the synapse's attributes, and notes.

    Odd weights of mixed signs are doubled, and the sum is shifted back.
    """
    neuron, notes = layer.neuron, list[Finding]()
    exponent = neuron.weight_exp if neuron is not None else 0
    if neuron is not None and (neuron.kind == "sdnn" or neuron.norm_exp < 0):
        exponent -= neuron.norm_exp
    if (weight >= 0).all() and weight.max() <= 255:
        return weight, {"weight_exp": exponent, "sign_mode": "excitatory"}, notes
    if (weight <= 0).all() and weight.min() >= -255:
        return weight, {"weight_exp": exponent, "sign_mode": "inhibitory"}, notes
    # The sign takes one of the 8 bits: weights of mixed signs are even, -256 to 254.
    if weight.max() > 254 or weight.min() < -256:
        note = f"they run from {weight.min()} to {weight.max()}"
        notes.append(repair(f"layer {layer.place}: weights are clipped to -256 to 254", note))
        weight = np.clip(weight, -256, 254)
    if not (weight % 2).any():
        return weight, {"weight_exp": exponent}, notes
    if weight.min() < -128 or weight.max() > 127:
        fact = f"odd weights of both signs, from {weight.min()} to {weight.max()}: 8 bits hold even ones"
        raise source.bad(layer.place, fact, "train with quantized weights")
    return 2 * weight, {"weight_exp": exponent - 1}, notes


def clipped_delays(layer: NetLayer) -> tuple[NDArray | None, list[Finding]]:
    """Return a layer's delays in ticks, at most as long as the chip's, and a note where they were longer."""
    if layer.delay is None or not layer.delay.any():
        return None, []
    if layer.delay.max() <= LONGEST:
        return layer.delay, []
    what = f"layer {layer.place}: delays are clipped to {LONGEST} ticks"
    return np.minimum(layer.delay, LONGEST), [repair(what, f"the longest is {layer.delay.max()}")]


def connection_delays(source: NetSource, layer: NetLayer, delay: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Return a delay a connection: of each unit, of each input, or one for all. Errors: T508."""
    if delay.shape == shape or delay.size == 1:
        return np.array(np.broadcast_to(delay.reshape(delay.shape if delay.shape == shape else ()), shape))
    if delay.ndim == 1 and delay.size in shape:
        axis = 0 if delay.size == shape[0] else 1
        return np.array(np.broadcast_to(np.expand_dims(delay, 1 - axis), shape))
    raise source.bad(layer.place, f"delays of shape {list(delay.shape)} for weights of {list(shape)}")


def channel_delays(source: NetSource, layer: NetLayer, delay: NDArray, rows: CompressedRows) -> NDArray:
    """Return a delay for each entry of a convolution: of its channel, of its unit, or one for all. Errors: T508."""
    per_row, delay = np.diff(rows.offsets), delay.astype(np.int16)
    if delay.size == 1:
        return np.full(len(rows.values), delay.reshape(())[()])
    if delay.size == len(per_row):
        return np.repeat(delay.reshape(-1), per_row)
    if delay.size == layer.shape[0]:
        return np.repeat(delay.reshape(-1)[rows.channels], per_row)
    raise source.bad(layer.place, f"delays of shape {list(delay.shape)} for {layer.shape[0]} channels")


def unrolled(source: NetSource, layer: NetLayer, weight: NDArray, shape: tuple[int, ...]) -> CompressedRows:
    """Return a convolution of (channels, height, width) as compressed rows: a convolution of the chip has no delays.

    Errors: T504 for more than 2^23 entries, T508 where the window fits nowhere.
    """
    out, depth, *kernel = weight.shape
    try:
        space = windowed(shape[1:], tuple(kernel), layer.stride, tuple((n, n) for n in layer.padding), layer.dilation)
    except ShapeProblem as problem:
        raise source.bad(layer.place, ", ".join((problem.what, *problem.notes))) from None
    # Counted before any table is made.
    entries = math.prod((out, *space, depth, *kernel))
    if entries > MOST_ENTRIES:
        what = f"{source.path}: layer {layer.place} is too large"
        notes = [f"with its delays it has {entries} connections", f"the limit is {MOST_ENTRIES}"]
        raise error("T504", what, notes=notes, hint="train convolutions without delays")
    columns, counts, inside = _plane(layer, space, depth, tuple(kernel), shape)
    group = np.arange(out) // (out // layer.groups)
    first = group * depth * shape[1] * shape[2]
    values = np.concatenate([np.broadcast_to(kernel, inside.shape)[inside] for kernel in weight.astype(np.int16)])
    offsets = np.concatenate([[0], np.cumsum(np.tile(counts, out))])
    channels = np.repeat(np.arange(out, dtype=np.int32), math.prod(space))
    return CompressedRows(values, (first.astype(np.int32)[:, np.newaxis] + columns).reshape(-1), offsets, channels)


def _plane(
    layer: NetLayer, space: tuple[int, ...], depth: int, kernel: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[NDArray, NDArray, NDArray]:
    """Return what one channel of the first group reads: input units, how many each unit reads, and a mask.

    The mask (*space, depth, *kernel) is false where the window reaches into the padding. Numbers are of 32 bits, for
    there are up to 2^23 of them.
    """
    reach = [
        np.add.outer(np.arange(places) * stride, np.arange(size) * spread) - before
        for places, size, stride, spread, before in zip(space, kernel, layer.stride, layer.dilation, layer.padding)
    ]
    row, column = reach[0][:, np.newaxis, np.newaxis, :, np.newaxis], reach[1][np.newaxis, :, np.newaxis, np.newaxis]
    inside = (row >= 0) & (row < shape[1]) & (column >= 0) & (column < shape[2])
    inside = np.broadcast_to(inside, (*space, depth, *kernel))
    first = np.arange(depth).reshape(-1, 1, 1) * (shape[1] * shape[2])
    unit = (first + row * shape[2]).astype(np.int32) + column.astype(np.int32)
    return unit[inside], np.count_nonzero(inside, axis=(2, 3, 4)).reshape(-1), inside
