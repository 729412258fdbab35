"""Ways to damage a file. Each is a function of a random generator, so that one seed is one file."""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Damage = Callable[[random.Random, bytes], bytes]

WHOLE = [
    0,
    1,
    -1,
    2,
    7,
    255,
    256,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**53,
    2**63 - 1,
    2**63,
    2**64 - 1,
]
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 1.5, -0.0, 1e308, 1e-320, 2**31, 2**63, 2**70, 10**30, "", "x", "a b", "%", "\0"),
    *([], {}, [[]], [1], [1, 2], [[1, 2], [3, 4]], [-1], [2**40, 2**40], [0, 2**62], [1e300], {"tensor": "w"}),
    *(
        "f64",
        "signal f64[2]",
        "signal f64[-1]",
        "signal f64[4000000000,4000000000]",
        "temperature f32[]",
        "index i64[0]",
    ),
    *("core.input", "thermo.gibbs", "x" * 400, "../../etc/passwd", "/dev/zero", "\u202e\u0000", "[red]", "nan", "inf"),
]
WORDS = [
    *(b"nan", b"inf", b"-inf", b"1e400", b"-1", b"0", b"1e-400", b"9" * 5000, b"9" * 30, b"0x10", b"1_000", b"true"),
    *(b"[" * 40, b"{" * 40, b"a." * 60, b'"', b"'''", b"\xff\xfe", b"\0", b"\n", b"=", b"[[x]]", b"#", b"/dev/zero"),
    *(b"../../etc/passwd", b"x" * 400, b"\xe2\x80\xae", b"1.5", b"\xef\xbb\xbf", b"(" * 30, b"kg^99", b"((m^9)^9)^9"),
]


def bytes_damaged(rng: random.Random, data: bytes) -> bytes:
    """Flip, overwrite, cut, repeat or insert bytes at one place."""
    if not data:
        return rng.randbytes(8)
    at, way = rng.randrange(len(data)), rng.randrange(9)
    size = min(1 << rng.randrange(10), len(data) - at)
    if way == 0:
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if way == 1:
        return data[:at] + rng.randbytes(min(size, 8)) + data[at + min(size, 8) :]
    if way == 2:
        return data[:at]
    if way == 3:
        return data[:at] + data[at + size :]
    if way == 4:
        return data[:at] + data[at : at + size] * rng.choice((2, 3, 50)) + data[at + size :]
    if way == 5:
        other = rng.randrange(len(data))
        return data[:at] + data[other : other + size] + data[at + size :]
    if way == 6:
        return data[:at] + rng.choice(WORDS) + data[at:]
    return integer_damaged(rng, data)


def integer_damaged(rng: random.Random, data: bytes) -> bytes:
    """Overwrite an integer of 1 to 8 bytes, most often where one may lie, with one that breaks sums of sizes."""
    width = rng.choice((1, 2, 4, 8, 8))
    if len(data) < width:
        return data
    at = rng.randrange(len(data) - width + 1)
    at -= at % rng.choice((1, width))
    old = int.from_bytes(data[at : at + width], "little")
    number = rng.choice([*WHOLE, len(data), len(data) - at, old + 1, old - 1, old * 2, old // 2, rng.getrandbits(24)])
    return data[:at] + (number % 2 ** (8 * width)).to_bytes(width, "little") + data[at + width :]


def text_damaged(rng: random.Random, data: bytes) -> bytes:
    """Replace, double or leave out a word or a line."""
    way = rng.randrange(6)
    if way < 2:
        lines = data.split(b"\n")
        at = rng.randrange(len(lines))
        lines[at : at + 1] = [[], [lines[at]] * rng.choice((2, 500)), [rng.choice(lines)]][rng.randrange(3)]
        return b"\n".join(lines)
    words = _words(data)
    if not words or way == 5:
        return bytes_damaged(rng, data)
    first, last = rng.choice(words)
    return data[:first] + rng.choice([*WORDS, data[slice(*rng.choice(words))]]) + data[last:]


def _words(data: bytes) -> list[tuple[int, int]]:
    marks = np.frombuffer(data, np.uint8)
    inside = (marks > 32) & ~np.isin(marks, np.frombuffer(b',={}[]()"', np.uint8))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))


def places(document: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield the way to each value inside a JSON document."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def document_damaged(rng: random.Random, document: Any) -> Any:
    """Return a JSON document with one value replaced, left out, doubled, nested, or put in another's place."""
    document = copy.deepcopy(document)
    spots = list(places(document))
    if not spots:
        return rng.choice(ODD)
    *way, last = rng.choice(spots)
    inner = functools.reduce(lambda held, key: held[key], way, document)
    kind = rng.randrange(8)
    if kind == 0:
        del inner[last]
    elif kind == 1:
        *other, name = rng.choice(spots)
        inner[last] = copy.deepcopy(functools.reduce(lambda held, key: held[key], [*other, name], document))
    elif kind == 2 and isinstance(inner, list):
        inner.insert(last, copy.deepcopy(inner[last]))
    elif kind == 3 and isinstance(inner, dict):
        inner[rng.choice([word for word in ODD if isinstance(word, str)])] = inner.pop(last)
    elif kind == 4:
        for _ in range(rng.choice((1, 30, 200))):
            inner[last] = [inner[last]]
    elif kind == 5 and isinstance(inner[last], int | float):
        inner[last] = rng.choice([*WHOLE, -(2**63), inner[last] + 1, inner[last] * 2, -inner[last], 0.5])
    else:
        inner[last] = copy.deepcopy(rng.choice(ODD))
    return document


def array_damaged(rng: random.Random, array: np.ndarray, dtypes: Sequence[str]) -> np.ndarray:
    """Return an array of another dtype, another shape or odd numbers."""
    way = rng.randrange(5) if array.dtype.kind in "biuf" else 2
    with np.errstate(all="ignore"):
        if way == 0:
            return array.astype(rng.choice(dtypes))
        if way == 1:
            shape = [rng.choice((0, 1, 2, 3, 7)) for _ in range(rng.randrange(5))]
            return np.resize(array, shape) if array.size else np.zeros(shape, array.dtype)
        if way == 2:
            return array.reshape(-1)[: rng.randrange(array.size + 1)].copy()
        if not array.size:
            return np.ones(rng.randrange(4), array.dtype)
        changed = array.copy()
        odd = rng.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, 1e-320, 2.0**53, 1e5, 3.0])
        changed.reshape(-1)[rng.randrange(changed.size)] = np.array(odd).astype(array.dtype)
        if way == 4:
            changed[...] = np.array(odd).astype(array.dtype)
        return changed
