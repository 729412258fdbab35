"""torch.export: a module and an example become a program of ATen operators, its batch an axis of no fixed length."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from thermoc.frontends.torch.table import kept, readable
from thermoc.support.errors import Location, ThermocError, error
from thermoc.support.loading import cut

Axes = tuple[int | None, ...]
HINT = "write the branch as torch.where, or export the part without it"


def source_of(module: Any) -> str:
    """Return what stands for the file in places: the module's class."""
    return type(module).__name__


@contextlib.contextmanager
def evaluating(module: Any) -> Iterator[bool]:
    """Put a module into evaluation for a while; yields whether a part of it was training."""
    flags = [(child, child.training) for child in module.modules()]
    module.eval()
    try:
        yield any(training for _, training in flags)
    finally:
        for child, training in flags:
            child.training = training


def tensors_of(source: str, example: Any) -> tuple[Any, ...]:
    """Return an example as the tuple of tensors that forward takes. Errors: T303."""
    import torch

    arguments = tuple(example) if isinstance(example, tuple | list) else (example,)
    for value in arguments:
        if not isinstance(value, torch.Tensor):
            notes = [f"one of them is {cut(repr(value), 60)}, a {type(value).__name__}"]
            hint = "tc.from_torch(module, torch.randn(2, 8)), or a tuple of tensors"
            raise error("T303", f"{source}: an example is a tensor, or a tuple of them", notes=notes, hint=hint)
    if not arguments:
        raise error("T303", f"{source}: the example is empty", hint="give each input of forward a tensor")
    return arguments


def batch_axes(source: str, given: Sequence[Any], batch: int | Sequence[int | None] | None) -> Axes:
    """Return which axis of each input is the batch. Errors: T303."""
    axes = (batch,) * len(given) if batch is None or isinstance(batch, int) else tuple(batch)
    right = len(axes) == len(given) and all(
        axis is None or (isinstance(axis, int) and -x.dim() <= axis < x.dim()) for axis, x in zip(axes, given)
    )
    if not right:
        shapes = ", ".join(str(list(x.shape)) for x in given)
        notes = [f"batch = {batch!r}", f"the example has shape {shapes}"]
        raise error("T303", f"{source}: batch is an axis of the inputs, or one each", notes=notes)
    return tuple(None if axis is None else axis % x.dim() for axis, x in zip(axes, given))


def exported(module: Any, given: tuple[Any, ...], axes: Axes) -> Any:
    """Return the exported program, and what the module gives for the example. Errors: T507, T508."""
    import torch

    source = source_of(module)
    given = tuple(_wide(x, axis) for x, axis in zip(given, axes))
    with torch.no_grad():
        try:
            module(*given)
        except Exception as reason:  # forward is a user's own code
            notes = [f"the example has shape {', '.join(str(list(x.shape)) for x in given)}", cut(str(reason), 300)]
            hint = "the example is what forward takes, with a batch in front; batch=None where there is none"
            where = _line(reason)
            raise error("T508", f"{source} does not run on the example", where=where, notes=notes, hint=hint) from None
        shapes: Any = torch.export.ShapesCollection()
        length = torch.export.Dim("batch")
        for x, axis in zip(given, axes):
            if axis is not None:
                shapes[x] = {axis: length}
        try:
            open_ = any(axis is not None for axis in axes)
            program = torch.export.export(module, given, dynamic_shapes=shapes if open_ else None)
            # Seconds are saved where nothing is to be decomposed, which is the usual case.
            return program if readable(program) else program.run_decompositions(kept())
        except Exception as reason:  # of torch's compiler, or of forward under it
            raise refused(source, reason) from None


def _wide(x: Any, axis: int | None) -> Any:
    """Return an example with a batch of two and more: a length of one would pass for a fixed one."""
    if axis is None or x.shape[axis] > 1:
        return x
    repeats = [1] * x.dim()
    repeats[axis] = 3
    return x.repeat(*repeats)


MEANT: Mapping[str, tuple[str, str, str]] = {
    r"data-dependent|DataDependent|GuardOnDataDependent|Dynamic control flow|unbacked|nonzero|\.item\(\)": (
        "T507",
        "its control flow or a shape depends on data",
        HINT,
    ),
    r"[Cc]onstraint|specializ|not all values of batch|marked.*dynamic": (
        "T508",
        "it does not run for every length of the batch",
        "keep shapes free of the batch's length, or give batch=None for a network of this one shape",
    ),
}


def refused(source: str, reason: BaseException) -> ThermocError:
    """Return what stands in the way of an export as an error with a code, at the user's own line."""
    text = f"{type(reason).__name__}: {reason}"
    code, what, hint = "T507", "torch.export does not take it", ""
    for pattern, explanation in MEANT.items():
        if re.search(pattern, text):
            code, what, hint = explanation
            break
    first = next((line.strip() for line in str(reason).splitlines() if line.strip()), type(reason).__name__)
    notes = [f"{type(reason).__name__}: {cut(first, 300)}"]
    return error(code, f"{source}: {what}", where=_line(reason), notes=notes, hint=hint)


def _line(reason: BaseException) -> Location | None:
    """Return the last line of a user's own that an exception, or a trace in its text, comes from."""
    import traceback

    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(reason.__traceback__)]
    frames += [(name, int(line)) for name, line in re.findall(r'File "([^"]+)", line (\d+)', str(reason))]
    location = own_line(frames)
    return None if location is None else Location(*location)


def own_line(frames: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
    """Return the innermost place that lies in neither torch, thermoc nor Python itself."""
    import os

    inner = (os.sep + "torch" + os.sep, os.sep + "thermoc" + os.sep, "<frozen", os.sep + "contextlib.py")
    user_frames = [(name, line) for name, line in frames if not any(fragment in name for fragment in inner)]
    return user_frames[-1] if user_frames else None
