"""Samples varied while they are trained on: moved images, noise, so that a network holds where values are off."""

from __future__ import annotations

import math

import numpy as np

from thermoc.learning.training.config import Config
from thermoc.support import philox
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.errors import ThermocError

SHIFT_STREAM, NOISE_STREAM = 7, 8
"""Philox streams of where images are moved and of the noise on inputs, the step as their tick."""


class Variation:
    """What ``shift`` and ``input_noise`` of a training file make of a batch. shape: of a sample."""

    def __init__(self, config: Config, shape: tuple[int, ...]):
        table = config.training
        self._noise, self._shift, self._seed = table.input_noise, table.shift, table.seed
        self._image = table.image or shape[-2:]
        if self._shift:
            self._check(config, shape)

    def __call__(self, x: AnyArray, step: int) -> AnyArray:
        """Return a batch (n, ...) as a step sees it: a function of the seed, the step and the place in the batch."""
        if self._shift:
            rows, columns = self._image
            images = x.reshape(len(x), -1, rows, columns)
            for axis in (0, 1):
                block = philox.words(np.arange(len(x)), tick=step, draw=axis, stream=SHIFT_STREAM, seed=self._seed)
                d = self._shift * (2 * philox.uniform(block[0], block[1], np.dtype(float)) - 1)
                images = moved(images, d).swapaxes(2, 3)
            x = images.reshape(x.shape)
        if self._noise:
            block = philox.words(np.arange(x.size), tick=step, draw=0, stream=NOISE_STREAM, seed=self._seed)
            x = x + self._noise * philox.normal(block, np.dtype(float)).reshape(x.shape)
        return x

    def _check(self, config: Config, shape: tuple[int, ...]) -> None:
        """Refuse samples that are no images. Errors: T519."""
        image, facts = config.training.image, [f"a sample has shape {list(shape)}"]
        if image is None and len(shape) < 2:
            raise _wrong(config, "shift", "shift moves images, and samples are rows of numbers", facts)
        if image is not None and (math.prod(shape) % math.prod(image) or (len(shape) > 1 and shape[-2:] != image)):
            raise _wrong(config, "image", "samples are no images of this size", [*facts, f"image = {list(image)}"])


def moved(images: AnyArray, d: FloatArray) -> AnyArray:
    """Return images (n, channels, rows, columns) moved along their rows by d (n,) pixels, with 0 where nothing was.

    Parts of a pixel are weights of the two rows beside.
    """
    size = images.shape[2]
    origin = np.arange(size) - d[:, np.newaxis]
    low = np.floor(origin).astype(np.int64)
    weight = (origin - low)[:, np.newaxis, :, np.newaxis]

    def taken(row: AnyArray) -> AnyArray:
        inside = ((row >= 0) & (row < size))[:, np.newaxis, :, np.newaxis]
        return np.take_along_axis(images, row.clip(0, size - 1)[:, np.newaxis, :, np.newaxis], axis=2) * inside

    return (1 - weight) * taken(low) + weight * taken(low + 1)


def _wrong(config: Config, key: str, what: str, facts: list[str]) -> ThermocError:
    hint = "image = [rows, columns] in [training] says how a sample's numbers are laid out"
    return config.source.wrong("training", key, what, notes=facts, hint=hint)
