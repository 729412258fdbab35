"""Types of an op's results from those of its operands: letters are unified, dtypes and roles checked."""

from __future__ import annotations

from collections import deque

import numpy as np

from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op, OperandSpec, ResultSpec, ShapeProblem
from thermoc.ir.types import DType, Role, Shape, Type
from thermoc.ir.values import Value
from thermoc.support.errors import Finding

MAX_VISITS = 8
"""Times an op is typed anew at most: types along a cycle settle at once, or contradict each other for ever."""
_KINDS = {
    "float": {DType.f64, DType.f32},
    "int": {DType.i64, DType.i32},
    "index": {DType.i64, DType.i32},
    "bool": {DType.bool},
    "number": {DType.f64, DType.f32, DType.i64, DType.i32},
    "any": set(DType),
}


class Letters:
    """What the letters of one op stand for, and which operand said so."""

    def __init__(self) -> None:
        self.dims: dict[str, tuple[int, str]] = {}
        self.groups: dict[str, tuple[Shape, str]] = {}

    def bind(self, pattern: str, shape: Shape, who: str) -> None:
        """Match ``shape`` with ``pattern``; raise ShapeProblem where they disagree."""
        tokens = pattern.split()
        group = next((token for token in tokens if token[0] == "*"), None)
        fixed = len(tokens) - (group is not None)
        if len(shape) < fixed or (group is None and len(shape) > fixed):
            raise ShapeProblem(
                "an operand has the wrong number of axes",
                f"{who} has shape {list(shape)}",
                f"expected the form [{', '.join(tokens)}]",
            )
        cut = tokens.index(group) if group else len(tokens)
        after = len(tokens) - cut - 1 if group else 0
        for token, length in [*zip(tokens[:cut], shape), *zip(tokens[cut + 1 :], shape[len(shape) - after :])]:
            self._dim(token, length, who)
        if group:
            self._group(group[1:], shape[cut : len(shape) - after], who)

    def _dim(self, letter: str, length: int, who: str) -> None:
        bound, first = self.dims.setdefault(letter, (length, who))
        if bound != length:
            raise ShapeProblem(
                f"operands disagree on dimension '{letter}'",
                f"{first} has {letter} = {bound}",
                f"{who} has {letter} = {length}",
            )

    def _group(self, letter: str, shape: Shape, who: str) -> None:
        bound, first = self.groups.setdefault(letter, (shape, who))
        if bound != shape:
            raise ShapeProblem(
                f"operands disagree on shape '{letter}'",
                f"{first} has shape {list(bound)}",
                f"{who} has shape {list(shape)}",
            )

    def broadcast(self, letter: str, members: list[tuple[str, Shape]]) -> None:
        """Let each member broadcast into group ``letter``, which they form together if nothing else has."""
        bound = self.groups.get(letter)
        try:
            joint = np.broadcast_shapes(*(shape for _, shape in members), *([bound[0]] if bound else []))
        except ValueError:
            joint = None
        if joint is None or (bound is not None and joint != bound[0]):
            facts = ([f"{bound[1]} has shape {list(bound[0])}"] if bound else []) + [
                f"{who} has shape {list(shape)}" for who, shape in members
            ]
            raise ShapeProblem("operands do not broadcast to one shape", *facts)
        self.groups.setdefault(letter, (joint, members[0][0]))

    def shape(self, pattern: str) -> Shape:
        """Return the shape a pattern stands for."""
        lengths: list[int] = []
        for token in pattern.split():
            lengths += self.groups[token[1:]][0] if token[0] in "*~" else [self.dims[token][0]]
        return tuple(lengths)


def infer(op: Op) -> tuple[dict[str, Type], list[Finding]]:
    """Return the type of each result and what is wrong. Every operand's type must be known.

    An op is immutable and carries its operands' types, so the answer is kept with it: passes leave most ops as they
    were, and the verifier asks after each pass.
    """
    if "inferred" not in op.__dict__:
        op.__dict__["inferred"] = _infer(op)
    return op.__dict__["inferred"]


def _infer(op: Op) -> tuple[dict[str, Type], list[Finding]]:
    findings = [*_check_dtypes(op), *_check_roles(op)]
    try:
        shapes = _shapes(op)
    except (TypeError, ValueError, IndexError, OverflowError) as reason:  # attributes of a kind no check foresaw
        what = f"{op.opname}: its attributes cannot be read"
        return {}, [*findings, Finding(code="T105", what=what, where=op.location, notes=(str(reason),))]
    except ShapeProblem as problem:
        notes = problem.notes
        findings.append(
            Finding(code="T103", what=f"{op.opname}: {problem.what}", where=op.location, notes=notes, hint=_cure(op))
        )
        return {}, findings
    return {name: Type(shapes[name], *_meaning(op, spec)) for name, spec in op.result_specs.items()}, findings


def retyped(graph: Graph) -> Graph:
    """Return the graph with every type that follows from others recomputed; what does not follow stays as it was.

    Types spread along the dataflow until nothing changes, so that cycles settle too. Where an op's operands do not
    fit it, its results keep their types and the verifier says why.
    """
    ops = list(graph.ops)
    producers = {value.name: index for index, op in enumerate(ops) for value in op.results}
    readers: dict[int, list[int]] = {}
    for index, op in enumerate(ops):
        for value in op.inputs:
            if value.name in producers:
                readers.setdefault(producers[value.name], []).append(index)
    # A queue, not a sweep: a changed type reaches its readers only, and a graph of thousands of ops settles at once.
    queue, visits = deque(range(len(ops))), [0] * len(ops)
    queued = set(queue)
    while queue:
        index = queue.popleft()
        queued.discard(index)
        before = ops[index]
        ops[index] = _with_types(
            before,
            {
                v.name: v
                for i in {producers[u.name] for u in before.inputs if u.name in producers}
                for v in ops[i].results
            },
        )
        visits[index] += 1
        # The bound ends a cycle whose types contradict each other; the verifier then says so.
        if ops[index].results != before.results and visits[index] <= MAX_VISITS:
            fresh = [reader for reader in readers.get(index, ()) if reader not in queued]
            queue.extend(fresh)
            queued.update(fresh)
    typed = {value.name: value for op in ops for value in op.results}
    return graph.with_ops(op.renamed(lambda value: typed.get(value.name, value)) for op in ops)


def _with_types(op: Op, known: dict[str, Value]) -> Op:
    op = op.renamed(lambda value: known.get(value.name, value))
    if any(value.type is None for value in op.inputs):
        return op
    types, _ = infer(op)
    changes = {name: Value(getattr(op, name).name, kind) for name, kind in types.items()}
    return op if all(getattr(op, name) == value for name, value in changes.items()) else op.with_(**changes)


def _cure(op: Op) -> str:
    forms = [f"{name} [{spec.shape}]" for name, spec in op.operand_specs.items()]
    return "it takes " + ", ".join(forms) if forms else ""


def _shapes(op: Op) -> dict[str, Shape]:
    letters = Letters()
    loose: dict[str, list[tuple[str, Shape]]] = {}
    for name, value in op.operand_values:
        pattern = _spec(op, name).shape
        who = f"{name} ({value})"
        if pattern.startswith("~"):
            loose.setdefault(pattern[1:], []).append((who, value.shape))
        elif pattern != "?":
            letters.bind(pattern, value.shape, who)
    for letter, members in loose.items():
        letters.broadcast(letter, members)
    # An op whose letters cannot say its shapes (a convolution's) states them; letters are for all others.
    stated = op.shapes({name: shapes_of(getattr(op, name)) for name in op.operand_specs})
    return stated if stated is not None else {name: letters.shape(spec.shape) for name, spec in op.result_specs.items()}


def shapes_of(operand: Value | tuple[Value, ...] | None) -> Shape | tuple[Shape, ...] | None:
    """Return the shape of an operand, or the shapes of a variadic one."""
    if operand is None:
        return None
    if isinstance(operand, tuple):
        return tuple(value.shape for value in operand)
    return operand.shape


def _spec(op: Op, name: str) -> OperandSpec:
    return op.operand_specs[name.split("[")[0]]


def _check_dtypes(op: Op) -> list[Finding]:
    findings: list[Finding] = []
    floats: dict[DType, str] = {}
    for name, value in op.operand_values:
        dtype, kind = value.dtype, _spec(op, name).kind
        if dtype not in _KINDS[kind]:
            fact = f"{name} ({value}) has dtype {dtype}"
            findings.append(
                Finding(
                    code="T104",
                    what=f"{op.opname}: {name} must be {kind}",
                    where=op.location,
                    notes=(fact,),
                    hint="convert it with cast",
                )
            )
        elif dtype.is_float:
            floats.setdefault(dtype, f"{name} ({value})")
    if len(floats) > 1:
        notes = tuple(f"{who} has dtype {dtype}" for dtype, who in floats.items())
        findings.append(
            Finding(
                code="T104",
                what=f"{op.opname}: operands disagree on dtype",
                where=op.location,
                notes=notes,
                hint="convert one with cast",
            )
        )
    return findings


def _check_roles(op: Op) -> list[Finding]:
    findings: list[Finding] = []
    for name, value in op.operand_values:
        declared, role = _spec(op, name).role, value.role
        if declared is not None and role not in (declared, Role.signal):
            note = f"{name} ({value}) has the role {role}"
            what = f"{op.opname}: {name} must be a {declared}"
            findings.append(
                Finding(
                    code="T104",
                    what=what,
                    where=op.location,
                    notes=(note,),
                    hint=f"pass a {declared}, or a plain signal",
                )
            )
    return findings


def _meaning(op: Op, spec: ResultSpec) -> tuple[DType, Role]:
    like = _first(getattr(op, spec.like)) if spec.like else next(iter(op.inputs), None)
    dtype = spec.dtype or getattr(op, "dtype", None) or (like.dtype if like is not None else DType.f64)
    role = spec.role or getattr(op, "role", None) or (like.role if spec.like and like is not None else Role.signal)
    return DType(dtype), Role(role)


def _first(operand: Value | tuple[Value, ...]) -> Value:
    return operand[0] if isinstance(operand, tuple) else operand
