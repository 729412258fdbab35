"""Controls: copies of the record that are wrong on purpose. A check that does not notice them proves nothing.

Each op with noise, a state or couplings is checked once more for each way in which it might go unnoticed that it is
wrong: at another temperature, without moving, between other couplings, with noise that samples share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.certificates.law import CANNOT_TELL, FAILS, HOLDS, Finding, Law
from thermoc.certificates.laws import COUPLINGS, FROZEN, LAWS, SHARED, TEMPERATURE, Rule
from thermoc.certificates.observed import Observed
from thermoc.ir.dialects import thermo

HOTTER = 1.5
"""What the temperature that the laws are told is multiplied by; well beyond what every law that holds must show."""
FIRST_NUMBERS = 2**13
"""Numbers of a record that a control begins with; it takes more only where they show nothing."""
GROWTH, FIRST_TICKS = 8, 8


@dataclass(frozen=True, kw_only=True)
class Control:
    """What became of a record that was falsified. caught: by which law; "" where none noticed.

    verdict: ``holds`` where it was caught. Where it was not: ``cannot tell`` if the run is too short for the op's laws
    anyway, else ``fails``: the certificate is blind to it.
    """

    control: str
    op: str
    caught: str
    verdict: str

    def to_json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return asdict(self)


def controls(observed: Observed, laws: tuple[Law, ...], level: float) -> Iterator[Control]:
    """Yield the controls of an op. laws: as they were judged on the true record, at ``level``."""
    rule = LAWS[type(observed.op)]
    short = any(law.verdict == CANNOT_TELL for law in laws if law.op == observed.label)
    for name in rule.controls:
        if not _FALSIFIERS[name].applies(observed, rule):
            continue
        caught = _caught(observed, rule, _FALSIFIERS[name].falsified, level)
        missed = CANNOT_TELL if short else FAILS
        yield Control(control=name, op=observed.label, caught=caught, verdict=HOLDS if caught else missed)


def _caught(observed: Observed, rule: Rule, falsified: Callable[[Observed, Rule], Observed], level: float) -> str:
    """Return the statement of a law that a falsified record breaks, "" where none does."""
    ticks = observed.ticks
    size = max(sum(array[0].size for array in observed.arrays.values() if len(array) > 1), 1)
    count = max(FIRST_NUMBERS // size, 16)
    while True:
        record = falsified(observed.first(min(count, ticks)), rule)
        with np.errstate(all="ignore"):
            broken = next((law for law in _judged(rule.check(record), level) if law.verdict == FAILS), None)
        if broken is not None:
            return broken.statement
        if count >= ticks:
            return ""
        count *= GROWTH


def _judged(findings: Iterator[Any], level: float) -> Iterator[Law]:
    return (finding.at(level, np.inf) for finding in findings if isinstance(finding, Finding))


@dataclass(frozen=True, kw_only=True)
class _Falsifier:
    applies: Callable[[Observed, Rule], bool]
    falsified: Callable[[Observed, Rule], Observed]


def _noisy(observed: Observed, rule: Rule) -> bool:
    del rule
    return getattr(observed.op, "k_B", 1.0) > 0 and _rubs(observed)


def _rubs(observed: Observed) -> bool:
    """Without friction no bath acts."""
    return "friction" not in observed or bool(observed["friction"].all())


def _hotter(observed: Observed, rule: Rule) -> Observed:
    return _with(observed, {name: observed[name] * HOTTER for name in rule.temperatures if name in observed})


def _heated(observed: Observed, rule: Rule) -> bool:
    """Tell whether temperature changes anything: it does not where all levels are the same."""
    if "ambient" in observed:
        return bool(observed["ambient"].any())
    if "drive" in observed:
        return bool(observed["drive"].any())
    if isinstance(observed.op, thermo.SampleCategorical):
        return _anywhere(observed["x"], lambda x: np.ptp(x, axis=-1))
    return _rubs(observed)


def _frozen(observed: Observed, rule: Rule) -> Observed:
    return _with(observed, {name: np.broadcast_to(observed[name][:1], observed[name].shape) for name in rule.moves})


def _moves(observed: Observed, rule: Rule) -> bool:
    return any(_anywhere(observed[name], lambda array, name=name: array != observed[name][:1]) for name in rule.moves)


def _anywhere(array: NDArray, told: Callable[[NDArray], NDArray]) -> bool:
    """Tell whether it is so anywhere in an array (ticks, ...); mostly its first ticks show it."""
    return bool(told(array[:FIRST_TICKS]).any()) or bool(told(array).any())


def _rewired(observed: Observed, rule: Rule) -> Observed:
    """Return the record with the couplings of other units."""
    return _with(observed, {}, _permuted(observed, rule) or {})


def _couples(observed: Observed, rule: Rule) -> bool:
    return _permuted(observed, rule) is not None


def _permuted(observed: Observed, rule: Rule) -> dict[str, NDArray] | None:
    """Return the couplings of permuted units; None where they are as before in any order, all equal say."""
    constants = observed.constants
    names = [rule.couplings] if rule.couplings in constants else ["values", "columns", "offsets"]
    if not all(name in constants for name in names):
        return None
    n = len(constants[names[-1]]) - (len(names) > 1)
    for key in range(8):
        order = np.random.Generator(np.random.Philox(key=key)).permutation(n)
        permuted = _in_order(constants, names, order)
        if any(not np.array_equal(constants[name], permuted[name]) for name in names):
            return permuted
    return None


def _in_order(constants: Mapping[str, NDArray], names: list[str], order: NDArray) -> dict[str, NDArray]:
    if len(names) == 1:
        return {names[0]: constants[names[0]][np.ix_(order, order)]}
    from scipy.sparse import csr_array

    n = len(order)
    J: Any = csr_array(tuple(constants[name] for name in names), shape=(n, n))[order][:, order].tocsr()
    return {"values": J.data, "columns": J.indices, "offsets": J.indptr}


def _alike(observed: Observed, rule: Rule) -> Observed:
    """Return the record with the first sample in the place of all: what samples would be if they shared their noise."""
    del rule
    size = max(2, max(array.shape[1] for array in observed.arrays.values()))
    return _with(
        observed,
        {
            name: np.broadcast_to(array[:, :1], (len(array), size, *array.shape[2:]))
            for name, array in observed.arrays.items()
            if name not in observed.constants
        },
    )


def _with(
    observed: Observed, arrays: Mapping[str, NDArray], constants: Mapping[str, NDArray] | None = None
) -> Observed:
    constants = constants or {}
    stated = {name: np.asarray(array, float)[np.newaxis, np.newaxis] for name, array in constants.items()}
    return replace(
        observed,
        arrays={**observed.arrays, **arrays, **stated},
        constants={**observed.constants, **constants},
    )


_FALSIFIERS: dict[str, _Falsifier] = {
    TEMPERATURE: _Falsifier(applies=_heated, falsified=_hotter),
    FROZEN: _Falsifier(applies=_moves, falsified=_frozen),
    COUPLINGS: _Falsifier(applies=_couples, falsified=_rewired),
    SHARED: _Falsifier(applies=_noisy, falsified=_alike),
}
