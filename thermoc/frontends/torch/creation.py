"""What changes nothing but a dtype, and tensors that are made of nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thermoc.frontends.onnx.tensor import BATCH, Tensor, known
from thermoc.frontends.torch.aten import Aten, aten
from thermoc.frontends.torch.shape import expand


@aten(
    "clone", "contiguous", "alias", "detach", "detach_", "lift_fresh_copy", "lift_fresh", "dropout", "native_dropout",
    "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "positive", "to", "type_as", "_to_copy",
)  # fmt: skip
def same(t: Aten, self: Tensor | None = None, input: Tensor | None = None, **_: Any) -> Any:
    """The same numbers, in the dtype of the result; a module in evaluation drops none."""
    x = self if self is not None else input
    assert x is not None
    return t.cast(truth_or(t, x), t.elem)


def truth_or(t: Aten, x: Tensor) -> Tensor:
    """Return a tensor, or whether its numbers are not 0 where a truth is asked for."""
    return t("Not", t("Equal", x, t.number(0, x.elem))) if t.elem.kind == "b" and x.elem.kind != "b" else x


aten("copy")(lambda t, self, src, non_blocking=False: expand(t, t.number(src, self.elem), self.shape))
aten("_assert_async", "_assert_scalar", "_assert_tensor_metadata", "sym_constrain_range_for_size")(lambda t, **_: ())


# ------------------------------------------------------------------------------------------------------ made of nothing


def _filled(t: Aten, size: Sequence[int], value: Any) -> Tensor:
    return expand(t, t.number(value), size) if len(size) else t.number(value)


aten("full")(lambda t, size, fill_value, **_: _filled(t, size, fill_value))
aten("zeros", "empty")(lambda t, size, **_: _filled(t, size, 0))
aten("ones")(lambda t, size, **_: _filled(t, size, 1))
aten("full_like")(lambda t, self, fill_value, **_: _filled(t, self.shape, fill_value))
aten("zeros_like", "empty_like")(lambda t, self, **_: _filled(t, self.shape, 0))
aten("ones_like")(lambda t, self, **_: _filled(t, self.shape, 1))
aten("new_full")(lambda t, self, size, fill_value, **_: _filled(t, size, fill_value))
aten("new_zeros", "new_empty")(lambda t, self, size, **_: _filled(t, size, 0))
aten("new_ones")(lambda t, self, size, **_: _filled(t, size, 1))
aten("fill")(lambda t, self, value: _filled(t, self.shape, value))
aten("scalar_tensor")(lambda t, s, **_: t.number(s))


@aten("arange")
def arange(t: Aten, start: Any = 0, end: Any = None, step: Any = 1, **_: Any) -> Tensor:
    """Numbers from start up to end."""
    if isinstance(end, int) and end >= BATCH:
        raise t.site.refuse("it counts the samples of the batch", "samples of a network never meet")
    return known(np.arange(start, end, step).astype(t.elem))


aten("linspace")(lambda t, start, end, steps, **_: known(np.linspace(start, end, steps).astype(t.elem)))
aten("eye")(lambda t, n, m=None, **_: known(np.eye(n, n if m is None else m).astype(t.elem)))
