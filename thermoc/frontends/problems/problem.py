"""A problem of optimisation with its exact map to spins, and the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.ising_model import IsingModel
from thermoc.support.array_types import BoolArray, IntArray
from thermoc.support.errors import ThermocError, error
from thermoc.support.loading import cut


@dataclass(frozen=True, kw_only=True)
class Problem(ABC):
    """What is to be made least or most, over spins of -1 and 1 (model.size,).

    At every feasible answer the energy of ``encode`` is the objective, with a minus where it is to be made most; the
    states of least energy are feasible. Objectives are of the numbers in the file, and never of the model.
    """

    name: str
    model: IsingModel
    kind: ClassVar[str]
    sense: ClassVar[str] = "min"

    @property
    def bits(self) -> int:
        """Return how many bits an answer has: spins that only help the map are not among them."""
        return self.model.size

    @abstractmethod
    def objective(self, spins: ArrayLike) -> int | float:
        """Return what the answer is worth, from the original numbers; an int where it is a whole number."""

    def feasible(self, spins: ArrayLike) -> bool:
        """Tell whether the answer is allowed."""
        return True

    @abstractmethod
    def decode(self, spins: ArrayLike) -> Any:
        """Return the answer in the words of the problem."""

    @abstractmethod
    def encode(self, assignment: Any) -> IntArray:
        """Return the spins (model.size,) of an answer, those that help the map at their best. Errors: T518."""

    def complete(self, bits: BoolArray) -> IntArray:
        """Return the spins (model.size,) of an answer's bits (self.bits,)."""
        return spins_of(bits)

    def answer(self, spins: ArrayLike) -> BoolArray:
        """Return the bits (self.bits,) of an answer. Errors: T518 where spins are of another shape."""
        spins = np.asarray(spins)
        if spins.shape != (self.model.size,):
            notes = [f"spins have shape {list(spins.shape)}", f"the model has {self.model.size}"]
            raise error("T518", "the spins are of another problem", notes=notes)
        return spins[: self.bits] > 0

    def bit_string(self, spins: ArrayLike) -> str:
        """Return the answer's bits as a text of 0 and 1."""
        return (self.answer(spins) + np.uint8(ord("0"))).astype(np.uint8).tobytes().decode()

    def from_bits(self, text: str) -> IntArray:
        """Return the spins (model.size,) of a bit string. Errors: T518."""
        if len(text) != self.bits:
            notes = [f"it has {len(text)} letters", f"an answer to {self.name} as {self.kind} has {self.bits}"]
            raise error("T518", "a bit string does not fit the problem", notes=notes)
        if set(text) - {"0", "1"}:
            raise error("T518", "a bit string has other letters than 0 and 1", notes=[f"it is {cut(text, 80)!r}"])
        return self.complete(np.frombuffer(text.encode(), np.uint8) == ord("1"))

    def energy(self, spins: ArrayLike) -> float:
        """Return the energy of the model."""
        return float(self.model.energy(np.asarray(spins, float)))


def spins_of(bits: ArrayLike) -> IntArray:
    """Return 2 b - 1."""
    return 2 * np.asarray(bits, bool).astype(np.int64) - 1


def number(value: Any) -> int | float:
    """Return a number as an int where it is a whole one: sums of integers are exact, for readers refuse others."""
    value = float(value)
    return int(value) if value.is_integer() else value


def of_length(assignment: Any, length: int, low: int, high: int, what: str) -> IntArray:
    """Return an assignment as integers (length,) from low to high. Errors: T518."""
    try:
        values = np.asarray(assignment)
        integers = values.astype(np.int64)
        fits = integers.shape == (length,) and bool((integers == values).all())
    except (TypeError, ValueError, OverflowError):
        raise unfit(f"it is no list of {length} {what}") from None
    if not fits or (length and (integers.min() < low or integers.max() > high)):
        raise unfit(f"it is to be {length} {what} from {low} to {high}")
    return integers


def unfit(fact: str) -> ThermocError:
    """Return the error of an answer that does not fit its problem."""
    return error("T518", "the answer does not fit the problem", notes=[fact])
