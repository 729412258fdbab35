"""Images in rows and columns, as one picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support.errors import error


def picture(ax: Any, images: ArrayLike, *, shape: tuple[int, int], columns: int = 10, title: str = "") -> None:
    """Draw images (n, height * width) in [0, 1] into axes of matplotlib, row by row, dark where they are 1.

    shape: (height, width). Errors: T402 where images do not have it.
    """
    x = np.asarray(images, float)
    height, width = shape
    if x.ndim != 2 or x.shape[1] != height * width or columns < 1:
        notes = [f"images have shape {list(x.shape)}", f"height {height}, width {width}, {columns} columns"]
        raise error("T402", "images are (n, height * width)", notes=notes)
    rows = -(-len(x) // columns)
    sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1), 0.5)
    for number, image in enumerate(x):
        top, left = number // columns * (height + 1) + 1, number % columns * (width + 1) + 1
        sheet[top : top + height, left : left + width] = image.reshape(shape)
    ax.imshow(sheet, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    ax.set_title(title)
    ax.set_axis_off()
