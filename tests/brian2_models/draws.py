"""Let Brian2's NumPy code draw the very numbers that a network of ours draws, so that runs with noise compare bit by bit.

Each call of rand, randn, ... in Brian2's code has a stream of ours: the calls of an object in the order of its code, the
objects in that of the schedule. An element is drawn by its index, so that code which runs for some units draws theirs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import binom, poisson

from thermoc.frontends.brian2 import calls
from thermoc.support import philox

LAWS = {"rand": philox.uniform, "randn": philox.normal}


class Draws:
    """Numbers of a seed for the call sites of one network."""

    def __init__(self, seed: int, tick: Callable[[], int]):
        self.seed, self.tick = seed, tick
        self.first: dict[int, int] = {}
        """The first stream of a piece of code, by its names."""
        self._sites: dict[int, dict[int, int]] = {}

    def rand(self, indices: Any) -> Any:
        """Return uniforms, one an index."""
        return self._shaped(self._uniform(indices), indices)

    def randn(self, indices: Any) -> Any:
        """Return normals, one an index."""
        return self._shaped(philox.normal(self._words(indices), np.dtype(float)), indices)

    def poisson(self, rate: float, indices: Any) -> Any:
        """Return Poisson numbers."""
        return self.count(poisson(float(rate)), indices)

    def count(self, law: Any, indices: Any) -> Any:
        """Return numbers of a law of whole numbers."""
        levels = law.cdf(np.arange(int(law.isf(calls._RAREST)) + 1))
        numbers = (self._uniform(indices)[:, None] > levels[levels < 1.0]).sum(1).astype(float)
        return self._shaped(numbers, indices)

    def _uniform(self, indices: Any) -> Any:
        words = self._words(indices)
        return philox.uniform(words[0], words[1], np.dtype(float))

    def _words(self, indices: Any) -> Any:
        # Brian2 hands over a range, chosen elements of one, or one number for all.
        chosen = getattr(indices, "indices", None)
        elements = np.zeros(1, int)
        if hasattr(indices, "__len__"):
            elements = np.asarray(indices[:] if chosen is None else chosen).astype(int)
        return philox.words(elements, tick=self.tick(), draw=0, stream=self._stream(), seed=self.seed)

    def _stream(self) -> int:
        frame = sys._getframe(1)
        while id(frame.f_globals) not in self.first:
            assert frame.f_back is not None
            frame = frame.f_back
        code = id(frame.f_globals)
        sites = self._sites.setdefault(code, {})
        return self.first[code] + sites.setdefault(frame.f_lasti, len(sites))

    @staticmethod
    def _shaped(numbers: Any, indices: Any) -> Any:
        return numbers if hasattr(indices, "__len__") else numbers[0]


def give(draws: Draws, streams: list[tuple[Any, int]]) -> list[tuple[Any, Any]]:
    """Let the objects of a network draw from ``draws``; return what Brian2 had, to be put back with ``take_back``."""
    from brian2.codegen.generators.numpy_generator import NumpyCodeGenerator
    from brian2.core.functions import DEFAULT_FUNCTIONS

    before = []
    for name in ("rand", "randn", "poisson"):
        table = DEFAULT_FUNCTIONS[name].implementations
        before.append((name, table[NumpyCodeGenerator]))
        table.add_implementation(NumpyCodeGenerator, code=getattr(draws, name))
    for item, first in streams:
        if type(item).__name__ == "PoissonInput":
            _counts(draws, item)
        _known(draws, item, first)
    return before


def take_back(before: list[tuple[Any, Any]]) -> None:
    """Let Brian2 draw its own numbers again."""
    from brian2.codegen.generators.numpy_generator import NumpyCodeGenerator
    from brian2.core.functions import DEFAULT_FUNCTIONS

    for name, implementation in before:
        DEFAULT_FUNCTIONS[name].implementations._implementations[NumpyCodeGenerator] = implementation


def _counts(draws: Draws, item: Any) -> None:
    n, p = int(item.N), float(item.rate * item.group.clock.dt)
    width = np.sqrt(n * p * (1 - p))
    normal = n * p > 5 and n * (1 - p) > 5
    function = next(value for value in item.variables.values() if type(value).__name__ == "BinomialFunction")
    draw = (lambda indices: draws.randn(indices) * width + n * p) if normal else (lambda i: draws.count(binom(n, p), i))
    function.implementations.add_implementation("numpy", draw)


def _known(draws: Draws, item: Any, first: int) -> None:
    make = getattr(item, "create_default_code_object", None)
    if make is None:
        return

    def made(namespace: Any) -> Any:
        code = make(namespace)
        if code is not None:
            draws.first[id(code.namespace)] = first
        return code

    item.create_default_code_object = made
