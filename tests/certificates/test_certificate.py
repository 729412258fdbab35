"""P45 to P49: a certificate holds for what is right, and fails for each thing broken on purpose.

A certificate of a right run fails with a chance of 1e-4; seeds are fixed.
"""

import json

import numpy as np
import pytest
from machine.chips_by_hand import hot

import thermoc as tc
from thermoc import physics
from thermoc.certificates import Certificate, certificate, recheck
from thermoc.ir.dialects import heat, langevin, sampling, thermo
from thermoc.passes import discretize
from thermoc.passes.expand import gibbs as gibbs_steps
from thermoc.passes.expand import heat as heat_steps
from thermoc.passes.expand import table

RING = np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0)


def memory():
    with tc.Network("memory", dt=0.3) as net:
        tc.output("m", tc.memory(np.array([0.0, 0.5]), 0.7, 1.3))
    return net


def gibbs(J=RING, **more):
    with tc.Network("ring") as net:
        tc.output("s", tc.gibbs(2.0, J, 0.1, **more))
    return net


def bath():
    with tc.Network("bath", dt=0.1) as net:
        T, *_ = tc.heat_network(0.0, [1.0, 2.0, 0.5], np.ones((3, 3)) - np.eye(3), 1.5, 0.3, 1.0)
        tc.output("T", T)
    return net


def trembling():
    with tc.Network("trembling", dt=0.5) as net:
        T, *_ = tc.heat_network(0.0, [1.0, 2.0], [[0, 1.0], [1.0, 0]], 1.0, 0.3, 1.0, k_B=1e-4)
        tc.output("T", T)
    return net


def particles():
    with tc.Network("particles", dt=0.1) as net:
        f = tc.placeholder((3,))
        x, w = tc.langevin(f, 0.6, np.array([1.0, 2.0, 0.5]), 1.5, initial=0.2)
        tc.connect(f, -x)
        tc.output("x", x)
        tc.output("b", tc.brownian(-tc.tanh(x), 0.4, stiffness=0.5))
        tc.output("v", tc.velocity(w, -x))
    return net


def springs():
    with tc.Network("springs", dt=0.4) as net:
        tc.output("x", tc.ou_network(np.array([[2.0, 0.5, 0], [0.5, 1.0, 0], [0, 0, 3.0]]), 0.6, [0.3, 0.0, -1.0]))
    return net


def others():
    with tc.Network("others", dt=0.2) as net:
        x = tc.normal(shape=(4,))
        tc.output("u", tc.uniform(shape=(3,)))
        tc.output("n", tc.noise(0.3, 2.0, shape=(3,)))
        tc.output("b", tc.sample_binary(x, 0.5))
        tc.output("c", tc.sample_categorical(x, 0.5))
        tc.output("e", tc.heat_exchange(RING, np.arange(1.0, 7.0), 0.1))
        tc.output("d", tc.diffusion(np.arange(1.0, 7.0), 0.3, D=0.7, boundary="fixed")[0])
        tc.output("k", tc.clamp(1 + tc.abs(x), T_min=1.0, T_max=2.0)[0])
    return net


def certified(net, *, ticks=800, batch=64, seed=11, target="sim", **options) -> Certificate:
    return tc.certify(tc.compile(net, target, **options).run(ticks=ticks, batch=batch, seed=seed))


def failing(certificate: Certificate) -> set[str]:
    return {law.law for law in certificate.laws if law.verdict == "fails"}


@pytest.mark.parametrize("make", [memory, gibbs, bath, trembling, particles, springs, others])
def test_what_is_right_holds(make):
    certificate = certified(make())
    assert certificate.holds, str(certificate)
    assert len(certificate.laws) > 2


def test_every_part_of_the_physics_is_looked_at():
    seen = {law.law for make in (memory, gibbs, bath, trembling) for law in certified(make()).laws}
    assert seen == {"seed", "P18", "P45", "P46", "P47", "P48", "P49"}


@pytest.mark.parametrize("more", [{"sweeps": 3}, {"levels": "binary", "initial": 0.0}])
def test_sweeps_and_levels_hold_too(more):
    assert certified(gibbs(**more)).holds


def cooled(T_min, t_max=400.0, J=RING):
    with tc.Network("cooled") as net:
        tc.output("s", tc.gibbs(tc.schedule(kind="linear", T0=3.0, parameter=t_max, T_min=T_min), J))
    return net


def skipped(certificate: Certificate) -> dict[str, str]:
    return {item["law"]: item["reason"] for item in certificate.document["skipped"]}


def test_a_network_that_cools_to_the_end_is_not_judged_as_if_settled():
    certificate = certified(cooled(0.5, 2000.0))
    assert certificate.holds and not {"P48", "P49"} & {law.law for law in certificate.laws}
    assert skipped(certificate)["P48, P49"].startswith("T (thermo.schedule) changes until tick 799 of 800")
    assert "not checked: P48, P49 thermo.gibbs" in str(certificate)


def test_a_network_that_has_cooled_is_judged_by_the_ticks_after():
    certificate = certified(cooled(2.0))  # at the floor from tick 134 on
    assert certificate.holds, str(certificate)
    assert {"P47", "P48", "P49"} <= {law.law for law in certificate.laws} and "P48, P49" not in skipped(certificate)
    (energy,) = (law for law in certificate.laws if law.statement.startswith("mean energy"))
    assert energy.details["from_tick"] == 134 + 166
    assert energy.samples == 64 * (800 - 134) * 3 // 4 + 32  # a quarter of what is left is warm-up


def test_a_network_that_froze_on_its_way_cannot_be_told():
    """Its steps are right, so that no law is broken; but what it settled to is not what it would be at its temperature."""
    ladder = physics.square_lattice(6).toarray()
    certificate = certified(cooled(0.3, 40.0, ladder), ticks=120, batch=16)
    assert not failing(certificate) and certificate.verdict == "cannot tell"
    assert "P49" in {law.law for law in certificate.laws if law.verdict == "cannot tell"}


def test_a_sampler_biased_only_while_it_cools_fails(monkeypatch):
    """The per-tick laws see what the averages at the floor cannot."""

    def hot(op, w):
        floor = w.constant(2.0)
        return gibbs_steps.gibbs(op.with_(T=floor + (w[op.T] - floor) * 2.0), w)

    monkeypatch.setitem(table.EXPANSIONS, sampling.Gibbs, hot)
    certificate = certified(cooled(2.0), batch=256)
    assert failing(certificate) == {"P47"}


def scheduled(**more):
    return tc.schedule(kind="exponential", parameter=60.0, **more)


def test_schedules_of_everything_else_hold_and_settle():
    with tc.Network("scheduled", dt=0.5) as net:
        T = scheduled(T0=2.0, T_min=0.5)
        x, _ = tc.langevin(0.0, T, friction=0.7)
        tc.output("x", x)
        tc.output("m", tc.memory(0.2, T))
        tc.output("b", tc.brownian(0.0, T, stiffness=0.5))
        tc.output("o", tc.ou_network(np.array([[2.0, 0.5], [0.5, 1.0]]), T))
        tc.output("T", tc.heat_network(0.2, [1.0, 2.0], [[0, 1.0], [1.0, 0]], 2.0, 0.3, T)[0])
        tc.output("n", tc.heat_network(0.0, 1.0, [[0, 1.0], [1.0, 0]], 2.0, 0.3, T, k_B=1e-5)[0])
    certificate = certified(net, ticks=1500, batch=32)
    assert certificate.holds, str(certificate)
    assert sum("mean" in law.statement and law.law == "P47" for law in certificate.laws) >= 5
    early = certified(net, ticks=100, batch=32)
    assert early.verdict != "fails", str(early)
    assert not any(law.law == "P49" for law in early.laws)
    assert sum("changes until" in item["reason"] for item in early.document["skipped"]) == 5


def test_what_depends_on_the_tick_is_never_settled():
    with tc.Network("ticking") as net:
        tc.output("s", tc.gibbs(2.0 + tc.sin(core_tick() * 0.1), RING))
    assert "core.tick" in skipped(certified(net, ticks=100))["P48, P49"]


def core_tick():
    return tc.cast(tc.tick(), dtype="f64")


def euler(op, w):
    m = w.delay(op.m, op.initial)
    z = w(thermo.Normal, shape=op.m.type.shape, stream=op.stream, dtype=w.dtype)
    drift = (w[op.x] - w[op.gamma] * m) * w.dt
    w.feed(m, m + drift + w.sqrt(w[op.gamma] * op.T * (2 * w.dt)) * z)
    return m


def test_a_wrong_integrator_fails(monkeypatch):
    monkeypatch.setitem(discretize.STEPS.entries, thermo.Memory, euler)
    assert "P47" in failing(certified(memory()))


@pytest.mark.parametrize(("shift", "scale"), [(0.05, 1.0), (0.0, 1.05)])
def test_biased_noise_fails(monkeypatch, shift, scale):
    def biased(op, w):
        right = discretize.noise(op, w)
        return right * scale + shift

    monkeypatch.setitem(discretize.STEPS.entries, thermo.Noise, biased)
    assert "P47" in failing(certified(others()))


def test_biased_noise_of_particles_fails(monkeypatch):
    right = discretize.STEPS[langevin.Langevin]
    monkeypatch.setitem(discretize.STEPS.entries, langevin.Langevin, lambda op, w: right(op.with_(T=w[op.T] * 1.05), w))
    assert "P47" in failing(certified(particles()))


def test_asymmetric_couplings_fail():
    J = RING.copy()
    J[0, 1] = 1.5
    certificate = certified(gibbs(J))
    broken = [law for law in certificate.laws if law.verdict == "fails"]
    assert [law.statement for law in broken] == ["couplings are the same both ways: detailed balance"]
    assert broken[0].measured == 0.5


def test_a_parallel_schedule_fails():
    assert any("together" in law.statement for law in certified(gibbs(order="parallel")).laws if law.verdict == "fails")


def test_a_biased_sampler_fails(monkeypatch):
    def hot(op, w):
        return gibbs_steps.gibbs(op.with_(T=w[op.T] * 1.1), w)

    monkeypatch.setitem(table.EXPANSIONS, sampling.Gibbs, hot)
    assert failing(certified(gibbs())) >= {"P47", "P48"}


@pytest.mark.parametrize("make", [bath, trembling])
def test_a_leaking_heat_op_fails(monkeypatch, make):
    right = physics.heat_step

    def leaking(*args):
        step = right(*args)
        object.__setattr__(step, "decay", step.decay * (1 - 1e-6))
        return step

    monkeypatch.setattr(heat_steps.physics, "heat_step", leaking)
    assert "P45" in failing(certified(make()))


@pytest.mark.parametrize("power", [0.0, 0.1])
def test_heat_that_flows_uphill_fails(monkeypatch, power):
    right = physics.heat_step

    def uphill(C, G, ambient, dt, frequency=0.0):
        step = right(C, G, ambient, dt, frequency)
        back = 2 * np.eye(len(step.decay)) - step.decay
        object.__setattr__(step, "decay", back)
        return step

    monkeypatch.setattr(heat_steps.physics, "heat_step", uphill)
    with tc.Network("uphill", dt=0.01) as net:
        tc.output("T", tc.heat_network(power, 1.0, [[0, 1.0], [1.0, 0]], np.array([1.0, 2.0]))[0])
    assert "P46" in failing(certified(net, ticks=50, batch=1))


def test_a_leaking_exchange_fails(monkeypatch):
    monkeypatch.setitem(
        discretize.STEPS.entries, heat.HeatExchange, lambda op, w: heat_steps.heat_exchange(op, w) * _fading(w)
    )
    assert "P45" in failing(certified(others()))


def _fading(w):
    state = w.delay(w.op.T, w.constant(1.0))
    w.feed(state, state * (1 - 1e-6))
    return state


def test_a_chain_that_has_not_equilibrated_cannot_be_told():
    with tc.Network("stuck") as net:
        tc.output("s", tc.gibbs(0.4, physics.square_lattice(8), initial=np.random.default_rng(0).choice([-1.0, 1], 64)))
    run = tc.compile(net, "sim").run(ticks=40, batch=8, seed=1)
    certificate = tc.certify(run)
    assert certificate.verdict == "cannot tell"
    assert {law.needed is not None for law in certificate.laws if law.law == "P49" and not law.holds} == {True}
    assert any(warning.code == "W104" for warning in run.warnings)


def test_a_certificate_is_checked_again_from_its_file(tmp_path):
    path = tmp_path / "memory.json"
    certified(memory(), ticks=200).save(path)
    assert recheck(path).holds
    document = json.loads(path.read_text())
    assert {"graph_sha256", "result_sha256", "seed", "laws"} <= document.keys()
    assert {"law", "statement", "measured", "bound", "samples", "verdict", "p", "bias"} <= document["laws"][1].keys()


@pytest.mark.parametrize("field", ["measured", "seed", "holds", "statement"])
def test_an_altered_certificate_is_refused(tmp_path, field):
    path = tmp_path / "memory.json"
    certified(memory(), ticks=200).save(path)
    document = json.loads(path.read_text())
    if field == "seed":
        document["seed"] += 1
    else:
        document["laws"][1][field] = {"measured": 0.5, "holds": False, "statement": "x"}[field]
    path.write_text(json.dumps(document))
    with pytest.raises(tc.ThermocError, match="T407"):
        recheck(path)


def test_a_forged_measurement_is_found_by_repeating_the_run(tmp_path):
    from thermoc.certificates.document import digest

    path = tmp_path / "memory.json"
    certified(memory(), ticks=200).save(path)
    document = json.loads(path.read_text())
    document["laws"][2]["measured"] += 1e-3
    document["sha256"] = digest(document)
    path.write_text(json.dumps(document))
    with pytest.raises(tc.ThermocError, match=r"(?s)T407.*measured now"):
        recheck(path)


@pytest.mark.parametrize(("content", "code"), [("", "T502"), ("{}", "T502"), ("[1]", "T502")])
def test_what_is_no_certificate_is_refused(tmp_path, content, code):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(tc.ThermocError, match=code):
        recheck(path)
    with pytest.raises(tc.ThermocError, match="T501"):
        recheck(tmp_path / "none.json")


def test_onnx_and_single_precision_are_certified_too():
    assert certified(memory(), ticks=600, target="onnx").holds
    assert certified(gibbs(), ticks=400, precision="float32").holds


def test_a_run_on_a_die_that_heats_is_repeated_as_it_was(tmp_path):
    """What is handed out to be looked at takes stores, which heat: numbers of that run are others, by some 1e-7."""
    with tc.Network("warm") as net:
        tc.output("m", tc.memory(tc.affine(tc.input("x", (16,)), np.eye(64, 16)), 0.7, 0.2))
    run = tc.compile(net, "chip", chip=hot(tmp_path), temperature="die").run({"x": np.ones((2, 16))}, ticks=40, seed=1)
    (same,) = (law for law in tc.certify(run).laws if law.law == "seed")
    assert same.holds and same.measured == 0
    assert run.call is not None
    seen = certificate._repeated(run.call.executable.rewritten(certificate._instrumented), run.call)
    assert np.abs(seen["m"] - run["m"]).max() > 1e-9
