"""Heat in a die: time of exact steps, side by side with HotSpot and ngspice on one thread each.

    python benchmarks/die_heat.py [HOTSPOT] [--ev6 FOLDER] [--million]

HOTSPOT is the program built by ``make`` from uvahotspot/HotSpot; ngspice is found on the path (Debian's ngspice).
Goals: one exact 1 ms step of a 64 x 64 x 5 die in at most 1 ms; HotSpot's grid transient, package included, at least
100 times as fast with the same nodes; ngspice's 64 x 64 RC grid at least 1000 times. Tools that are absent are skipped
by name. Every time is processor time, ours and theirs, so that a busy machine changes no ratio much. --million runs a
closed die for a million steps and prints how its books close (goal 1e-10). --ev6 runs HotSpot's example 1, whose folder
it names, on finer and finer grids, and prints where its block temperatures differ from ours, and why.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import itertools
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from timing import ROUNDS, report, show

from thermoc.simulator.thermal import NOTHING, Die, DieLayer, Face, Floorplan, Material, Stack, block, hotspot
from thermoc.simulator.thermal.mapping import read_blocks

SIDE = 64
TILES = np.array(
    [[0.33, 0.10, 0.33, 0.05], [0.02, 1.00, 0.33, 0.33], [0.33, 0.33, 0.10, 0.50], [0.05, 0.33, 0.02, 0.33]]
)
HOTSPOT_STEPS, HOTSPOT_DT = 5, 10e-3
SPICE_TIME, SPICE_DT = 1e-3, 1e-5


def plan() -> Floorplan:
    """Sixteen tiles of 2 x 2 mm."""
    made = tuple(block(f"T{r}{c}", c * 2e-3, r * 2e-3, 2e-3, 2e-3) for r in range(4) for c in range(4))
    return Floorplan(width=8e-3, height=8e-3, blocks=made)


def sheets() -> Stack:
    """Five layers under a cooled face."""
    silicon = Material(name="silicon", conductivity=130.0, heat_capacity=1.628e6)
    wiring = Material(name="wiring", conductivity=2.25, heat_capacity=2.175e6)
    parts = (
        ("bulk", 100, silicon),
        ("thinned", 50, silicon),
        ("active", 2, silicon),
        ("m1", 10, wiring),
        ("m2", 10, wiring),
    )
    layers = tuple(DieLayer(name=n, thickness=t * 1e-6, material=m, source=n == "active") for n, t, m in parts)
    return Stack(width=8e-3, height=8e-3, layers=layers, top=Face(coefficient=1e5, temperature=300.0))


def median(work: Callable[[], object], repeat: int = 5) -> float:
    """Return the median processor time of one call in s, after a first."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(repeat):
            work()
        times.append((time.process_time() - start) / repeat)
    return float(np.median(times))


def exact_steps() -> list[dict[str, object]]:
    """Time the step, with what one may read from it; each call has a power of its own but where it says otherwise."""
    die, bins = Die(sheets(), (SIDE, SIDE)), plan().binned((SIDE, SIDE))
    watts = itertools.cycle([TILES.ravel(), 2 * TILES.ravel()])
    powers = itertools.cycle([bins.power(TILES.ravel()), bins.power(2 * TILES.ravel())])
    same, lengths = bins.power(TILES.ravel()), itertools.count(1)
    state = die.step(die.start(), same, 1e-3)[0]

    def blocks() -> None:
        die.block_means(die.step(state, bins.power(next(watts)), 1e-3)[0], "active", bins)

    works = {
        "step": lambda: die.step(state, next(powers), 1e-3),
        "step, all temperatures": lambda: die.temperature(die.step(state, next(powers), 1e-3)[0]),
        "step from block powers to block means": blocks,
        "step of a new length": lambda: die.step(state, next(powers), 1e-3 * (1 + 1e-9 * next(lengths))),
        "step of the power before": lambda: die.step(state, same, 1e-3),
    }
    return [{"64 x 64 x 5": name, "ms": 1e3 * median(work), "goal ms": 1.0} for name, work in works.items()]


def hotspot_rows(program: str) -> list[dict[str, object]]:
    """Run HotSpot's grid transient, then the same nodes here; compare block temperatures too."""
    floor, watts = plan(), 20 * TILES.ravel()
    die, bins = Die(hotspot.stack(floor, CONFIG), (SIDE, SIDE)), floor.binned((SIDE, SIDE))
    with tempfile.TemporaryDirectory() as folder:
        theirs, temperatures = run_hotspot(program, Path(folder), floor, watts)
    power, means = bins.power(watts), []
    state = die.start()
    begin = time.process_time()
    for _ in range(HOTSPOT_STEPS):
        state, _ = die.step(state, power, HOTSPOT_DT)
        means.append(die.block_means(state, "silicon", bins))
    first = time.process_time() - begin
    ours = median(lambda: die.block_means(die.step(state, power, HOTSPOT_DT)[0], "silicon", bins))
    apart = np.abs(np.array(means) - temperatures).max()
    row = {"HotSpot s a step": theirs / HOTSPOT_STEPS, "ours ms a step": 1e3 * ours}
    whole = first + 95 * ours  # the first steps hold the making of the propagator
    row |= {"ratio, one step": theirs / HOTSPOT_STEPS / ours, "ratio, 100 steps from new": 20 * theirs / whole}
    return [{**row, "goal": 100, "apart K": apart, "of a rise K": np.max(means) - 300}]


CONFIG = {"k_chip": 130.0, "p_chip": 1630300.0, "ambient": 300.0, "init_temp": 300.0, "sampling_intvl": HOTSPOT_DT}


def run_hotspot(program: str, folder: Path, floor: Floorplan, watts: np.ndarray) -> tuple[float, np.ndarray]:
    """Return HotSpot's processor time in s and its block temperatures (steps, blocks)."""
    lines = [
        f"{b.name}\t{r.width:.6f}\t{r.height:.6f}\t{r.x:.6f}\t{r.y:.6f}" for b in floor.blocks for r in b.rectangles
    ]
    (folder / "die.flp").write_text("\n".join(lines) + "\n")
    names, row = "\t".join(floor.names), "\t".join(map(repr, watts.tolist()))
    (folder / "die.ptrace").write_text("\n".join([names, *[row] * HOTSPOT_STEPS]) + "\n")
    settings = {**CONFIG, "grid_rows": SIDE, "grid_cols": SIDE, "model_type": "grid", "grid_map_mode": "avg"}
    (folder / "die.config").write_text("".join(f"-{key} {value}\n" for key, value in settings.items()))
    command = [program, "-c", "die.config", "-f", "die.flp", "-p", "die.ptrace", "-o", "die.ttrace"]
    spent = child_seconds(lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True))
    return spent, np.loadtxt(folder / "die.ttrace", skiprows=1)


def ev6_rows(program: str, example: Path) -> list[dict[str, object]]:
    """Compare HotSpot's steady EV6, block and grid models, with this die of the same cells and of 256 x 256."""
    floor, trace = hotspot.read_floorplan(example / "ev6.flp"), hotspot.read_power(example / "gcc.ptrace")
    stack = hotspot.stack(floor, hotspot.read_config(example / "example.config"))
    watts = trace.ordered(floor).mean(axis=0)

    def field(side: int) -> np.ndarray:
        die = Die(stack, (side, side))
        return die.temperature(die.steady(floor.binned((side, side)).power(watts)), "silicon")

    fine = floor.binned((256, 256)).means(field(256))

    def row(side: int) -> dict[str, object]:
        theirs, alike, area = ev6_steady(program, example, side, floor), None, None
        if side:
            ours = field(side)
            alike, area = read_blocks(floor, ours), floor.binned((side, side)).means(ours)

        def apart(a: np.ndarray | None, b: np.ndarray) -> float | None:
            return None if a is None else float(np.abs(a - b).max())

        return {
            "HotSpot's model": f"grid {side} x {side}" if side else "block",
            "HotSpot - ours, read alike K": apart(alike, theirs),
            "HotSpot - 256 x 256 K": apart(theirs, fine),
            "ours by area - 256 x 256 K": apart(area, fine),
        }

    return [row(side) for side in (16, 32, 64, 128, 0)]


def ev6_steady(program: str, example: Path, side: int, floor: Floorplan) -> np.ndarray:
    """Return the block temperatures (blocks,) that HotSpot settles to; a side of zero is its block model."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "steady"
        files = ["-c", "example.config", "-f", "ev6.flp", "-p", "gcc.ptrace", "-steady_file", str(found)]
        sides = [f"-grid_rows {side}", f"-grid_cols {side}", "-grid_map_mode avg", "-model_type grid"] if side else []
        command = [program, *files, *" ".join(sides).split()]
        subprocess.run(command, cwd=example, check=True, capture_output=True)
        rows = [line.split() for line in found.read_text().splitlines()]
    numbers = {name: float(value) for name, value in (row for row in rows if len(row) == 2)}
    return np.array([numbers[name] for name in floor.names])


def child_seconds(work: Callable[[], object]) -> float:
    """Return the processor time that child processes spend in a call: the machine may be shared."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rc_die() -> Die:
    """A 64 x 64 grid of resistors, 100 K/W to each neighbour and 2000 K/W to the air, 1.75 uJ/K a node."""
    stuff = Material(name="stuff", conductivity=0.01, heat_capacity=1.75e-6)
    sheet = DieLayer(name="sheet", thickness=1.0, material=stuff, source=True)
    air = Face(coefficient=1 / 2000, temperature=300.0)
    return Die(Stack(width=float(SIDE), height=float(SIDE), layers=(sheet,), top=air, nodes="top"), (SIDE, SIDE))


def netlist() -> str:
    """The same grid for ngspice, two sources switched on at zero; prints the hottest node."""
    lines = ["thermal RC grid"]
    for i in range(SIDE):
        for j in range(SIDE):
            lines += [f"C{i}_{j} n{i}_{j} 0 1.75e-6 IC=0", f"RV{i}_{j} n{i}_{j} 0 2000"]
            lines += [f"RH{i}_{j} n{i}_{j} n{i}_{j + 1} 100"] * (j + 1 < SIDE)
            lines += [f"RW{i}_{j} n{i}_{j} n{i + 1}_{j} 100"] * (i + 1 < SIDE)
    lines += ["I1 0 n20_36 50m", "I2 0 n48_12 15m", ".options reltol=1e-4 method=trap"]
    lines += [f".tran {SPICE_DT} {SPICE_TIME} 0 {SPICE_DT} uic", ".control", "run", "set numdgt=9", "set noaskquit"]
    return "\n".join(
        [*lines, "let last = length(time) - 1", "print v(n20_36)[last]", "print last", "quit", ".endc", ".end"]
    )


def spice_rows(program: str) -> list[dict[str, object]]:
    """Run ngspice over the grid's transient, then exact steps of the same length here."""
    die, power = rc_die(), np.zeros((SIDE, SIDE))
    power[20, 36], power[48, 12] = 50e-3, 15e-3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.cir"
        path.write_text(netlist())
        said: list[str] = []

        def work() -> None:
            said.append(subprocess.run([program, "-b", str(path)], check=True, capture_output=True, text=True).stdout)

        theirs = child_seconds(work)
    found = float(next(line for line in said[0].splitlines() if line.startswith("v(n20_36)")).split("=")[1])
    steps = round(SPICE_TIME / SPICE_DT)

    def ours() -> float:
        state = die.start()
        for _ in range(steps):
            state, _ = die.step(state, power, SPICE_DT)
        return float(die.temperature(state, 0)[20, 36] - 300)

    spent = median(ours, 1)
    row = {"ngspice s": theirs, "ours ms": 1e3 * spent, "ratio": theirs / spent, "goal": 1000}
    return [{**row, "steps": steps, "apart K": abs(found - ours()), "of a rise K": ours()}]


def million() -> list[dict[str, object]]:
    """A closed die that takes power for a million steps: its books, and its heat against the power put in."""
    stack = sheets()
    die = Die(Stack(width=stack.width, height=stack.height, layers=stack.layers), (4, 4))
    state, books, rng = die.start(300.0), NOTHING, np.random.default_rng(0)
    before, powers = die.energy(state), rng.random((64, 4, 4))
    for k in range(1_000_000):
        state, ledger = die.step(state, powers[k % 64], 1e-6)
        books += ledger
    gained = die.energy(state) - before
    return [{"steps": 1_000_000, "books' gap": books.gap / books.work, "energy less work": gained / books.work - 1}]


def main(arguments: list[str]) -> None:
    """Print every table."""
    reader = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    reader.add_argument(
        "hotspot", nargs="?", type=_program, help="the program that make builds from uvahotspot/HotSpot"
    )
    reader.add_argument("--ev6", type=Path, metavar="FOLDER", help="HotSpot's examples/example1")
    reader.add_argument("--quick", action="store_true", help="fewer rounds")
    reader.add_argument("--million", action="store_true", help="a closed die for a million steps")
    asked = reader.parse_args(arguments)
    steps, rows = exact_steps(), dict[str, list[dict[str, object]]]()
    show("one exact step of 1 ms", steps)
    if asked.hotspot:
        rows["HotSpot"] = hotspot_rows(asked.hotspot)
        show(f"HotSpot's grid model, {SIDE} x {SIDE} with its package, steps of 10 ms", rows["HotSpot"])
    if asked.hotspot and asked.ev6:
        show("HotSpot's EV6, steady, greatest of 30 blocks", ev6_rows(asked.hotspot, asked.ev6))
    if spice := shutil.which("ngspice"):
        rows["ngspice"] = spice_rows(spice)
        show(f"ngspice, RC grid of {SIDE} x {SIDE}", rows["ngspice"])
    report(goals(steps, rows))
    if asked.million:
        show("a closed die", million())


def goals(steps: list[dict[str, object]], rows: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    """Return what is asked for: an exact step's time, and how many times as fast as the programs it is."""
    first: dict[str, object] = {
        "work": "exact step of a 64 x 64 x 5 die, 1 ms",
        "anchor": "1 ms",
        "ratio": steps[0]["ms"],
        "goal": 1.0,
    }
    found: list[dict[str, object]] = [first | {"better": "lower"}]
    for name, column, goal, missing in (
        ("HotSpot", "ratio, one step", 100.0, "no program given: build uvahotspot/HotSpot with make, and name it"),
        ("ngspice", "ratio", 1000.0, "not on the path (Debian's package ngspice)"),
    ):
        row = {"work": "exact step of a 64 x 64 die", "anchor": name, "goal": goal, "better": "higher"}
        known = rows.get(name)
        found.append(row | ({"ratio": known[0][column]} if known else {"ratio": float("nan"), "note": missing}))
    return found


def _program(name: str) -> str:
    """Return the whole path of a program that can be run."""
    found = shutil.which(name) or shutil.which(str(Path(name).resolve()))
    if found is None:
        raise argparse.ArgumentTypeError(f"{name} is no program that can be run")
    return str(Path(found).resolve())


if __name__ == "__main__":
    main(sys.argv[1:])
