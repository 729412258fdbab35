"""Mistakes of whoever writes a network: what is said, where, and the cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.support.errors import Finding

Write = Callable[[Any], Any]


def refused(write: Write) -> Finding:
    """Return the one finding of a network of an input x of three units, dt = 0.1."""
    with pytest.raises(tc.ThermocError) as caught, tc.Network("n", dt=0.1):
        write(tc.input("x", (3,)))
    (finding,) = caught.value.findings
    assert finding.where is not None and finding.where.file.endswith("test_mistakes.py")
    return finding


def test_several_results_in_the_place_of_one_are_named():
    """``s, v = tc.lif(...)`` forgotten: it was called no array, and in ``connect`` a tuple without a shape."""

    def closed(x: Any):
        at = tc.placeholder((3,))
        tc.connect(at, tc.langevin(x, T=1.0))

    writes: list[tuple[Write, str]] = [
        (lambda x: tc.output("s", tc.lif(x, tau=3.0)), "%lif.v"),
        (lambda x: tc.tanh(tc.lif(x, tau=3.0)), "%lif.v"),
        (closed, "%langevin.w"),
    ]
    for write, name in writes:
        finding = refused(write)
        assert finding.code == "T111" and name in finding.notes[0] and "take one" in finding.hint


def test_connect_takes_values_and_each_placeholder_once():
    def twice(x: Any):
        at = tc.placeholder((3,))
        for _ in range(2):
            tc.connect(at, x)
        tc.output("y", at)

    number: Any = 3.0
    assert "a placeholder and one value" in refused(lambda _: tc.connect(tc.placeholder(()), number)).what
    assert "connected at" in refused(twice).notes[0]
    assert "tc.placeholder" in refused(lambda x: tc.connect(x, x)).hint


def test_arrays_of_no_real_numbers_are_called_by_their_dtype():
    assert refused(lambda x: tc.affine(x, np.ones((2, 3)) * 1j)).notes == ("it was given ndarray of complex128",)


def test_two_outputs_of_one_name_are_said_with_the_place_of_the_second():
    def twice(x: Any):
        tc.output("y", x)
        tc.output("y", 2 * x)

    finding = refused(twice)
    assert "2 outputs are named 'y'" in finding.what and "2 * x" in getattr(finding.where, "source", "")


def test_what_a_network_is_made_of_is_checked():
    made: Any = tc.Network  # users pass anything
    for wrong in ({"name": "n", "dt": "0.1ms"}, {"name": "n", "dt": None}, {"name": 3}):
        with pytest.raises(tc.ThermocError):
            made(**wrong)
    shapes: list[Any] = [None, 3.0, "ab"]
    for shape in shapes:
        assert refused(lambda _, shape=shape: tc.input("y", shape)).code == "T103"


def test_an_empty_network_has_no_output():
    """It said that the network is not finished, and to leave its block first, which was left."""
    with tc.Network("empty") as net:
        pass
    with pytest.raises(tc.ThermocError, match="has no output"):
        tc.compile(net)


def test_signatures_are_shown_as_they_are_written():
    finding = refused(lambda _: tc.schedule(kind="linear", T0=1.0))
    assert "dtype='f64'" in finding.hint


COMPUTED: list[Write] = [
    lambda x: tc.li(x, tau=tc.constant(1.0) - 2.0),
    lambda x: tc.memory(x, 1.0, gamma=tc.constant(0.0) * 2.0),
]


@pytest.mark.parametrize("write", COMPUTED)
def test_a_number_that_is_computed_out_of_its_bounds_is_the_networks_fault(write: Write):
    """It is known once constants are folded; that pass was blamed for it."""
    with tc.Network("n", dt=0.1) as net:
        tc.output("y", write(tc.input("x", (3,))))
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net)
    assert [finding.code for finding in caught.value.findings] == ["T105"]
