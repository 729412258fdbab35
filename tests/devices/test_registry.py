"""A device model is two files: what lists models follows from them, and what one lacks is named."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import thermoc
from thermoc.simulator import sources
from thermoc.simulator.devices import load, models, names
from thermoc.simulator.devices.model import DeviceModel

DOCS = Path(__file__).parents[2] / "docs/devices.md"

BEGIN = "<!-- the table: pytest tests/devices/test_registry.py --update-golden -->\n"
END = "<!-- end of the table -->\n"
HEADING = "| name | what it is | state | temperature |\n|---|---|---|---|\n"

TOY = '''
"""A toy: i = G v^3, with a state that relaxes to its upper end at k |v|."""

from typing import Annotated, NamedTuple

from thermoc.simulator.devices.model import DeviceModel, InternalState, Plain
from thermoc.simulator.devices.rule import rule


class Parameters(NamedTuple):
    cubic: Annotated[float, "A/V^3"]
    speed: Annotated[float, "1/(V*s)"]
    low: Plain
    high: Plain


@rule
def conduct(v, T, x, m, p):
    return p.cubic * v**3, 3 * p.cubic * v**2


@rule
def rate(at, x, p):
    return p.speed * abs(at.v) * (p.high - x)


MODEL = DeviceModel(
    summary="a toy",
    parameters=Parameters,
    state=InternalState(name="share", unit="", least="low", greatest="high", size="high"),
    conduct=conduct,
    rate=rate,
)
'''
DATA = """
cubic = { value = 2, unit = "mA/V^3", above = 0, source = "ours", sure = "O" }
speed = { value = 1e9, unit = "1/(V*s)", above = 0, source = "ours", sure = "O" }
low = { value = 0, unit = "", source = "ours", sure = "O" }
high = { value = 1, unit = "", above = "low", source = "ours", sure = "O" }
circuit.load = { value = 0, unit = "ohm", source = "ours", sure = "O" }
circuit.inner = { value = 0, unit = "ohm", source = "ours", sure = "O" }
circuit.capacitance = { value = 0, unit = "F", source = "ours", sure = "O" }
heat.ambient = { value = 300, unit = "K", source = "ours", sure = "O" }
heat.limit = { value = 900, unit = "K", source = "ours", sure = "O" }
start.state = { value = 0, unit = "", source = "ours", sure = "O" }
"""
RUN = """
import math
import numpy as np
from thermoc.simulator.devices import currents, load, names
from thermoc.simulator.devices.loops import adaptive, workspace
from thermoc.simulator.devices.records import DeviceDrive, DeviceProblem
assert "toy" in names() and "vteam" in names()
toy = load("toy", speed=2e9)
y = np.array([300.0, 0.0, 0.0])
problem = DeviceProblem(toy.cell(), DeviceDrive(0.5, 300.0), np.zeros(5), np.zeros(3))
status, _ = adaptive(problem, y, (0.0, 1e-9), 0.0, 1e-9, np.zeros(3), workspace())
assert status == 0 and abs(y[1] + math.expm1(-2e9 * 0.5 * 1e-9)) < 1e-8, y
i, v = currents(load("toy", circuit_load=1e3), 1.0)
assert abs(i - 2e-3 * v**3) < 1e-12 and abs(v + 1e3 * i - 1) < 1e-12
print("same")
"""


def in_a_copy(folder, code, **files):
    """Run code in a copy of the package with other files beside the models, in plain Python."""
    copy = folder / "thermoc"
    shutil.copytree(Path(thermoc.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        path = copy / f"simulator/devices/models/{stem}.{suffix}"
        path.unlink() if text is None else path.write_text(text)
    env = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=folder, capture_output=True, text=True, timeout=300
    )


def test_a_new_model_is_two_files(tmp_path):
    done = in_a_copy(tmp_path, RUN, toy_py=TOY, toy_toml=DATA)
    assert done.stdout.strip() == "same", done.stderr


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"toy_py": TOY}, "toy.py has no data: toy.toml is missing"),
        ({"toy_toml": DATA}, "toy.toml has no model: toy.py, which declares MODEL, is missing"),
        ({"toy_py": "", "toy_toml": DATA}, "toy.py declares no MODEL"),
    ],
)
def test_what_a_model_lacks_is_named(tmp_path, files, says):
    done = in_a_copy(tmp_path, "import thermoc.simulator.devices", **files)
    assert done.returncode != 0 and says in done.stderr


@pytest.mark.parametrize("name", names())
def test_a_model_declares_a_current_and_what_its_state_needs(name):
    model = models.MODELS[name]
    assert (model.conduct is None) != (model.solve is None)
    moves = [rule for rule in (model.rate, model.core) if rule is not None]
    assert len(moves) == (1 if model.state else 0)
    assert (model.store is None) == (model.core is None)
    if model.state:
        assert {model.state.least, model.state.greatest, model.state.size} <= set(model.units)
    assert load(name).record()._fields == tuple(model.units)


def test_compiled_code_depends_on_every_model():
    """Else a kernel kept on disk would outlive a change of one."""
    known = sources.files("thermoc.simulator.devices.loops")
    assert {f"thermoc.simulator.devices.models.{name}" for name in names()} <= set(known)


def row(name: str, model: DeviceModel) -> str:
    state = f"{model.state.name}, {model.state.unit}".removesuffix(", ") if model.state else ""
    state = "branch of the hysteresis" if model.hysteresis else state
    return f"| `{name}` | {model.summary} | {state} | {'a state' if model.heated else model.temperature} |"


def test_the_table_of_the_docs_lists_every_model(request: pytest.FixtureRequest):
    text = DOCS.read_text("utf-8")
    head, rest = text.split(BEGIN)
    rows = "".join(row(name, model) + "\n" for name, model in models.MODELS.items())
    page = f"{head}{BEGIN}{HEADING}{rows}{END}{rest.split(END)[1]}"
    if request.config.getoption("--update-golden"):
        DOCS.write_text(page, "utf-8")
    assert DOCS.read_text("utf-8") == page, "run pytest tests/devices/test_registry.py --update-golden"


def test_a_model_says_what_it_is_and_where_it_is_from():
    for name in names():
        text = importlib.import_module(f"thermoc.simulator.devices.models.{name}").__doc__ or ""
        assert len(text.splitlines()) > 2, f"{name}.py: its docstring has the equation, and the source"
