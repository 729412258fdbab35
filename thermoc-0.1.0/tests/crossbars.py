"""Oracles of crossbars: the whole circuit as one sparse matrix, and cells at random."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import splu


def random_cells(m: int, n: int, *, low: float = 4, high: float = 6, seed: int = 0) -> np.ndarray:
    """Conductances whose resistances are spread evenly over the decades from 10^low to 10^high ohms."""
    return 1 / 10 ** np.random.default_rng(seed).uniform(low, high, (m, n))


def nodal(G: np.ndarray, V: np.ndarray, r_word: float, r_bit: float) -> tuple[np.ndarray, np.ndarray]:
    """Return word and bit potentials (m, n) from the nodal matrix of all 2 m n nodes."""
    m, n = G.shape
    matrix, source = assembled(G, V, r_word, r_bit)
    found = splu(matrix).solve(source)
    return found[: m * n].reshape(m, n), found[m * n :].reshape(m, n)


def assembled(G: np.ndarray, V: np.ndarray, r_word: float, r_bit: float) -> tuple[csc_array, np.ndarray]:
    """Return the nodal matrix in siemens, word lines first, and the currents of the sources."""
    m, n = G.shape
    word, bit = np.arange(m * n).reshape(m, n), np.arange(m * n, 2 * m * n).reshape(m, n)
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def joins(a: np.ndarray, b: np.ndarray | None, g: np.ndarray | float) -> None:
        a, g = a.ravel(), np.broadcast_to(g, a.shape).ravel()
        entries.append((a, a, g))
        if b is not None:
            b = b.ravel()
            entries.extend([(b, b, g), (a, b, -g), (b, a, -g)])

    joins(word[:, 1:], word[:, :-1], 1 / r_word)
    joins(word[:, 0], None, 1 / r_word)
    joins(bit[1:], bit[:-1], 1 / r_bit)
    joins(bit[-1], None, 1 / r_bit)
    joins(word, bit, G)
    rows, columns, values = (np.concatenate(part) for part in zip(*entries))
    source = np.zeros(2 * m * n)
    source[word[:, 0]] = V / r_word
    return coo_array((values, (rows, columns)), shape=(2 * m * n,) * 2).tocsc(), source
