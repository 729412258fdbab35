"""dimod's sample sets as it writes them: ``json.dump(sampleset.to_serializable(), file)``, or BSON with bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.support.errors import ThermocError, error
from thermoc.support.json_text import as_object
from thermoc.support.loading import cut, shown

DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
_LEVELS = {"SPIN": "spin", "BINARY": "binary"}


def sample_set(document: Any, source: object) -> dict[str, Any]:
    """Return samples, labels, levels, energies and occurrences of a document of schema 3. Errors: T523."""
    about = as_object(document)
    if about is None or about.get("type") != "SampleSet":
        raise _wrong(source, "its type is not SampleSet")
    levels = _LEVELS.get(str(about.get("variable_type")))
    if levels is None:
        raise _wrong(source, f"variables of type {cut(repr(about.get('variable_type')), 40)}", "SPIN or BINARY")
    units, rows = about.get("num_variables"), about.get("num_rows")
    if type(units) is not int or type(rows) is not int or units < 1 or rows < 1:
        raise _wrong(source, f"{cut(repr(rows), 40)} rows of {cut(repr(units), 40)} variables")
    values = _array(about.get("sample_data"), "sample_data", source)
    bits = _unpacked(values, units, source) if about.get("sample_packed") else values
    if bits.shape != (rows, units):
        raise _wrong(source, f"its samples have shape {list(bits.shape)}", f"{rows} rows of {units} variables")
    if about.get("sample_packed"):
        bits = 2 * bits.astype(float) - 1 if levels == "spin" else bits.astype(float)
    vectors = as_object(about.get("vectors")) or {}
    fields = {name: _array(vectors[name], name, source) for name in ("energy", "num_occurrences") if name in vectors}
    labels = about.get("variable_labels")
    if not isinstance(labels, list) or len(labels) != units:
        raise _wrong(source, "its labels are not one for each variable")
    named = tuple(tuple(label) if isinstance(label, list) else label for label in labels)
    return {"samples": bits, "labels": named, "levels": levels, "independent": True, **fields}


def _array(entry: Any, name: str, source: object) -> NDArray:
    """Return an array that dimod serialised: nested lists, or bytes."""
    about = as_object(entry)
    if about is None or about.get("type") != "array" or about.get("data_type") not in DTYPES:
        raise _wrong(source, f"{name} is no array")
    dtype, shape = np.dtype(about["data_type"]).newbyteorder("<"), tuple(about.get("shape", ()))
    if not all(type(length) is int and 0 <= length < 2**40 for length in shape):
        raise _wrong(source, f"{name} has shape {cut(repr(shape), 40)}")
    data: Any = about.get("data")
    try:
        flat = np.frombuffer(data, dtype) if isinstance(data, bytes) else np.asarray(data, dtype)
        return flat.reshape(shape)
    except (ValueError, TypeError, OverflowError) as reason:
        raise _wrong(source, f"{name}: {cut(str(reason), 80)}") from None


def _unpacked(words: NDArray, units: int, source: object) -> NDArray:
    """Return the bits of packed rows: unit k is bit k % 32 of word k // 32."""
    if words.ndim != 2 or words.dtype != np.dtype("<u4") or words.shape[1] * 32 < units:
        raise _wrong(source, f"its packed samples have shape {list(words.shape)} and dtype {words.dtype}")
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1, bitorder="little")
    return bits[:, :units]


def _wrong(source: object, *notes: str) -> ThermocError:
    hint = "json.dump(sampleset.to_serializable(), file) writes one"
    return error("T523", f"{shown(source)} holds no sample set that can be read", notes=notes, hint=hint)
