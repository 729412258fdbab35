"""The sampler of dimod passes dimod's own tests of samplers."""

from __future__ import annotations

import unittest

import pytest

import thermoc as tc

dimod = pytest.importorskip("dimod")
from dimod.testing import assert_sampler_api, assert_sampleset_energies, load_sampler_bqm_tests  # noqa: E402

from thermoc.apps import ThermocSampler  # noqa: E402


class Quick(ThermocSampler):
    """The sampler with few sweeps: dimod's tests call it with its defaults, some 200 times."""

    def sample(self, bqm, **parameters):
        return super().sample(bqm, **{"num_sweeps": 2, "num_reads": 2, "threads": 1, **parameters})

    def __repr__(self) -> str:
        # dimod names its tests by it: an address would differ from process to process
        return "Quick"


@load_sampler_bqm_tests(Quick())
class TestDimod(unittest.TestCase):
    """dimod's tests: labels, variable types and energies of its models."""


def test_it_is_a_sampler():
    assert_sampler_api(ThermocSampler())


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_least_energies_are_dimods(vartype: str):
    bqm = dimod.generators.gnm_random_bqm(10, 25, vartype, random_state=3)
    bqm.offset = 1.25
    bqm.relabel_variables({k: f"v{k}" for k in range(10)})
    samples = ThermocSampler().sample(bqm, num_reads=8, num_sweeps=200, seed=1)
    assert_sampleset_energies(samples, bqm, precision=9)
    assert samples.first.energy == pytest.approx(dimod.ExactSolver().sample(bqm).first.energy)
    again = ThermocSampler().sample(bqm, num_reads=8, num_sweeps=200, seed=1)
    assert again.record.sample.tolist() == samples.record.sample.tolist()


def test_unknown_parameters_are_refused():
    with pytest.raises(tc.ThermocError) as problem:
        ThermocSampler().sample_ising({"a": 1}, {}, beta_range=(1, 2))
    assert problem.value.code == "T404"
    assert "num_reads" in str(problem.value)
