"""What is wrong with an equation, and where in it."""

from __future__ import annotations

from collections.abc import Sequence


class EquationProblem(Exception):
    """One thing wrong with an equation: what, the line it stands in, the column, the cure.

    ``notes`` shows the line with a caret under the place.
    """

    def __init__(
        self,
        what: str,
        line: str = "",
        column: int = 0,
        *,
        facts: Sequence[str] = (),
        hint: str = "",
        code: str = "T113",
    ):
        super().__init__(what)
        self.what, self.line, self.column, self.facts = what, line, column, tuple(facts)
        self.hint, self.code = hint, code

    @property
    def notes(self) -> tuple[str, ...]:
        """The line, a caret under the place, and the facts."""
        shown = (self.line, " " * self.column + "^") if self.line else ()
        return (*shown, *self.facts)
