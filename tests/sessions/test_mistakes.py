"""Mistakes of whoever compiles and runs: each public call says what it was given, and the cure."""

import inspect

import pytest

import thermoc as tc


def coins() -> tc.Network:
    with tc.Network("coins") as net:
        spikes = tc.sample_binary(tc.constant([0.0, 1.0]), T=1.0)
        tc.output("spikes", spikes)
        tc.probe("twice", 2 * spikes)
    return net


TAKE_NETWORKS = {
    "compile": tc.compile,
    "lint": tc.lint,
    "verify": tc.verify,
    "cost": tc.cost,
    "guard_band": tc.guard_band,
    "to_torch": tc.learning.to_torch,
    "sweep": lambda net: tc.sweep(net, "store.zarr"),
}
TAKE_RUNS = {
    "certify": tc.certify,
    "effective_temperatures": tc.effective_temperatures,
    **{name: getattr(tc.plot, name) for name in ("raster", "trace", "energy", "histogram", "phases")},
}


@pytest.mark.parametrize("name", TAKE_NETWORKS)
def test_what_is_no_network_is_refused_with_the_way_to_one(name):
    """Most were an AttributeError of some class inside."""
    for given, cure in ((None, "tc.Network"), (tc.compile(coins()), "tc.Network")):
        with pytest.raises(tc.ThermocError, match="a network is expected") as caught:
            TAKE_NETWORKS[name](given)
        assert caught.value.code == "T111" and cure in str(caught.value)
        assert "test_mistakes.py" in str(caught.value.findings[0].where)


def test_a_path_in_the_place_of_a_network_or_a_run_is_to_be_read():
    with pytest.raises(tc.ThermocError, match=r"tc\.load\('a\.thermo'\)"):
        tc.compile("a.thermo")
    with pytest.raises(tc.ThermocError, match=r"tc\.open_run\('a\.npz'\)"):
        tc.certify("a.npz")


@pytest.mark.parametrize("name", TAKE_RUNS)
def test_what_is_no_run_is_refused_with_the_way_to_one(name):
    with pytest.raises(tc.ThermocError, match="a run is expected") as caught:
        TAKE_RUNS[name](tc.compile(coins()))
    assert caught.value.code == "T111" and "exe.run" in str(caught.value)


def test_an_output_that_was_not_recorded_is_found():
    """``run["spike"]`` advised to record a name that the network has not."""
    run = tc.compile(coins()).run(ticks=8)
    for name, cure in (("spike", "did you mean 'spikes'?"), ("twice", 'record={"twice": "all"}'), ("other", "")):
        for ask in (run.__getitem__, lambda name: tc.plot.trace(run, name)):
            with pytest.raises(tc.ThermocError) as caught:
                ask(name)
            assert caught.value.code == "T401" and caught.value.findings[0].hint == cure


def test_options_of_a_run_are_those_of_its_signature():
    """A misspelt one was an unexpected argument of a class inside."""
    wanted = inspect.signature(tc.Session.run).parameters.keys() - {"self"}
    assert wanted <= inspect.signature(tc.Executable.run).parameters.keys()
    with pytest.raises(TypeError, match=r"Executable\.run\(\).*'tick'"):
        tc.compile(coins()).run(tick=3)


@pytest.mark.parametrize("options", [{"seed": None}, {"first_sample": None}])
def test_a_seed_of_none_is_refused(options):
    with pytest.raises(tc.ThermocError, match="must be an integer") as caught:
        tc.compile(coins()).run(ticks=2, **options)
    assert caught.value.code == "T404"
