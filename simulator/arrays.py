"""Arrays that a caller hands to the simulator: numbers in float64, of a shape that fits, or a coded error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.support.errors import error

MOST_SEED = 2**64
MOST_STREAM = 2**32


def numbers(name: str, value: Any, *, code: str = "T403") -> NDArray[np.float64]:
    """Return real numbers as an array of float64. Errors: ``code`` for text, complex numbers, ragged rows."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biufO":  # objects such as fractions and decimals
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError):
        pass
    raise error(code, f"{name} is no array of real numbers", notes=[f"got {_short(value)}"])


def spread(name: str, value: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return finite numbers broadcast to a shape, in an array of its own. Errors: T402 (shape), T403 (no numbers)."""
    array = numbers(name, value)
    try:
        # broadcasting gives a view of shared elements that cannot be written
        full = np.array(np.broadcast_to(array, shape))
    except ValueError:
        raise error("T402", f"{name} has the shape {array.shape}", notes=[f"it must broadcast to {shape}"]) from None
    if not np.isfinite(full).all():
        raise error("T403", f"{name} is not finite", notes=[f"at {np.argwhere(~np.isfinite(full))[0].tolist()}"])
    return full


def count(name: str, value: Any, *, least: int = 0, below: int | None = None) -> int:
    """Return a whole number within its range. Errors: T404."""
    try:
        number = int(value)
        fits = number == value and number >= least and (below is None or number < below)
    except (TypeError, ValueError, OverflowError):
        number, fits = 0, False
    if not fits:
        top = f" and below {below}" if below is not None else ""
        raise error("T404", f"{name} is {_short(value)}", notes=[f"it must be a whole number, at least {least}{top}"])
    return number


def counters(seed: Any, stream: Any, first: Any = 0) -> tuple[np.uint64, int, int]:
    """Return a seed, a stream and a first element that Philox can count. Errors: T404."""
    return (
        np.uint64(count("seed", seed, below=MOST_SEED)),
        count("stream", stream, below=MOST_STREAM),
        count("first", first, below=MOST_STREAM),
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
