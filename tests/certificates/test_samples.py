"""Samples of any machine: right ones hold, wrong ones do not, too few cannot tell; bad files are coded errors.

Samples here are exact draws, by enumeration, or of runs; seeds are fixed. Right ones fail once in 10,000.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from typer.testing import CliRunner

import thermoc as tc
from thermoc import physics
from thermoc.certificates.judging import level_of
from thermoc.certificates.law import HOLDS, Finding
from thermoc.certificates.samples.scores import limit, two_sided
from thermoc.cli.main import app
from thermoc.physics.ising_model import IsingModel

rng = np.random.default_rng(0)
UPPER = np.triu(rng.normal(size=(8, 8)) * 0.7, 1)
MODEL = IsingModel(J=csr_array(UPPER + UPPER.T), h=rng.normal(size=8) * 0.4)
T = 1.4
SPRINGS = np.array([[2.0, 0.5, 0], [0.5, 1.0, 0], [0, 0, 3.0]])


def exact(model: IsingModel, T: float, count: int, seed: int = 1) -> np.ndarray:
    ensemble = physics.enumerate_ising(model.J.toarray(), T, model.h)
    states = physics.all_states(model.size)
    return states[np.random.default_rng(seed).choice(len(states), count, p=ensemble.probabilities)]


def verdict(samples, model=MODEL, T=T, **options) -> str:
    options = {"independent": True, **options}
    return tc.certify_samples(samples, model, T=T, **options).verdict


def springs(**more) -> tc.Network:
    with tc.Network("springs", dt=0.4) as net:
        tc.output("x", tc.ou_network(SPRINGS, 0.6, [0.3, 0.0, -1.0], **more))
    return net


@pytest.fixture(scope="module")
def moved() -> np.ndarray:
    return tc.compile(springs(), "sim").run(ticks=1000, batch=64, seed=3)["x"][100:]


def test_right_spins_hold_and_each_law_is_looked_at():
    found = tc.certify_samples(exact(MODEL, T, 20000), MODEL, T=T, independent=True)
    assert found.holds, str(found)
    assert {law.law for law in found.laws} == {"P12", "P47", "P48", "P49"}
    assert all(control["caught"] for control in found.document["controls"])
    assert "not checked" in str(found) and "holds" in str(found)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: exact(MODEL, T * 1.03, 30000),
        lambda: exact(MODEL, T / 1.03, 30000),
        lambda: exact(IsingModel(J=MODEL.J, h=-MODEL.h), T, 9000),
        lambda: exact(IsingModel(J=-MODEL.J, h=MODEL.h), T, 9000),
        lambda: exact(MODEL, T, 20000)[:, ::-1],
        lambda: np.ones((9000, 8)),
        lambda: np.repeat(exact(MODEL, T, 300), 30, axis=0),
    ],
    ids=[
        "3 % too warm",
        "3 % too cold",
        "fields",
        "couplings",
        "units in another order",
        "frozen",
        "each draw thirty times",
    ],
)
def test_wrong_spins_do_not_hold(wrong):
    assert verdict(wrong()) == "fails"


def test_too_few_cannot_tell():
    for count in (20, 40, 150, 1000):
        assert verdict(exact(MODEL, T, count)) == "cannot tell"
    with pytest.raises(tc.ThermocError, match=r"(?s)T406.*too few"):
        tc.certify_samples(exact(MODEL, T, 150), MODEL, T=T, independent=True).check()


def test_right_springs_hold_and_wrong_ones_do_not(moved):
    found = tc.certify_samples(moved, springs())
    assert found.holds, str(found)
    assert tc.certify_samples(moved, springs(), T=0.6 * 1.05).verdict == "fails"
    assert tc.certify_samples(moved[..., ::-1], springs()).verdict == "fails"
    assert tc.certify_samples(moved * np.array([1, 1, 1.05]), springs()).verdict == "fails"
    assert tc.certify_samples(moved[:30, :4], springs()).verdict == "cannot tell"


def test_chains_that_were_not_thermalised_fail():
    found = tc.compile(springs(initial=3.0), "sim").run(ticks=20, batch=256, seed=3)["x"]
    assert tc.certify_samples(found, springs()).verdict == "fails"


def test_one_chain_of_spins_has_its_memory_counted():
    with tc.Network("glass") as net:
        tc.output("s", tc.gibbs(T, MODEL.J, MODEL.h))
    s = tc.compile(net, "sim").run(ticks=60000, batch=1, seed=2)["s"][1000:, 0]
    assert tc.certify_samples(s, net).verdict == "holds"
    stuck = np.where(s[:, :1] > 0, s, -s)
    assert tc.certify_samples(stuck, net).verdict == "fails"


def test_particles_in_a_well_are_held_against_their_own_force():
    with tc.Network("well", dt=0.02) as net:
        f = tc.placeholder((2,))
        x = tc.brownian(f, 0.5)
        tc.connect(f, x - x * x * x)
        tc.output("x", x)
    u = np.linspace(-3, 3, 4001)
    p = np.exp(-(u**4 / 4 - u**2 / 2) / 0.5)
    draws = np.random.default_rng(4).choice(u, (40000, 2), p=p / p.sum())
    assert tc.certify_samples(draws, net, independent=True, resolution=0.1).verdict == "holds"
    assert tc.certify_samples(draws * 1.03, net, independent=True).verdict == "fails"


def test_files_of_each_format_give_the_same(tmp_path: Path):
    s = exact(MODEL, T, 20000)
    E = MODEL.energy(s)
    np.savez(tmp_path / "s.npz", samples=s, energy=E)
    head = ",".join([*(str(k) for k in range(8)), "energy"])
    np.savetxt(tmp_path / "s.csv", np.column_stack([(s + 1) / 2, E]), delimiter=",", header=head, comments="")
    found = [tc.certify_samples(tmp_path / name, MODEL, T=T, independent=True) for name in ("s.npz", "s.csv")]
    assert [one.verdict for one in found] == [HOLDS, HOLDS]
    assert [law.measured for law in found[0].laws] == pytest.approx([law.measured for law in found[1].laws])


def test_sample_sets_of_dimod_by_their_labels(tmp_path: Path):
    dimod = pytest.importorskip("dimod")
    labels = [f"q{k}" for k in range(8)]
    i, j = np.nonzero(UPPER)
    couplings = {(labels[a], labels[b]): -UPPER[a, b] for a, b in zip(i, j)}
    bqm = dimod.BinaryQuadraticModel({label: -h for label, h in zip(labels, MODEL.h)}, couplings, "SPIN")
    s = exact(MODEL, T, 20000)
    turned = dimod.SampleSet.from_samples_bqm((s[:, ::-1].astype(np.int8), labels[::-1]), bqm)
    assert tc.certify_samples(turned, bqm, T=T).verdict == "holds"
    counted = turned.aggregate()
    (tmp_path / "s.json").write_text(json.dumps(counted.to_serializable()))
    (tmp_path / "m.json").write_text(json.dumps(bqm.to_serializable()))
    found = tc.certify_samples(tmp_path / "s.json", tmp_path / "m.json", T=T)
    assert found.verdict == "holds" and "order is lost" in str(found)
    assert tc.certify_samples(tmp_path / "s.json", tmp_path / "m.json", T=T * 1.1).verdict == "fails"
    # energies of another model stand with them
    other = dimod.BinaryQuadraticModel(bqm.linear, couplings, 5.0, "SPIN")
    assert tc.certify_samples(turned, other, T=T).verdict == "fails"


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (np.ones((100, 7)), "T426"),
        (np.full((100, 8), 0.5), "T426"),
        (np.full((100, 8), np.nan), "T426"),
        (np.ones(100), "T426"),
        (np.array([["a", "b"]]), "T426"),
        (np.array([[1.0], [1.0, 2.0]], dtype=object), "T426"),
        ({"samples": np.ones((3, 8)), "chain": np.array([0, 0, 1])}, "T426"),
        ({"samples": np.ones((3, 8)), "energy": np.ones(2)}, "T426"),
        ({"samples": np.ones((2, 8)), "num_occurrences": np.array([1, 0])}, "T426"),
        ({"a": np.ones((3, 8)), "b": np.ones((3, 8))}, "T404"),
    ],
)
def test_bad_samples_are_refused(samples, code):
    with pytest.raises(tc.ThermocError) as caught:
        tc.certify_samples(samples, MODEL, T=T)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.csv", "", "T523"),
        ("a.csv", "1,1\n1\n", "T523"),
        ("a.csv", "a,b\n1,x\n", "T523"),
        ("a.json", "{}", "T523"),
        ("a.json", "[", "T502"),
        ("a.txt", "1", "T506"),
        ("a.npz", "1", "T502"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, name: str, text: str, code: str):
    (tmp_path / name).write_text(text)
    with pytest.raises(tc.ThermocError) as caught:
        tc.certify_samples(tmp_path / name, MODEL, T=T)
    assert caught.value.code == code


def test_models_without_an_energy_are_refused():
    with tc.Network("parallel") as net:
        tc.output("s", tc.gibbs(1.0, MODEL.J, order="parallel"))
    with tc.Network("free") as free:
        tc.output("x", tc.brownian(tc.constant(np.zeros(2)), 1.0))
    with tc.Network("driven") as driven:
        tc.output("s", tc.gibbs(1.0, MODEL.J, tc.input("h", (8,))))
    with tc.Network("whirl", dt=0.1) as whirl:
        f = tc.placeholder((2,))
        x = tc.brownian(f, 1.0)
        tc.connect(f, tc.affine(x, [[-1.0, 1.0], [-1.0, -1.0]]))
        tc.output("x", x)
    for model in (net, free, driven, whirl):
        with pytest.raises(tc.ThermocError, match="T427"):
            tc.certify_samples(np.ones((10, 8)), model)
    with pytest.raises(tc.ThermocError, match="T404"):
        tc.certify_samples(np.ones((10, 8)), MODEL)
    with pytest.raises(tc.ThermocError, match="T405"):
        tc.certify_samples(np.ones((10, 8)), MODEL, T=-1.0)


def test_holm_keeps_one_rate_over_all_laws():
    def finding(score: float) -> Finding:
        more = {"bound": lambda level: limit(level, 1e9), "samples": 1, "statistic": "a"}
        return Finding(law="P1", op="a", statement="b", measured=score, p=two_sided(score, 1e9), **more)

    found = [finding(limit(p, 1e9)) for p in (1e-6, 0.4e-4, 0.9e-4, 0.3)]
    level = level_of(found, 1e-4)
    assert level == pytest.approx(1e-4 / 3)
    assert [law.at(level, 0.1).verdict for law in found] == ["fails", "holds", "holds", "holds"]
    assert finding(float("nan")).at(1e-4, 0.1).verdict == "fails"


def test_the_command_says_what_python_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    s = exact(MODEL, T, 20000)
    np.savez("s.npz", samples=s)
    i, j = np.nonzero(UPPER)
    lines = [f"{a} {b} {UPPER[a, b]!r}" for a, b in zip(i, j)] + [f"{k} {h!r}" for k, h in enumerate(MODEL.h)]
    Path("m.ising").write_text("\n".join(line.replace("np.float64(", "").replace(")", "") for line in lines))
    line = ["certify", "s.npz", "--model", "m.ising", "-T", str(T), "--independent", "-o", "c.json", "--plot", "t.svg"]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output + str(done.exception)
    assert json.loads(Path("c.json").read_text())["verdict"] == "holds" and Path("t.svg").exists()
    assert CliRunner().invoke(app, ["certify", "s.npz", "-m", "m.ising", "-T", "2.0", "--independent"]).exit_code == 1
