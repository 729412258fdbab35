"""The graph that a text describes: the inverse of ``ir/printer.py``, whose docstring shows the text."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import numpy as np

from thermoc.ir import dialects  # noqa: F401  # pyright: ignore[reportUnusedImport]  (registers the ops)
from thermoc.ir.graph import Graph
from thermoc.ir.ops import REGISTRY, Op
from thermoc.ir.types import DType, Role, Type
from thermoc.ir.values import Array, Value
from thermoc.support.errors import error

_HEAD = re.compile(r'network ("(?:[^"\\]|\\.)*") dt=(\S+) \{\Z')
_LINE = re.compile(
    r"(?:(?P<results>%.*?) = )?(?P<op>[a-z_]+\.[a-z_0-9]+)\((?P<operands>[^)]*)\)(?: \{(?P<attrs>.*)\})?\Z"
)
_TYPE = re.compile(r"([a-z]+) ([a-z0-9]+)\[([0-9,]*)\]")
_ARRAY = re.compile(r"(f64|f32|i64|i32|bool)\[([0-9,]*)\] ")
_DATA = re.compile(r'@([0-9a-f]{64}): "([A-Za-z0-9+/=]*)"\Z')


def parse_graph(text: str) -> Graph:
    """Return the graph a text describes, not verified. Errors: T110 with the line."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines or not (head := _HEAD.match(lines[0][1])):
        _fail(1, lines[0][1] if lines else "", 'a graph starts with: network "name" dt=1.0 {')
    body, data = _until_brace(lines[1:])
    arrays = dict(_data(data))
    try:
        name, dt = json.loads(head[1]), float(head[2])
    except ValueError as reason:
        _fail(lines[0][0], lines[0][1], str(reason))
    ops = [_parse_op(number, line, arrays) for number, line in body]
    typed = {value.name: value for op in ops for value in op.results}
    return Graph(name=name, dt=dt, ops=tuple(op.renamed(lambda value: typed.get(value.name, value)) for op in ops))


def _fail(number: int, line: str, reason: str) -> NoReturn:
    # A line of numbers can be as long as the file.
    shown = line if len(line) <= 120 else line[:117] + "..."
    raise error("T110", f"line {number} of the graph's text cannot be parsed", notes=[shown, reason])


def _until_brace(lines: list[tuple[int, str]]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    for index, (_, line) in enumerate(lines):
        if line == "}":
            return lines[:index], lines[index + 1 :]
    _fail(lines[-1][0] if lines else 1, "", "the closing } is missing")


def _data(lines: list[tuple[int, str]]) -> Iterator[tuple[str, bytes]]:
    if not lines:
        return
    if lines[0][1] != "data {" or lines[-1][1] != "}":
        _fail(*lines[0], "after the network comes: data { ... }")
    for number, line in lines[1:-1]:
        if not (match := _DATA.match(line)):
            _fail(number, line, 'a datum reads: @<64 hex digits>: "<base64>"')
        try:
            # Without validate, letters that are no base64 are skipped silently.
            yield match[1], base64.b64decode(match[2], validate=True)
        except binascii.Error as reason:
            _fail(number, line, str(reason))


def _parse_op(number: int, line: str, arrays: dict[str, bytes]) -> Op:
    if not (match := _LINE.match(line)):
        _fail(number, line, "an op reads: %result: role dtype[shape] = dialect.noun(operand=%value) {attribute=1}")
    cls = REGISTRY.get(match["op"])
    if cls is None:
        _fail(number, line, f"there is no op {match['op']}")
    try:
        results = _results(cls, match["results"] or "")
        return cls(**results, **_operands(cls, match["operands"]), **_attrs(match["attrs"] or "", arrays))
    except (TypeError, ValueError, KeyError) as reason:
        _fail(number, line, str(reason).replace(cls.__name__ + ".__init__()", cls.opname))


def _results(cls: type[Op], text: str) -> dict[str, Value]:
    # Shapes have commas too: only one before a % parts two results.
    entries = re.split(r", (?=%)", text) if text else []
    if len(entries) != len(cls.result_specs):
        raise ValueError(f"{cls.opname} has {len(cls.result_specs)} results, {len(entries)} are named")
    return dict(zip(cls.result_specs, map(_result, entries)))


def _result(text: str) -> Value:
    name, _, kind = text.partition(": ")
    if not kind:
        return Value(name[1:])
    return Value(name[1:], parse_type(kind))


def parse_type(text: str) -> Type:
    """Return the type written as ``role dtype[shape]``. Raises ValueError."""
    match = _TYPE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no type")
    return Type(_shape(match[3]), DType(match[2]), Role(match[1]))


def _shape(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(","))) if text else ()


def _operands(cls: type[Op], text: str) -> dict[str, Any]:
    operands: dict[str, Any] = {}
    for entry in text.split(", ") if text else []:
        name, _, value = entry.partition("=")
        is_list = value.startswith("[")
        if name in cls.operand_specs and cls.operand_specs[name].variadic != is_list:
            raise ValueError(f"{name} of {cls.opname} is {'a list' if is_list else 'no list'}")
        operands[name] = tuple(Value(member[1:]) for member in value[1:-1].split()) if is_list else Value(value[1:])
    return operands


def _attrs(text: str, arrays: dict[str, bytes]) -> dict[str, Any]:
    decoder, at = json.JSONDecoder(), 0
    attrs: dict[str, Any] = {}
    while at < len(text):
        equals = text.index("=", at)
        name, at = text[at:equals], equals + 1
        if match := _ARRAY.match(text, at):
            attrs[name], at = _array(match, text, decoder, arrays)
        else:
            value, at = decoder.raw_decode(text, at)
            attrs[name] = tuples(value)
        at += 2  # the comma and the space
    return attrs


def _array(match: re.Match[str], text: str, decoder: json.JSONDecoder, arrays: dict[str, bytes]) -> tuple[Array, int]:
    dtype, shape, at = DType(match[1]).numpy, _shape(match[2]), match.end()
    if text[at] == "@":
        digest, at = text[at + 1 : at + 65], at + 65
        array = Array(np.frombuffer(arrays[digest], dtype.newbyteorder("<")).astype(dtype).reshape(shape))
        # A text that was edited by hand must not give other numbers under an old name.
        if array.digest != digest:
            raise ValueError(f"@{digest} does not have the content its name says")
        return array, at
    numbers, at = decoder.raw_decode(text, at)
    return Array(np.array(numbers, dtype).reshape(shape)), at


def tuples(value: Any) -> Any:
    """Return a JSON value with lists as tuples."""
    return tuple(tuples(item) for item in cast("list[Any]", value)) if isinstance(value, list) else value
