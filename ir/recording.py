"""What is kept of an output while a run goes on: recorders reduce its values, some ticks at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from thermoc.support.array_types import AnyArray


class Recorder(ABC):
    """Reduces the values of one output, which come some ticks at a time, in order.

    What it has at the end depends on the values alone, bit for bit: never on where they were cut.
    """

    @abstractmethod
    def take(self, array: AnyArray) -> None:
        """Take the values (ticks, batch, *shape) of the ticks that follow those it has."""

    @property
    @abstractmethod
    def result(self) -> Any:
        """What is recorded so far."""

    @abstractmethod
    def snapshot(self) -> dict[str, AnyArray]:
        """Return all that another recorder of the same kind needs to go on from here."""

    @abstractmethod
    def restore(self, snapshot: Mapping[str, AnyArray]) -> None:
        """Go on from a snapshot."""
