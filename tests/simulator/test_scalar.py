"""Elementary functions: how near the truth they are, and the same bits from Python as from compiled vectors."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp, workprec

import thermoc as tc
from thermoc.simulator.instructions import elementwise
from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.scalar import primitives
from thermoc.support import philox

HIGHEST = {"float64": 700.0, "float32": 88.0}
ULPS = {"exp": 1.0, "expm1": 2.0, "log": 1.0, "sin": 1.0, "cos": 1.0, "tanh": 3.0, "pow": 1.1}
RULES = {name: getattr(elementwise, name.upper()).rule for name in ULPS}
ODD = (0.0, -0.0, 1.0, -1.0, 0.25, 2.0, 3.0, -3.0, 2.5, 1e-310, 1e-40, 1e300, 2.0**53, math.inf, -math.inf, math.nan)
COUNT = 67
"""Of each kind: vectors and a remainder."""


def samples(name: str, precision: str) -> np.ndarray:
    """Numbers of the sizes that a function treats in different ways."""
    rng, top = np.random.default_rng(5), HIGHEST[precision]
    near, far = rng.normal(size=COUNT), rng.uniform(-top, top, COUNT)
    if name == "log":
        return np.concatenate([np.exp(far), 1 + 1e-3 * near, abs(near)])
    if name in ("sin", "cos"):
        quarters = np.pi / 2 * rng.integers(-(10**6), 10**6, COUNT)
        return np.concatenate([near, quarters, 10.0 ** (rng.uniform(-20, math.log10(math.e) * top, COUNT))])
    return np.concatenate([near, 1e-3 * near, far if name.startswith("exp") else 20 * near])


@pytest.fixture(scope="module", params=["float64", "float32"])
def evaluated(request: pytest.FixtureRequest) -> tuple[str, dict[str, tuple[np.ndarray, ...]]]:
    """Of each function: arguments and what the simulator makes of them, compiled."""
    precision = request.param
    given = {name: (samples(name, precision),) for name in ULPS}
    given["pow"] = np.exp(given["pow"][0] / 8), given["exp"][0] / 50
    given = {name: tuple(a.astype(precision) for a in args) for name, args in given.items()}
    with tc.Network("functions") as net:
        for name, args in given.items():
            operands = [tc.input(f"{name}.{k}", a.shape) for k, a in enumerate(args)]
            tc.output(name, getattr(tc, name)(*operands))
    feed = {f"{name}.{k}": a[np.newaxis] for name, args in given.items() for k, a in enumerate(args)}
    run = tc.compile(net, "sim", precision=precision).run(feed)
    return precision, {name: (*args, run[name].ravel()) for name, args in given.items()}


@pytest.mark.parametrize("name", ULPS)
def test_results_are_within_their_bounds_of_the_truth(name: str, evaluated):
    precision, results = evaluated
    *args, got = results[name]
    exact = {"pow": mp.power, "log": mp.log}.get(name) or getattr(mp, name)
    with workprec(1300):  # as many digits as the largest angle has before its last quarter turn
        for *x, y in zip(*args, got):
            true = exact(*(mp.mpf(float(v)) for v in x))
            unit = float(np.spacing(np.dtype(precision).type(abs(true))))
            assert abs(mp.mpf(float(y)) - true) <= ULPS[name] * unit, (x, y)


@pytest.mark.parametrize("name", ULPS)
@pytest.mark.filterwarnings("ignore:.*encountered")
def test_plain_python_gives_the_bits_of_compiled_code(name: str, evaluated):
    precision, results = evaluated
    *args, got = results[name]
    # the floats of Python, and NumPy's of 32 bits
    plain = [a.tolist() if precision == "float64" else list(a) for a in args]
    assert np.array_equal(np.array([RULES[name](*x) for x in zip(*plain)], precision), got)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.filterwarnings("ignore:.*encountered")
def test_odd_arguments_have_the_results_of_numpy(precision: str):
    kind = np.dtype(precision).type
    odd = [kind(x) for x in ODD]
    functions = {"exp": np.exp, "expm1": np.expm1, "log": np.log, "sin": np.sin, "cos": np.cos, "tanh": np.tanh}
    cases = [(name, function, (x,)) for name, function in functions.items() for x in odd]
    cases += [("pow", np.power, (x, y)) for x in odd for y in odd]
    for name, function, x in cases:
        got, expected = RULES[name](*(x if precision == "float32" else map(float, x))), function(*x)
        assert isinstance(got, np.float32 if precision == "float32" else float), (name, x)
        np.testing.assert_allclose(got, expected, rtol=4 * np.finfo(precision).eps, err_msg=f"{name}{x}")
        assert np.isnan(expected) or np.signbit(got) == np.signbit(expected), (name, x)


def test_a_fused_sum_is_rounded_once():
    rng = np.random.default_rng(6)
    for x, y in rng.normal(size=(50, 2)):
        z = -x * y * (1 + 2.0**-40)
        exact = Fraction(x) * Fraction(y) + Fraction(z)
        assert primitives.fma(float(x), float(y), float(z)) == float(exact)
    x = np.float32(1 + 2.0**-12)
    assert primitives.fma(x, x, np.float32(-1 - 2.0**-11)) == np.float32(2.0**-24)


def test_bits_go_there_and_back():
    for x in (0.0, -0.0, 1.5, -(2.0**-1074), math.inf):
        assert math.copysign(1, primitives.float64(primitives.bits64(x))) == math.copysign(1, x)
        assert primitives.float64(primitives.bits64(x) + 2**64) == x
        assert primitives.float32(primitives.bits32(np.float32(x)) - 2**32) == np.float32(x)
    assert primitives.low32(2**31) == -(2**31)


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_noise_is_the_scalar_functions_of_its_words(precision: str):
    """However vectors are cut, and at whatever draw, stream and sample a run begins."""
    kind = np.dtype(precision)
    with tc.Network("noise") as net:
        z = tc.normal(shape=(COUNT,))
        tc.output("z", z)
        tc.output("s", tc.sample_binary(0.3 * z, T=0.7, levels="spin"))
    exe = tc.compile(net, "sim", precision=precision)
    run = exe.run(batch=2, seed=11, first_tick=3, first_sample=4)
    streams = {op.opname: op.stream for op in exe.graph.ops if hasattr(op, "stream")}
    element = np.arange(4 * COUNT, 6 * COUNT)

    def uniforms(opname: str) -> list[list]:
        w = philox.words(element, tick=3, draw=0, stream=streams[opname], seed=11)
        pairs = philox.uniform(w[0], w[1], kind), philox.uniform(w[2], w[3], kind)
        return [list(p) if precision == "float32" else p.tolist() for p in pairs]

    normals = np.array([scalar.normal(u, v) for u, v in zip(*uniforms("thermo.normal"))], kind)
    assert np.array_equal(run["z"].ravel(), normals)
    thresholds = np.array([scalar.logit(u) for u in uniforms("thermo.sample_binary")[0]], kind) * kind.type(0.7)
    assert np.array_equal(run["s"].ravel(), np.where(kind.type(0.3) * normals > thresholds, 1, -1))


@pytest.mark.parametrize(("dtype", "digits"), [(np.float64, 52), (np.float32, 23)])
def test_normals_are_those_of_the_formula(dtype, digits: int):
    """Within 8 units of the last place of one, also at the ends."""
    rng = np.random.default_rng(2)
    ends = np.array([0, 1, 2 ** (digits - 2), 2 ** (digits - 1), 2**digits - 1])
    a, b = (np.concatenate([ends, rng.integers(0, 2**digits, 300), np.full(5, k)]) for k in (0, 2**digits - 1))
    u, v = (((words + 0.5) * 2.0**-digits).astype(dtype) for words in (a, b[::-1]))
    ud, vd = u.astype(np.longdouble), v.astype(np.longdouble)
    exact = np.sqrt(-2 * np.log(ud)) * np.sin(2 * np.longdouble(np.pi) * (abs(vd - 0.5) - 0.25))
    plain = [scalar.normal(*pair) for pair in (zip(u, v) if dtype == np.float32 else zip(u.tolist(), v.tolist()))]
    assert np.abs(np.array(plain, dtype) - exact).max() < 8 * np.finfo(dtype).eps


def test_a_rule_is_compiled_where_nothing_else_was_imported():
    """Numba sees only what is in the module: functions that load at first use must be there before it looks."""
    code = (
        "from thermoc.simulator import cache, row_functions; cache.KernelCache.path = lambda *_: None; "
        "row_functions.compile_instructions(['EXP'], ('float64', 4))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
