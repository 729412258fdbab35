"""All laws of a certificate judged together: one rate of false alarms for the whole of it."""

from __future__ import annotations

from collections.abc import Sequence

from thermoc.certificates.law import AGREEMENT, CANNOT_TELL, FAILS, HOLDS, Finding

FALSE_ALARMS = 1e-4
"""The chance that a certificate of a run that is right fails, over all its laws."""
RESOLUTION = 0.25
"""The bias that a run must be able to show (with 99 %) for a law to be said to hold."""


def level_of(findings: Sequence[Finding], rate: float = FALSE_ALARMS) -> float:
    """Return the p below which a law fails, by Holm's procedure (1979): any right law fails with ``rate`` at most.

    The least p is held against rate / m, the next against rate / (m - 1), until one does not fail; that one's level is
    all others' too. m: the laws that have a p, but for whether chains agree, which is no law that fails.
    """
    judged = (finding for finding in findings if finding.needed is None and finding.statistic != AGREEMENT)
    ranked = sorted(finding.p for finding in judged if finding.p is not None)
    failed = 0
    while failed < len(ranked) and ranked[failed] < rate / (len(ranked) - failed):
        failed += 1
    return rate / max(len(ranked) - failed, 1)


def overall(verdicts: Sequence[str]) -> str:
    """Return the verdict of several: one that fails counts most, then one that cannot tell. None: cannot tell."""
    return next(
        (verdict for verdict in (FAILS, CANNOT_TELL) if verdict in verdicts), HOLDS if verdicts else CANNOT_TELL
    )
