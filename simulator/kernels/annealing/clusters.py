"""Clusters of spins in which two states differ: they are flipped each for itself, since no two of them touch.

Two states of one model differ in a set of spins; its connected clusters are not coupled with one another, so that the
energies of flipping them add up. Houdayer, European Physical Journal B 22, 479 (2001); Zhu, Ochoa and Katzgraber,
Physical Review Letters 115, 077201 (2015); as a crossover, Tinos, Whitley and Chicano, FOGA 2015.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.annealing.chain import ONE
from thermoc.simulator.kernels.words import bit_count, first_bit

SIX, LAST = np.uint64(6), np.uint64(63)


@njit(error_model="numpy", nogil=True)
def keep_better(couplings, chains, row, other, symmetric):
    """Undo those clusters in which a chain differs from the lowest state of another, or its own, that cost it energy.

    The chain is then at least as low as both, and this is its lowest state. symmetric: there are no fields, and a state
    is the same as its mirror image. Returns how many spins differed, how many clusters they formed, and how many of
    these had lowered the energy.
    """
    fields, words, energies = chains.fields[row], chains.words[row], chains.energies[row]
    differing = words ^ chains.best[other]
    differ = _count(differing)
    if symmetric and 2 * differ > _count(couplings.real):
        differing ^= couplings.real
        differ = _count(couplings.real) - differ
    members, clusters, lowered = np.empty(differ, np.uint32), 0, 0
    for block in range(differing.size):
        while differing[block]:
            size = _cluster(couplings, differing, 64 * block + first_bit(np.int64(differing[block])), members)
            change = flip_all(couplings, fields, words, members[:size])
            clusters, lowered = clusters + 1, lowered + (change > 0)
            # back again: it had lowered the energy, or left it as it was
            if change >= 0:
                change += flip_all(couplings, fields, words, members[:size])
            energies[0] += change
    energies[1] = energies[0]
    chains.best[row][:] = words
    return differ, clusters, lowered


@njit(error_model="numpy", nogil=True)
def exchange_clusters(couplings, chains, pairs, starts, symmetric):
    """Exchange a cluster of each pair (m, 2) of chains, looked for from a place (m,) on."""
    for k in range(starts.size):
        exchange_cluster(couplings, chains, pairs[k, 0], pairs[k, 1], starts[k], symmetric)


@njit(error_model="numpy", nogil=True)
def exchange_cluster(couplings, chains, row, other, first, symmetric):
    """Exchange the cluster, of those in which two chains differ, that holds the first such spin from a place on.

    The sum of their energies stays. symmetric: as for ``keep_better``; then clusters are taken from the smaller of the
    two sets in which the spins differ or agree. Returns the size of the cluster, 0 where nothing differs.
    """
    differing = chains.words[row] ^ chains.words[other]
    if symmetric and 2 * _count(differing) > _count(couplings.real):
        # one replica in its mirror image differs where it agreed: the same law holds for it
        differing ^= couplings.real
    index = _next(differing, first)
    if index < 0:
        return 0
    members = np.empty(_count(differing), np.uint32)
    size = _cluster(couplings, differing, index, members)
    for k in (row, other):
        energies = chains.energies[k]
        energies[0] += flip_all(couplings, chains.fields[k], chains.words[k], members[:size])
        if energies[0] < energies[1]:
            energies[1] = energies[0]
            chains.best[k][:] = chains.words[k]
    return size


@njit(error_model="numpy", nogil=True)
def _next(words, first):
    """Return the first place from ``first`` on, around the end, whose bit is 1; -1 where there is none."""
    block = first // 64
    word = words[block] >> np.uint64(first % 64)
    if word:
        return first + first_bit(np.int64(word))
    for step in range(1, words.size + 1):
        at = (block + step) % words.size
        if words[at]:
            return 64 * at + first_bit(np.int64(words[at]))
    return -1


@njit(error_model="numpy", nogil=True)
def _count(words):
    total = 0
    for word in words:
        total += bit_count(np.int64(word))
    return total


@njit(error_model="numpy", nogil=True)
def _cluster(couplings, differing, place, members):
    """List the cluster of a place, and take it out of the set; return its size."""
    members[0], size, done = place, 1, 0
    _take(differing, np.uint64(place))
    while done < size:
        i = np.uint64(members[np.uint64(done)])
        done += 1
        for e in range(couplings.offsets[i], couplings.offsets[i + ONE]):
            j = np.uint64(couplings.columns[e])
            if (differing[j >> SIX] >> (j & LAST)) & ONE:
                _take(differing, j)
                members[np.uint64(size)] = j
                size += 1
    return size


@njit(forceinline=True)
def _take(differing, j):
    differing[j >> SIX] &= ~(ONE << (j & LAST))


@njit(error_model="numpy", nogil=True)
def flip_all(couplings, fields, words, members):
    """Flip the members, tell all neighbours, and return by how much the energy changed."""
    change = 0 * couplings.doubled[0]  # an integer where fields are, else a float
    for member in members:
        i = np.uint64(member)
        words[i >> SIX] ^= ONE << (i & LAST)
        spin = np.int64((words[i >> SIX] >> (i & LAST)) & ONE) * 2 - 1
        change -= 2 * spin * fields[i]
        for e in range(couplings.offsets[i], couplings.offsets[i + ONE]):
            fields[couplings.columns[e]] += spin * couplings.doubled[e]
    return change


keep(keep_better, "the kernel that decides on clusters", 3.0)
keep(exchange_clusters, "the kernel that exchanges clusters", 3.0)
