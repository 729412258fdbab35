"""Arrays that a model holds, their sizes checked before anything of that size is made."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.support.errors import Location, error
from thermoc.support.limits import MODEL_BYTES, shape_problem
from thermoc.support.loading import cut

BITS = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2, "float4_e2m1fn": 4}


LONGEST = 2**30
"""The longest axis: longer ones stand for the batch."""


def array_of(tensor: Any, source: str) -> NDArray:
    """Return a tensor's array. Errors: T504, T507, T508."""
    from onnx import TensorProto, helper, numpy_helper

    where = Location.of_node(source, f"initializer {cut(tensor.name, 80)!r}")
    problem = shape_problem(list(tensor.dims)) or _too_long(tensor.dims)
    if problem:
        raise error("T504", "an array asks for too much", where=where, notes=[problem])
    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except KeyError:
        raise error("T508", "an array is of no known type", where=where, notes=[f"type {tensor.data_type}"]) from None
    if tensor.data_type == TensorProto.STRING:
        return np.asarray([text.decode("utf-8", "replace") for text in tensor.string_data], object).reshape(tensor.dims)
    count = math.prod(tensor.dims)
    size = -(-count * BITS.get(dtype.name, 8 * dtype.itemsize) // 8)
    if tensor.data_location == TensorProto.EXTERNAL:
        return _external(tensor, dtype, size, source, where)
    held = len(tensor.raw_data) if tensor.HasField("raw_data") else None
    if held is not None and held != size:
        notes = [f"it has shape {list(tensor.dims)} of {dtype.name}: {size} bytes", f"the file holds {held}"]
        raise error("T508", "an array is not as large as it says", where=where, notes=notes)
    if held is None and count > 4 * max(tensor.ByteSize(), 1):
        notes = [f"it has shape {list(tensor.dims)}", f"the file holds {tensor.ByteSize()} bytes of it"]
        raise error("T508", "an array is not as large as it says", where=where, notes=notes)
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as reason:
        raise error("T508", "an array cannot be read", where=where, notes=[str(reason)]) from None


def _too_long(dims: Any) -> str:
    longest = max(dims, default=0)
    return f"it has shape {list(dims)}, the limit is {LONGEST} an axis" if longest > LONGEST else ""


def _external(tensor: Any, dtype: np.dtype[Any], size: int, source: str, where: Location) -> NDArray:
    """Return an array whose numbers lie in a file beside the model, and nowhere else. Errors: T501, T507, T508."""
    about = {item.key: item.value for item in tensor.external_data}
    location, folder = about.get("location", ""), Path(source).resolve().parent
    path = Path(os.path.realpath(folder / location))
    # Of the resolved path: neither '..' nor a link may lead out of the model's folder.
    if not location or "\\" in location or Path(location).is_absolute() or not path.is_relative_to(folder):
        notes = [f"location is {cut(location, 80)!r}"]
        raise error("T507", "an array lies outside the model's folder, and is not read", where=where, notes=notes)
    if not path.is_file():
        hint = "the files of a model belong together: copy this one beside it"
        raise error("T501", f"file {cut(location, 80)!r} of an array is missing", where=where, hint=hint)
    offset, length = (_whole(about.get(name, default)) for name, default in (("offset", "0"), ("length", str(size))))
    if offset < 0 or length != size or offset + size > path.stat().st_size or size > MODEL_BYTES:
        notes = [f"it needs {size} bytes", f"it names {length} from byte {offset}", f"there are {path.stat().st_size}"]
        raise error("T508", f"an array does not lie in {cut(location, 80)!r}", where=where, notes=notes)
    if dtype.name in BITS:
        raise error("T507", f"external arrays of {dtype.name} are not read", where=where)
    with path.open("rb") as stream:
        stream.seek(offset)
        return np.frombuffer(stream.read(size), dtype.newbyteorder("<")).astype(dtype).reshape(tensor.dims)


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 16 else -1
