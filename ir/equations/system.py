"""A system of equations in Brian2's syntax, line by line: what its variables do, and when its units spike.

dv/dt = (v_rest - v + r*x)/tau : volt (unless refractory)     a variable
r_eff = r*(1 + a*v) : 1                                        a name for an expression
tau : second                                                   the unit of an input or a constant
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from thermoc.ir.equations.expressions import CONSTANTS, FUNCTIONS, Expression, parse
from thermoc.ir.equations.problems import EquationProblem
from thermoc.support.suggestions import near

MOST_LINES = 500
_NAME = r"[A-Za-z][A-Za-z0-9_]*"
_DIFFERENTIAL = re.compile(rf"\s*d\s*({_NAME})\s*/\s*dt\s*=")
_EXPRESSION = re.compile(rf"\s*({_NAME})\s*=(?!=)")
_DECLARATION = re.compile(rf"\s*({_NAME})\s*(?=:)")
_UNIT = re.compile(r"\s*(?P<unit>[^()]+?(?:\([^()]*\)[^()]*?)*?)\s*(?:\((?P<flags>[a-z ,_]+)\))?\s*\Z")
_ASSIGNMENT = re.compile(rf"\s*({_NAME})\s*([-+*/]?)=(?!=)")
NOISE = re.compile(r"xi(_[A-Za-z0-9_]+)?\Z")
FLAGS = frozenset({"unless refractory", "constant", "shared", "constant over dt"})
TIME, STEP = "t", "dt"
SPIKES = "spikes"
_RESERVED = frozenset({TIME, STEP, SPIKES, "i", "N", "and", "or", "not", *FUNCTIONS, *CONSTANTS})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: its name, its expression (None for a declaration), its unit, whether refractory units keep it."""

    name: str
    expression: Expression | None
    unit: Expression
    held: bool = False


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One statement of a reset: variable, operator ("" for plain) and expression."""

    name: str
    operator: str
    expression: Expression


@dataclass(frozen=True, kw_only=True, eq=False)
class System:
    """Equations, threshold and reset, read; ``slopes`` are the differential equations by variable.

    derived: names for expressions, each after those it reads. noises: xi and its kin, in the order of the text.
    """

    slopes: Mapping[str, Line]
    derived: tuple[Line, ...]
    declared: Mapping[str, Line]
    noises: tuple[str, ...]
    threshold: Expression | None
    reset: tuple[Assignment, ...]

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The variables in the order of their lines."""
        return tuple(self.slopes)

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """Every expression, equations first."""
        lines = (*self.slopes.values(), *self.derived)
        stated = [line.expression for line in lines if line.expression is not None]
        return (*stated, *((self.threshold,) if self.threshold else ()), *(line.expression for line in self.reset))

    @cached_property
    def free(self) -> frozenset[str]:
        """Names that must be given from outside, or be units."""
        names = {*self.slopes, *(line.name for line in self.derived), *self.noises, TIME, STEP, *CONSTANTS}
        return frozenset(name for expression in self.expressions for name in expression.reads()) - names

    @cached_property
    def timed(self) -> bool:
        """Tell whether the time itself stands in it."""
        return any(TIME in expression.reads() for expression in self.expressions)

    def needed(self, expressions: Iterable[Expression]) -> tuple[Line, ...]:
        """Return the derived lines that some expressions read, through each other too."""
        required = {name for expression in expressions for name in expression.reads()}
        for line in reversed(self.derived):
            if line.name in required and line.expression is not None:
                required |= line.expression.reads()
        return tuple(line for line in self.derived if line.name in required)


def canonical(text: str) -> str:
    """Return equations, a threshold or a reset without comments, blank lines and stray spaces; open brackets go on."""
    lines: list[str] = []
    depth = 0
    for raw in text.splitlines():
        line = " ".join(raw.split("#")[0].split())
        if not line:
            continue
        if depth > 0:
            lines[-1] += " " + line
        else:
            lines.append(line)
        depth += line.count("(") - line.count(")")
    return "\n".join(lines)


@lru_cache(maxsize=256)
def read(equations: str, threshold: str = "", reset: str = "") -> System:
    """Return the system of a text. Raises EquationProblem with the place."""
    lines = canonical(equations).split("\n")
    if len(lines) > MOST_LINES:
        raise EquationProblem(f"there are {len(lines)} lines, at most {MOST_LINES}")
    if lines == [""]:
        raise EquationProblem("there is no equation", hint='write "dv/dt = -v/tau : 1"')
    slopes: dict[str, Line] = {}
    derived: dict[str, Line] = {}
    declared: dict[str, Line] = {}
    for text in lines:
        kind, line = _line(text)
        if any(line.name in names for names in (slopes, derived, declared)):
            raise EquationProblem(f"{line.name} has a second line", text, text.index(line.name))
        {"slope": slopes, "derived": derived, "declared": declared}[kind][line.name] = line
    if not slopes:
        raise EquationProblem("no line is a differential equation", lines[0], hint='write "dv/dt = -v/tau : 1"')
    system = System(
        slopes=slopes,
        derived=_ordered(derived),
        declared=declared,
        noises=_noises(slopes, derived),
        threshold=parse(canonical(threshold)) if threshold else None,
        reset=_reset(reset, slopes),
    )
    if reset and not threshold:
        raise EquationProblem("a reset needs a threshold", canonical(reset))
    return system


def _line(text: str) -> tuple[str, Line]:
    kinds = {"slope": _DIFFERENTIAL, "derived": _EXPRESSION, "declared": _DECLARATION}
    matches = ((kind, pattern.match(text)) for kind, pattern in kinds.items())
    kind, match = next(((kind, match) for kind, match in matches if match), ("", None))
    if match is None:
        hint = 'lines read "dv/dt = expression : unit", "name = expression : unit" or "name : unit"'
        raise EquationProblem("this line cannot be read", text, hint=hint)
    name, start = match[1], match.end()
    if name in _RESERVED or NOISE.match(name):
        raise EquationProblem(f"{name} is taken", text, match.start(1), hint="choose another name")
    body, colon, unit_text = text[start:].rpartition(":")
    if not colon:
        raise EquationProblem("the unit is missing", text, len(text), hint='end the line with ": 1", or ": volt"')
    unit = _UNIT.match(unit_text)
    if unit is None:
        raise EquationProblem("the unit cannot be read", text, len(text) - len(unit_text))
    flags = {flag.strip() for flag in (unit["flags"] or "").split(",")} - {""}
    if flags - FLAGS:
        hint = near(min(flags - FLAGS), sorted(FLAGS), f"there are {', '.join(sorted(FLAGS))}")
        what = f"there is no flag {min(flags - FLAGS)!r}"
        raise EquationProblem(what, text, len(text) - len(unit_text) + unit.start("flags"), hint=hint)
    unit_start = len(text) - len(unit_text) + unit.start("unit")
    lead = len(body) - len(body.lstrip())
    expression = None if kind == "declared" else parse(body.strip(), text, start + lead)
    read_unit = parse(unit["unit"], text, unit_start)
    return kind, Line(name=name, expression=expression, unit=read_unit, held="unless refractory" in flags)


def _ordered(derived: Mapping[str, Line]) -> tuple[Line, ...]:
    """Return the lines, each after those it reads."""
    order: dict[str, Line] = {}
    waiting = dict(derived)
    while waiting:
        ready = [name for name, line in waiting.items() if not _reads(line) & waiting.keys()]
        if not ready:
            line = next(iter(waiting.values()))
            assert line.expression is not None
            facts = (f"it reads {', '.join(sorted(_reads(line) & waiting.keys()))}",)
            raise EquationProblem(f"{line.name} is defined by itself", line.expression.line, facts=facts)
        order |= {name: waiting.pop(name) for name in ready}
    return tuple(order.values())


def _reads(line: Line) -> frozenset[str]:
    return line.expression.reads() if line.expression is not None else frozenset()


def _noises(slopes: Mapping[str, Line], derived: Mapping[str, Line]) -> tuple[str, ...]:
    for line in derived.values():
        for node in line.expression.names if line.expression else ():
            if NOISE.match(node.id) and line.expression:
                hint = "noise stands in differential equations alone"
                raise line.expression.problem(node, f"{node.id} stands in an expression", hint=hint)
    noises: dict[str, str] = {}
    for variable, line in slopes.items():
        for node in line.expression.names if line.expression else ():
            if not NOISE.match(node.id) or line.expression is None:
                continue
            if node.id == "xi" and noises.get("xi", variable) != variable:
                hint = "name them: xi_1 and xi_2 are independent, and one name is one noise"
                raise line.expression.problem(node, "xi stands in two equations", hint=hint)
            noises.setdefault(node.id, variable)
    return tuple(noises)


def _reset(text: str, slopes: Mapping[str, Line]) -> tuple[Assignment, ...]:
    statements: list[Assignment] = []
    for line in canonical(text.replace(";", "\n")).split("\n") if text.strip() else ():
        match = _ASSIGNMENT.match(line)
        if not match:
            raise EquationProblem("this reset cannot be read", line, hint='write "v = 0; u += d"')
        if match[1] not in slopes:
            facts = (f"the variables are {', '.join(slopes)}",)
            raise EquationProblem(f"{match[1]} is no variable", line, match.start(1), facts=facts)
        body = line[match.end() :]
        start = match.end() + len(body) - len(body.lstrip())
        expression = parse(body.strip(), line, start)
        statements.append(Assignment(name=match[1], operator=match[2], expression=expression))
    return tuple(statements)
