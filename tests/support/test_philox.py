"""Noise is Philox4x32-10, and its words become numbers as stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from thermoc.support import philox

DOUBLE, SINGLE = np.dtype(np.float64), np.dtype(np.float32)


def vectors(shared: Path) -> list[tuple[int, list[int], list[int], list[int]]]:
    rows: list[tuple[int, list[int], list[int], list[int]]] = []
    for line in (shared / "random123/tests/kat_vectors").read_text().splitlines():
        name, *fields = line.split() or [""]
        if name == "philox4x32":
            numbers = [int(field, 16) for field in fields[1:]]
            rows.append((int(fields[0]), numbers[:4], numbers[4:6], numbers[6:]))
    return rows


def test_every_published_vector(shared: Path):
    rows = vectors(shared)
    assert len([row for row in rows if row[0] == 10]) == 3
    for rounds, counter, key, expected in rows:
        words = philox.philox4x32(tuple(counter), (key[0], key[1]), rounds)
        assert [int(word) for word in words] == expected


def test_the_compiled_generator_gives_the_same_words(shared: Path):
    from thermoc.simulator.kernels import thermal

    compiled: Any = vars(thermal)["philox"]

    for rounds, counter, key, expected in vectors(shared):
        if rounds == 10:
            assert [int(w) for w in compiled(*(np.uint64(n) for n in (*counter, *key)))] == expected


def test_the_counter_is_element_tick_draw_stream_and_the_key_the_seed():
    seed = 0x0123456789ABCDEF
    found = philox.words([7, 8], tick=3, draw=2, stream=5, seed=seed)
    for index, element in enumerate((7, 8)):
        expected = philox.philox4x32((element, 3, 2, 5), (0x89ABCDEF, 0x01234567))
        assert [int(w[index]) for w in found] == [int(w) for w in expected]


def test_uniforms_stay_inside_the_interval_at_the_extreme_words_and_agree_between_formats():
    words = np.array([0, 1, 511, 512, 2**31, 2**32 - 512, 2**32 - 1], np.uint64)
    for dtype in (DOUBLE, SINGLE):
        for low in (np.uint64(0), np.uint64(2**32 - 1)):
            u = philox.uniform(words, np.full_like(words, low), dtype)
            assert u.dtype == dtype
            assert (u > 0).all()
            assert (u < 1).all()
    double, single = philox.uniform(words, words, DOUBLE), philox.uniform(words, words, SINGLE)
    assert np.abs(double - single.astype(np.float64)).max() <= 2.0**-23


def test_normals_have_the_moments_of_a_normal():
    """n = 10^6; each moment within 4.5 standard errors: false-alarm rate 4 x 7e-6 for a fixed seed."""
    n = 10**6
    z = philox.normal(philox.words(np.arange(n), tick=0, draw=0, stream=0, seed=11), DOUBLE)
    for power, exact, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(z**power) - exact) < 4.5 * np.sqrt(variance / n), power


def test_streams_ticks_and_elements_are_uncorrelated():
    """Correlations of 10^5 pairs within 4.5 / sqrt(n): false-alarm rate 3 x 7e-6 for a fixed seed."""
    n = 10**5
    base = philox.normal(philox.words(np.arange(n), tick=0, draw=0, stream=0, seed=1), DOUBLE)
    others = (
        philox.words(np.arange(n), tick=1, draw=0, stream=0, seed=1),
        philox.words(np.arange(n), tick=0, draw=0, stream=1, seed=1),
        philox.words(np.arange(n) + 1, tick=0, draw=0, stream=0, seed=1),
    )
    for block in others:
        assert abs(np.mean(base * philox.normal(block, DOUBLE))) < 4.5 / np.sqrt(n)
