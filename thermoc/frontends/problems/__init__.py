"""Problems of optimisation: files in, an Ising model and the way back out."""

from __future__ import annotations

from thermoc.frontends.problems.formats import FORMATS, KINDS, read

__all__ = ["FORMATS", "KINDS", "read"]
