"""Storage of patterns in couplings of spins (P12, P36): Hebb's rule, Storkey's, and the pseudo-inverse.

Each returns J (n, n), symmetric with zero diagonal, under which E = -s.J.s / 2 has minima at or near the patterns
(p, n) of -1 and +1. Random patterns are recalled up to about 0.14 n of them by Hebb's rule (Amit, Gutfreund and
Sompolinsky, Phys. Rev. Lett. 55 (1985) 1530), more by Storkey's, and n linearly independent ones by the pseudo-inverse.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


def hebb(patterns: ArrayLike) -> FloatArray:
    """Return J_ij = sum_p x_pi x_pj / n. Errors: T402, T403."""
    x = _patterns(patterns)
    J = x.T @ x / x.shape[1]
    np.fill_diagonal(J, 0.0)
    return J


def storkey(patterns: ArrayLike) -> FloatArray:
    """Return the couplings of Storkey's rule, pattern by pattern; their order matters a little.

    J_ij grows by (x_i x_j - x_i f_ji - f_ij x_j) / n with f_ij = sum over k other than i and j of J_ik x_k (Storkey,
    ICANN 1997). Errors: T402, T403.
    """
    x = _patterns(patterns)
    n = x.shape[1]
    J = np.zeros((n, n))
    for pattern in x:
        # with the diagonal at 0, the sum over all k has but the term of j too many
        field = (J @ pattern)[:, np.newaxis] - J * pattern
        crossed = field * pattern
        J += (np.outer(pattern, pattern) - crossed - crossed.T) / n
        np.fill_diagonal(J, 0.0)
    return J


def pseudo_inverse(patterns: ArrayLike) -> FloatArray:
    """Return the projection onto the patterns' span, its diagonal set to 0: J x = x (1 - diagonal) for each pattern.

    Every pattern is then a fixed point while no unit's diagonal is 1 (Personnaz, Guyon and Dreyfus, J. Phys. Lett. 46
    (1985) L359). Patterns may depend on each other. Errors: T402, T403.
    """
    x = _patterns(patterns)
    J = np.linalg.pinv(x) @ x
    J = (J + J.T) / 2
    np.fill_diagonal(J, 0.0)
    return J


def stability(J: ArrayLike, patterns: ArrayLike) -> FloatArray:
    """Return x_i sum_j J_ij x_j of each unit of each pattern (p, n): a pattern is a fixed point where all are > 0.

    Errors: T402, T403.
    """
    x = _patterns(patterns)
    couplings = np.asarray(J, float)
    if couplings.shape != (x.shape[1],) * 2:
        notes = [f"J has shape {list(couplings.shape)}", f"patterns have {x.shape[1]} units"]
        raise error("T402", "couplings and patterns disagree", notes=notes)
    return x * (x @ couplings.T)


def _patterns(patterns: ArrayLike) -> FloatArray:
    x = np.asarray(patterns, float)
    if x.ndim != 2 or 0 in x.shape:
        raise error("T402", "patterns are an array (patterns, units)", notes=[f"they have shape {list(x.shape)}"])
    wrong = np.argwhere((x != -1) & (x != 1))
    if len(wrong):
        i, j = (int(k) for k in wrong[0])
        raise error("T403", "patterns are made of -1 and 1", notes=[f"patterns[{i}, {j}] = {x[i, j]}"])
    return x
