"""Judgements as rows of the table that ``verify`` prints: one for each value, one for states, one for units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermoc.verification.comparison import EMISSION, LOWERING, STATES, UNITS, Comparison
from thermoc.verification.differences import Gap
from thermoc.verification.lowering import Lowering
from thermoc.verification.subject import Subject
from thermoc.verification.tolerances import Judgement


def row(subject: Subject, error: str, judgement: Judgement, gap: Gap) -> Comparison:
    """Return the row of one value."""
    # A sample that diverges is enough to say when.
    size, diverged = gap.size, gap.diverges.any(axis=1)
    tolerance = np.broadcast_to(gap.tolerance, size.shape)
    average = judgement.means.get(gap.name)
    together = judgement.correlations.get(gap.name) if isinstance(judgement, Lowering) else None
    return Comparison(
        target=subject.target,
        error=error,
        value=gap.name,
        verdict=_verdict(judgement, gap),
        largest=float(size.max(initial=0.0)),
        mean=float(size.mean()) if size.size else 0.0,
        differ=int((size > 0).sum()) if gap.discrete else None,
        count=size.size,
        first=int(diverged.argmax()) if diverged.any() and not gap.noise else None,
        bound=_nearest(size, tolerance),
        mean_difference=average.difference if average else None,
        mean_tolerance=average.tolerance if average else None,
        correlation_difference=together.difference if together else None,
        correlation_tolerance=together.tolerance if together else None,
        law=gap.law,
        course=(size.max(axis=(1, 2), initial=0.0), tolerance.max(axis=(1, 2), initial=0.0)),
    )


def _nearest(size: NDArray, tolerance: NDArray) -> float:
    """Return the tolerance where most of it is used; the least where none is."""
    if not size.any():
        return float(tolerance.min(initial=np.inf)) if tolerance.size else 0.0
    with np.errstate(all="ignore"):
        used = np.where(size > 0, size / tolerance, 0.0)
    return float(tolerance.flat[np.nanargmax(np.where(np.isnan(used), np.inf, used))])


def states_row(subject: Subject, judgement: Judgement) -> Comparison:
    """Return one row for all final states: the worst of them."""
    gap = max(judgement.gaps, key=lambda gap: (not judgement.holds(gap), gap.size.max(initial=0.0)))
    return replace(row(subject, EMISSION, judgement, gap), value=STATES, first=None)


def units_row(subject: Subject, judgement: Lowering) -> Comparison | None:
    """Return one row for all units of inexact passes, each given what the others said; None where every pass is exact.

    Its largest difference, bound and course are those of the value that takes the largest share of its tolerance.
    """
    gaps = [gap for units in judgement.units for gap in units.gaps if gap.size.size]
    if not gaps:
        return None
    discrete = [gap for gap in gaps if gap.discrete]
    wrong = sum(int(gap.beyond.sum()) for gap in gaps)
    blind = any(not gap.judged for gap in gaps)
    differ = any(gap.size.any() for gap in gaps)
    worst = max(gaps, key=lambda gap: (gap.beyond.any(), not gap.judged, float(gap.used.max())))
    at = np.unravel_index(int(worst.used.argmax()), worst.used.shape)
    ticks = [int(np.argwhere(gap.beyond)[0][0]) for gap in gaps if gap.beyond.any()]
    return Comparison(
        target=subject.target,
        error=LOWERING,
        value=UNITS,
        verdict="breach" if wrong else "equal" if not differ else "not judged" if blind else "declared",
        largest=float(worst.size[at]),
        mean=float(np.mean([gap.size.mean() for gap in gaps])),
        differ=sum(int((gap.size > 0).sum()) for gap in discrete) if discrete else None,
        count=sum(gap.size.size for gap in discrete or gaps),
        first=min(ticks, default=None),
        bound=float(worst.slack[at]),
        beyond=wrong,
        cut=sum(gap.cut for gap in gaps),
        course=(worst.size.max(axis=(1, 2)), np.where(np.isfinite(worst.slack), worst.slack, 0).max(axis=(1, 2))),
    )


def _verdict(judgement: Judgement, gap: Gap) -> str:
    if gap.law and isinstance(judgement, Lowering) and gap.size.any():
        if not (judgement.stages_ok and judgement.same_law(gap)):
            return "breach"
        return "diverged" if judgement.judged else "not judged"
    if not judgement.holds(gap):
        return "breach"
    if not gap.size.any():
        return "equal"
    if gap.offset or gap.noise or gap.sampling:
        return "declared"
    return "diverged" if gap.diverges.any() else "rounding"
