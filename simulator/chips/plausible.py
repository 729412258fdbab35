"""What each number of a chip's file may be: ranges beyond which it describes no chip, in the units of the file.

They are wide: from one memristor to a wafer, from liquid helium to the melting of silicon. What lies beyond is a slip
of a unit or a key. Times that the machine counts are whole picoseconds (``MACHINE_TIMES``).
"""

from __future__ import annotations

from collections.abc import Iterator

from thermoc.simulator.data.quantities import Quantities

MOST_CORES = 4096
"""Layouts and dies keep numbers of every pair of cores."""
PICO = 1e12
ROUNDING = 0.01
"""A time that whole picoseconds change by a larger share is refused."""
COUNTS = {
    **dict.fromkeys(("mesh.columns", "mesh.rows", "mesh.cores"), 10**9),  # their product has a limit of its own
    "crossbar.per_core": 4096,
    "crossbar.rows": 16384,
    "crossbar.columns": 16384,
    "crossbar.arrays_a_sign": 2,
    "crossbar.cell_bits": 16,
    "crossbar.weight_bits": 32,
    "input.bits": 32,
    "input.dac_bits": 16,
    "adc.bits": 24,
    "adc.per_core": 65536,
    "adc.cores_a_bank": MOST_CORES,
    "vector.lanes": 65536,
    "buffer.width": 65536,
    "buffer.size": 1 << 34,
    "network.flit": 65536,
    "sampler.units": 1 << 20,
    "core.units": 1 << 20,
}
"""Whole numbers from 1 on, and the greatest."""
SECONDS, JOULES, WATTS, KELVIN = (0.0, 1.0), (0.0, 1e-3), (0.0, 1e3), (1.0, 3000.0)
BELOW_QUARTER = (0.0, 0.2499999)
"""A neighbour's share of a rise stays below 1/4, whatever the lateral conductance (``crossbar.heat``)."""
RANGES: dict[str, tuple[float, float]] = {
    "clock.frequency": (1e3, 1e12),
    "mesh.tile_width": (1e-6, 0.1),
    "mesh.tile_height": (1e-6, 0.1),
    "crossbar.read_time": (1e-12, 1.0),
    "crossbar.read_power": WATTS,
    "crossbar.write_time": SECONDS,
    "crossbar.write_energy": JOULES,
    "crossbar.least_conductance": (0.0, 1.0),
    "crossbar.most_conductance": (1e-15, 1.0),
    "crossbar.wire": (0.0, 1e6),
    "crossbar.warming": (0.0, 1.0),
    "crossbar.reference": KELVIN,
    "crossbar.cell_resistance": (0.0, 1e10),
    "crossbar.crosstalk": BELOW_QUARTER,
    "input.dac_power": WATTS,
    "input.pipeline": (0.0, 1e6),
    "adc.rate": (1e3, 1e12),
    "adc.conversion_energy": JOULES,
    "adc.shift_add_power": WATTS,
    "vector.power": WATTS,
    "buffer.size": (64.0, float(1 << 34)),
    "buffer.latency": (0.0, 1e6),
    "buffer.access_energy": JOULES,
    "network.flit_time": (1e-12, 1e-3),
    "network.hop_time_x": (0.0, 1e-3),
    "network.hop_time_y": (0.0, 1e-3),
    "network.hop_energy_x": JOULES,
    "network.hop_energy_y": JOULES,
    "leakage.tile_power": WATTS,
    "leakage.reference": KELVIN,
    "leakage.fold": (1.0, 1e4),
    "leakage.gated": (0.0, 1.0),
    "limit.temperature": KELVIN,
    "die.active": (1e-9, 0.1),
    **{f"{sheet}.thickness": (1e-8, 0.1) for sheet in ("die", "bond", "spreader")},
    **{f"{sheet}.conductivity": (1e-3, 1e4) for sheet in ("die", "bond", "spreader")},
    **{f"{sheet}.heat_capacity": (1e2, 1e8) for sheet in ("die", "bond", "spreader")},
    "package.resistance": (1e-6, 1e6),
    "package.capacity": (1e-9, 1e9),
    "package.ambient": (1.0, 1000.0),
    "sampler.time": (1e-12, 1.0),
    "sampler.bias": (-100.0, 100.0),
    "sampler.resistance": (1.0, 1e12),
    "sampler.capacity": (1e-21, 1e-3),
    "sampler.crosstalk": BELOW_QUARTER,
    "sampler.reference": KELVIN,
    "sampler.coldest": KELVIN,
    "sampler.hottest": KELVIN,
    "heater.power": WATTS,
    **{f"network.message_{way}_energy": JOULES for way in ("out", "in")},
    **{f"network.message_{way}_time": SECONDS for way in ("out", "in")},
    **{f"synapse.{kind}_energy": JOULES for kind in ("dense", "sparse", "conv")},
    **{f"synapse.{kind}_time": SECONDS for kind in ("dense", "sparse", "conv")},
    **{f"soma.{kind}_energy": JOULES for kind in ("access", "update", "spike")},
    **{f"soma.{kind}_time": SECONDS for kind in ("access", "update", "spike")},
    "barrier.tiles": (0.0, float(MOST_CORES)),
    "barrier.time": SECONDS,
}
"""The least and the greatest, both included."""
MACHINE_TIMES = (
    *("crossbar.read_time", "crossbar.write_time", "sampler.time"),
    *("network.flit_time", "network.hop_time_x", "network.hop_time_y"),
)
"""Times of a crossbar chip that instructions last, which the machine rounds to whole picoseconds."""
IN_ORDER = (
    ("crossbar.cell_bits", "crossbar.weight_bits"),
    ("input.dac_bits", "input.bits"),
    ("die.active", "die.thickness"),
    ("package.ambient", "limit.temperature"),
)
"""The first must be at most the second."""
Problem = tuple[str, str]


def problems(q: Quantities) -> Iterator[Problem]:
    """Yield what is wrong with the numbers of a chip's file, as statement and fact."""
    for name in q:
        value = q.quantity(name).value
        for number in value if isinstance(value, tuple) else (value,):
            problem = None if isinstance(number, str) else _alone(name, number, q.quantity(name).written)
            if problem is None and name in MACHINE_TIMES and q.text("kind") == "crossbar":
                problem = _rounded(name, float(number))
            if problem is not None:
                yield problem
                break
    yield from _between(q)


def _alone(name: str, value: float, written: str) -> Problem | None:
    """Return what is wrong with one number by itself."""
    # a name in neither table gets an empty range, so that no number goes unchecked
    low, high = RANGES.get(name, (1.0, float(COUNTS.get(name, 0))))
    # said by itself, since a range from zero to so and so is a poor answer to a sign
    if value < 0 <= low:
        return f"{name} must not be negative", f"it is {written}"
    if name in COUNTS and (value != round(value) or value < 1):
        return f"{name} must be a whole number of at least 1", f"it is {value:g}"
    if name == "crossbar.arrays_a_sign" and value > high:
        return "crossbar.arrays_a_sign must be 1 or 2", f"it is {value:g}"
    if not low <= value <= high:
        return f"{name} must be from {low:g} to {high:g}", f"it is {value:g}, written {written}"
    return None


def _rounded(name: str, value: float) -> Problem | None:
    """Return what is wrong with a time that the machine rounds."""
    picoseconds = round(value * PICO)
    # a hop may take no time at all: zero rounds to itself
    if abs(picoseconds - value * PICO) <= ROUNDING * value * PICO:
        return None
    fact = f"it is {value * PICO:g} ps; the machine counts whole picoseconds and would take {picoseconds}"
    return f"{name} is no whole number of picoseconds to within {ROUNDING:.0%}", fact


def _between(q: Quantities) -> Iterator[Problem]:
    """Yield what is wrong between numbers."""
    cores = q["mesh.columns"] * q["mesh.rows"] * q["mesh.cores"]
    if cores > MOST_CORES:
        yield f"a chip has at most {MOST_CORES} cores", f"mesh.columns x mesh.rows x mesh.cores is {cores:g}"
    for low, high in IN_ORDER:
        if low in q and high in q and q[low] > q[high]:
            yield f"{low} must be at most {high}", f"they are {q[low]:g} and {q[high]:g}"
    # only files of crossbar chips have it, and with it all the other names
    if "crossbar.wire" in q:
        yield from _arrays(q)
    if "sampler.hottest" in q and not q["sampler.coldest"] <= q["sampler.reference"] <= q["sampler.hottest"]:
        yield "sampler: coldest <= reference <= hottest must hold", f"reference is {q['sampler.reference']:g} K"
    if "barrier.tiles" in [*q]:
        tiles, times = q.array("barrier.tiles"), q.array("barrier.time")
        if len(tiles) != len(times) or (tiles[1:] <= tiles[:-1]).any():
            fact = f"there are {len(tiles)} and {len(times)}"
            yield "barrier.tiles must rise, and barrier.time hold one time for each", fact


def _arrays(q: Quantities) -> Iterator[Problem]:
    """Yield what is wrong between the numbers of arrays, converters and buffers."""
    if q["crossbar.least_conductance"] >= q["crossbar.most_conductance"]:
        fact = f"they are {q['crossbar.least_conductance']:g} and {q['crossbar.most_conductance']:g} S"
        yield "crossbar.least_conductance must be below crossbar.most_conductance", fact
    # a bank serves cores of one tile: none may be left over
    if q["adc.cores_a_bank"] > 0 and q["mesh.cores"] % q["adc.cores_a_bank"]:
        fact = f"{q['mesh.cores']:g} cores, {q['adc.cores_a_bank']:g} a bank"
        yield "the cores of a tile do not part into banks of ADCs", fact
    if 8 * q["buffer.size"] < q["buffer.width"]:
        fact = f"it is {8 * q['buffer.size']:g} bits, and buffer.width is {q['buffer.width']:g}"
        yield "buffer.size must hold one access", fact
