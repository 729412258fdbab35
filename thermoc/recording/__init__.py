"""Recording: what a run is asked to keep, what keeps it, and what comes of it."""

from __future__ import annotations

from thermoc.recording.specs import Spec, counts, events, every, extremes, last, mean

__all__ = ["Spec", "counts", "events", "every", "extremes", "last", "mean"]
