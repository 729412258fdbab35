"""Binary quadratic models that dimod wrote: ``bqm.to_serializable()`` as JSON, or with ``use_bytes`` as BSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from thermoc.frontends.problems.data import QuadraticForm
from thermoc.frontends.problems.lines import INT64, integral
from thermoc.frontends.problems.quadratic_problems import Ising
from thermoc.frontends.problems.source import EXACT, ProblemSource
from thermoc.physics.ising_model import IsingModel
from thermoc.support.array_types import AnyArray, FloatArray, IntArray
from thermoc.support.extras import need
from thermoc.support.json_text import as_object, check_depth, parse_json
from thermoc.support.limits import PROBLEM_BYTES
from thermoc.support.loading import damaged

DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
LISTS = {"variable_labels", "linear_biases", "quadratic_biases", "quadratic_head", "quadratic_tail"}


def read_bqm_json(source: ProblemSource) -> QuadraticForm:
    """Return the model in a JSON document. Errors: T502, T504, T516, T517."""
    return _form(source, parse_json(source.data, source.path, "a BQM file", most=PROBLEM_BYTES))


def read_bqm_bson(source: ProblemSource) -> QuadraticForm:
    """Return the model in a BSON document, which pymongo reads. Errors: T302, T502, T504, T516, T517."""
    bson = need("bson", "dimod", "BSON files")
    try:
        document = bson.decode(source.data)
    except Exception as reason:
        raise damaged(source.path, "a BSON file", f"{type(reason).__name__}: {reason}") from None
    check_depth(document, source.path)
    return _form(source, document)


def _form(source: ProblemSource, document: Any) -> QuadraticForm:
    bqm = as_object(document)
    if bqm is None or bqm.get("type") != "BinaryQuadraticModel":
        hint = "json.dump(bqm.to_serializable(), file) writes one"
        raise source.wrong(
            "the document is no binary quadratic model", "its type is not BinaryQuadraticModel", hint=hint
        )
    missing = sorted(LISTS - set(bqm))
    if missing:
        hint = "written with bqm_schema 3.0.0 by dimod 0.8.4 or newer"
        raise source.wrong("the binary quadratic model lacks entries", f"{', '.join(missing)}", hint=hint)
    if bqm.get("variable_type") not in ("SPIN", "BINARY"):
        raise source.wrong("the variables' type is wrong", f"it is {bqm.get('variable_type')!r}", "SPIN or BINARY")
    labels = _labels(source, bqm)
    linear = _array(source, bqm, "linear_biases", "bias_type", np.float64)
    values = _array(source, bqm, "quadratic_biases", "bias_type", np.float64)
    ends = [_array(source, bqm, name, "index_type", np.int64) for name in ("quadratic_head", "quadratic_tail")]
    offset = _array(source, {"offset": [bqm.get("offset", 0)]}, "offset", "", np.float64)
    i, j = _checked(source, labels, linear, values, ends)
    numbers = np.concatenate([linear, values, offset])
    source.check_total(numbers, integers=integral(numbers))
    spin = bqm["variable_type"] == "SPIN"
    return QuadraticForm(linear=linear, i=i, j=j, values=values, offset=float(offset[0]), spin=spin, labels=labels)


def _labels(source: ProblemSource, bqm: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the labels; lists stand for tuples, as dimod has it."""
    labels = bqm["variable_labels"]
    if not isinstance(labels, list):
        raise source.wrong("the variables' labels are wrong", "variable_labels is to be a list")
    labels = tuple(_hashable(label) for label in cast("list[Any]", labels))
    try:
        distinct = len(set(labels))
    except TypeError:
        raise source.wrong("a variable's label is wrong", "labels are texts, numbers, or lists of these") from None
    if distinct != len(labels):
        raise source.wrong("a label stands twice", f"{len(labels)} labels, {distinct} different ones")
    return labels


def _hashable(label: Any) -> Any:
    return tuple(_hashable(item) for item in cast("list[Any]", label)) if isinstance(label, list) else label


def _array(source: ProblemSource, bqm: Mapping[str, Any], name: str, kind: str, dtype: type) -> Any:
    """Return an entry as an array: of bytes in the document's dtype, or of a list of numbers."""
    values = bqm[name]
    if isinstance(values, bytes):
        stated = bqm.get(kind)
        if stated not in DTYPES:
            raise source.wrong(f"{kind} is wrong", f"it is {stated!r}", f"one of {', '.join(DTYPES)}")
        size = np.dtype(stated).itemsize
        if len(values) % size:
            raise source.wrong(f"{name} is cut off", f"it has {len(values)} bytes", f"{stated} takes {size} each")
        array: AnyArray = np.frombuffer(values, np.dtype(stated).newbyteorder("<"))
    elif isinstance(values, list) and all(_is_number(value) for value in cast("list[Any]", values)):
        array = _numbers(source, name, cast("list[Any]", values))
    else:
        raise source.wrong(f"{name} is wrong", "it is to be a list of numbers, or bytes")
    if not np.isfinite(array).all():
        at = int(np.argmax(~np.isfinite(array)))
        raise source.wrong(f"{name}[{at}] is not finite", "energies are sums of finite numbers", code="T517")
    if dtype is np.int64 and (array != np.floor(array)).any():
        raise source.wrong(f"{name} is wrong", "indices are whole numbers")
    return array.astype(dtype)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(source: ProblemSource, name: str, values: list[int | float]) -> FloatArray:
    for at, value in enumerate(values):
        if isinstance(value, int) and abs(value) > EXACT:
            fact = "int64 ends at 2^63 - 1" if abs(value) >= INT64 else "float64 is exact up to 2^53"
            raise source.wrong(f"{name}[{at}] is too large", f"it is {value}", fact, hint="scale it down", code="T517")
    return np.array(values, float)


def _checked(
    source: ProblemSource, labels: tuple[Any, ...], linear: FloatArray, values: FloatArray, ends: list[IntArray]
) -> tuple[IntArray, IntArray]:
    n, (i, j) = len(labels), ends
    source.check_size(n, "variables")
    if len(linear) != n:
        raise source.wrong("the number of linear biases is wrong", f"{n} labels", f"{len(linear)} linear biases")
    if not len(i) == len(j) == len(values):
        notes = (f"{len(values)} biases", f"{len(i)} heads", f"{len(j)} tails")
        raise source.wrong("the number of quadratic biases is wrong", *notes)
    for name, index in zip(("quadratic_head", "quadratic_tail"), ends):
        outside = (index < 0) | (index >= n)
        if outside.any():
            at = int(np.argmax(outside))
            raise source.wrong(f"{name}[{at}] is {index[at]}", f"there are {n} variables, from 0")
    if (i == j).any():
        at = int(np.argmax(i == j))
        raise source.wrong("a quadratic bias joins a variable to itself", f"entry {at}, variable {labels[i[at]]!r}")
    return i, j


def ising_model(bqm: Any) -> tuple[IsingModel, list[Any]]:
    """Return the Ising model of a dimod model, and the labels of its spins in their order."""
    labels = list(bqm.variables)
    spin = bqm.spin
    linear, (i, j, values), offset = spin.to_numpy_vectors(variable_order=labels)
    form = QuadraticForm(
        linear=np.asarray(linear, float),
        i=np.asarray(i, np.int64),
        j=np.asarray(j, np.int64),
        values=np.asarray(values, float),
        offset=float(offset),
        spin=True,
    )
    return Ising.of(form, "bqm").model, labels
