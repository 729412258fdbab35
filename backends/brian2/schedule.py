"""The order of a tick: tasks follow what they read, and statements of one group are gathered into few blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that reads and writes values.

    beside: values of the same group, read unit by unit. apart: values that must be complete before it starts.
    group: the group whose block may take it, None for what stands alone. what: what it does. only: the probes that
    alone need it.
    """

    what: Any
    writes: tuple[str, ...]
    beside: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    group: str | None = None
    only: frozenset[str] = frozenset()

    @property
    def reads(self) -> frozenset[str]:
        """All it reads."""
        return self.beside | self.apart


def ordered(tasks: Sequence[Task]) -> list[list[Task]]:
    """Return lists of tasks that run together, in their order."""
    waiting, pending = list(tasks), {name for task in tasks for name in task.writes}
    steps: list[list[Task]] = []
    while waiting:
        # What stands alone goes first: the blocks behind it can then hold more statements, and each block costs a call.
        step = _alone(waiting, pending) or _block(waiting, pending)
        if not step:
            raise error("T202", "the tick has no order", notes=[f"waiting: {sorted(pending)[:5]}"])
        pending -= {name for task in step for name in task.writes}
        scheduled = set(map(id, step))
        waiting = [task for task in waiting if id(task) not in scheduled]
        steps.append(step)
    return steps


def _alone(waiting: Iterable[Task], pending: set[str]) -> list[Task]:
    """Return the first task that stands alone and has all it reads."""
    return next(([task] for task in waiting if task.group is None and not task.reads & pending), [])


def _block(waiting: Sequence[Task], pending: set[str]) -> list[Task]:
    """Return the longest block of statements of the group of the first one that has all it reads.

    Statements that only probes need have blocks of their own, so that the others stay as they are without them.
    """
    first = next((task for task in waiting if task.group is not None and not task.reads & pending), None)
    block: list[Task] = []
    inside: set[str] = set()
    for task in waiting if first else ():
        ready = not task.apart & pending and not (task.beside & pending) - inside
        if first is not None and (task.group, task.only) == (first.group, first.only) and ready:
            block.append(task)
            inside |= set(task.writes)
    return block
