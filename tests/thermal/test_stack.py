"""Stacks that cannot be are refused; results do not depend on the number of threads."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from thermal.dies import COLD, COPPER, SILICON, packed, reference, two_sheets

from thermoc.simulator.thermal import Die, DieLayer, Face, Material, Stack
from thermoc.support.errors import ThermocError

ROOT = Path(__file__).parents[2]
HASHED = """
import hashlib, numpy as np
from thermal.dies import OXIDE, packed, reference
from thermoc.simulator.thermal import Die, HeatSink, block
from dataclasses import replace

digest, power = hashlib.sha256(), np.random.default_rng(0).random((64, 64))
first, *rest = packed().layers
inlaid = packed().with_layers(replace(first, inlays=((block("o", 1e-3, 1e-3, 1e-3, 1e-3), OXIDE),)), *rest)
sunk = replace(reference(), top=None, sink=HeatSink(capacity=9.0, resistance=1.0, temperature=300.0))
for stack in (reference(), packed(), inlaid, sunk):
    die = Die(stack, (64, 64), substeps=2)
    state, _ = die.step(die.start(), power, 1e-4)
    digest.update(die.temperature(state).tobytes() + die.temperature(die.steady(power)).tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_no_digit_depends_on_threads():
    def run(threads: int) -> str:
        counts = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        env = os.environ | counts | {"PYTHONPATH": path}
        return subprocess.run(
            [sys.executable, "-c", HASHED], env=env, capture_output=True, text=True, check=True
        ).stdout

    one = run(1)
    assert len(one.strip()) == hashlib.sha256().digest_size * 2
    assert run(2) == one


SHEET = DieLayer(name="sheet", thickness=1e-4, material=SILICON, source=True)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Material(name="m", conductivity=0.0, heat_capacity=1e6), "conductivity must be > 0"),
        (lambda: Material(name="m", conductivity=1.0, heat_capacity=float("nan")), "heat_capacity"),
        (lambda: replace(SHEET, thickness=-1e-6), "layer 'sheet': thickness"),
        (lambda: Face(coefficient=float("inf"), temperature=300.0), "coefficient"),
        (lambda: Face(coefficient=1.0, temperature=0.0), "temperature"),
        (lambda: Stack(width=1.0, height=1.0, layers=()), "needs a layer"),
        (lambda: Stack(width=0.0, height=1.0, layers=(SHEET,)), "width"),
        (lambda: Stack(width=1.0, height=1.0, layers=(SHEET, SHEET)), "'sheet'"),
        (lambda: Stack(width=1.0, height=1.0, layers=(SHEET,), nodes="left"), "'left'"),
        (lambda: packed().with_layers(replace(SHEET, name="sink")), "'sink'"),
        (lambda: replace(packed().package, capacity=-1.0), "capacity"),
        (lambda: replace(packed().package.sink, side=0.0), "side"),
        (
            lambda: Die(two_sheets(bottom=COLD).with_layers(replace(SHEET, source=False)), (2, 2)),
            "no layer takes power",
        ),
        (lambda: Die(reference(), (1 << 13, 1 << 13)), "no more than the limit"),
    ],
)
def test_what_cannot_be(build, says):
    with pytest.raises(ThermocError) as caught:
        build()
    assert caught.value.code == "T405" and says in str(caught.value)


def test_layers_by_name_from_the_top_down():
    die = Die(packed(), (2, 2))
    assert die.layers == ("silicon", "paste", "spreader", "sink")
    assert die.stack.sheets[2].material == COPPER and die.rim(die.start())["sink outer N"] == 300.0
    assert Die(reference(), (2, 2)).rim(Die(reference(), (2, 2)).start()) == {}
