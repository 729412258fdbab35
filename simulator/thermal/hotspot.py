"""HotSpot's files: floorplans (.flp), power traces (.ptrace), configurations and materials, and its package model.

Layer files (.lcf) are ``hotspot_layers``. What HotSpot models and is not done here is refused as such (T507).

HotSpot multiplies every heat capacity by 0.333 and puts a layer's node at the top of the layer: ``stack`` does too,
so that its nodes are HotSpot's own. Huang et al., IEEE Trans. VLSI 14(5):501 (2006).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.data import quantities
from thermoc.simulator.thermal.floorplan import Floorplan, FloorplanBlock, Rectangle
from thermoc.simulator.thermal.hotspot_layers import LayerRow, rows_of
from thermoc.simulator.thermal.stack import DieLayer, Material, Package, Plate, Stack
from thermoc.simulator.thermal.text import numbers, undone, wrong
from thermoc.support.suggestions import near

DEFAULTS = Path(__file__).with_name("hotspot.toml")
UNITS = {"t": "m", "s": "m", "k": "W/(m*K)", "p": "J/(m^3*K)", "r": "K/W", "c": "J/K"}
PARTS = {
    "chip": ("t", "k", "p"),
    "interface": ("t", "k", "p"),
    "spreader": ("s", "t", "k", "p"),
    "sink": ("s", "t", "k", "p"),
    "convec": ("r", "c"),
}
BEYOND = {
    "model_secondary": "the secondary heat path",
    "package_model_used": "the detailed package model",
    "use_microfluidic_cooling": "microfluidic cooling",
    "use_microchannels": "microfluidic cooling",
    "detailed_3D": "a material of its own for each block",
    "leakage_used": "leakage that follows temperature",
    "block_omit_lateral": "a chip that conducts no heat along itself",
}
# HotSpot's own words for a feature that is off: a default written out is no request
OFF = ("0", "off")
OTHERS = """
    Davg Kmoves Nmax P0 Rcool Rreject base_proc_freq c c_convec_sec channel_width compact_ratio coolant_capac
    coolant_material coolant_res coolant_visc d dtm_used f fan_radius fin_height fin_width flow_type grid_cols
    grid_layer_file grid_map_mode grid_rows grid_steady_file grid_transient_file htc init_file init_temp
    inlet_temperature l2_label lambdaA lambdaT lambdaW leakage_mode material_chip material_interface material_sink
    material_spreader materials_file model_rim model_type motor_radius n_c4 n_metal n_orients natural_convec
    network_file o p package_config_file pin_diam pin_dist pin_height pump_internal_res pumping_pressure r_convec_sec
    rim_thickness rpm s_c4 s_pcb s_solder s_sub sampling_intvl sink_type steady_file t_c4 t_metal t_pcb t_solder t_sub
    thermal_threshold wall_capac wall_material wall_res wrap_l2
""".split()  # noqa: SIM905
"""Names that HotSpot knows and its chip and package here do not need."""


@dataclass(frozen=True, kw_only=True)
class PowerTrace:
    """Power over time: ``names`` of blocks, ``watts`` (slots, blocks)."""

    names: tuple[str, ...]
    watts: NDArray

    def ordered(self, plan: Floorplan) -> NDArray:
        """Return the watts (slots, blocks) in a floorplan's order. Errors: T514 where the names differ."""
        return self.shared(plan)[0]

    def shared(self, *plans: Floorplan) -> list[NDArray]:
        """Return the watts (slots, blocks) of each floorplan, where one trace holds the blocks of several dies.

        Errors: T514 where a block is in the trace or in the floorplans only, or in two floorplans.
        """
        blocks = [name for plan in plans for name in plan.names]
        twice = sorted(name for name, times in Counter(blocks).items() if times > 1)
        if twice:
            raise wrong(f"the block {twice[0]!r} is in two floorplans", None, "a trace names each block once")
        # both ways: a block without power and a power without a block are likely one misspelt name
        missing = sorted(set(blocks) ^ set(self.names))
        if missing:
            holder = "floorplan" if missing[0] in blocks else "power trace"
            raise wrong(f"the block {missing[0]!r} is in the {holder} only", None)
        index_of = {name: k for k, name in enumerate(self.names)}
        return [self.watts[:, [index_of[name] for name in plan.names]] for plan in plans]


def read_floorplan(path: str | os.PathLike[str]) -> Floorplan:
    """Return a floorplan; its lower left corner becomes the origin. Lines of connectivity are passed over.

    Errors: T501, T514 with the line, T507 (materials of blocks).
    """
    found = []
    for where, words in rows_of(path):
        if len(words) == 3:  # how densely two blocks are wired, which carries no heat
            numbers(words[2:], where)
            continue
        if len(words) == 7:
            raise undone("a block's own heat capacity and resistivity", where, "give the layer inlays")
        if len(words) != 5:
            raise wrong(f"a block has 5 fields, this line {len(words)}", where, "name, width, height, left x, bottom y")
        found.append((words[0], numbers(words[1:], where), where))
    if not found:
        raise wrong(f"{Path(path).name} holds no block", None)
    x_low, low = (min(values[i] for _, values, _ in found) for i in (2, 3))
    blocks = tuple(
        FloorplanBlock(name=name, rectangles=(Rectangle(x - x_low, y - low, w, h),), where=where)
        for name, (w, h, x, y), where in found
    )
    return Floorplan(
        width=max(r.x + r.width for b in blocks for r in b.rectangles),
        height=max(r.y + r.height for b in blocks for r in b.rectangles),
        blocks=blocks,
    )


def read_power(path: str | os.PathLike[str]) -> PowerTrace:
    """Return a power trace: a line of names, then a line of W for each slot. Errors: T501, T514 with the line."""
    rows = list(rows_of(path))
    if len(rows) < 2:
        raise wrong(f"{Path(path).name} holds no power", None, "a line of names, then lines of W")
    names = tuple(rows[0][1])
    if len(set(names)) < len(names):
        raise wrong("two columns have one name", rows[0][0])
    watts = []
    for where, words in rows[1:]:
        if len(words) != len(names):
            raise wrong(f"the line has {len(words)} powers for {len(names)} blocks", where)
        watts.append(numbers(words, where))
    return PowerTrace(names=names, watts=np.array(watts))


def read_materials(path: str | os.PathLike[str]) -> dict[str, Material]:
    """Return the solids of a materials file by name; fluids are passed over. Errors: T501, T514 with the line."""
    rows, materials = list(rows_of(path)), {}
    while rows:
        (where, (name, *_)), rows = rows[0], rows[1:]
        kind = rows[0][1][0] if rows else ""
        # what stands after the name tells how many lines belong to the material
        size = {"solid": 3, "fluid": 4}.get(kind)
        if size is None:
            raise wrong(f"material {name!r} is neither solid nor fluid", rows[0][0] if rows else where)
        if len(rows) < size:
            raise wrong(f"material {name!r} is cut short", where)
        k, c = (numbers(words[:1], line)[0] for line, words in rows[1:3])
        if kind == "solid":
            materials[name] = Material(name=name, conductivity=k, heat_capacity=c)
        rows = rows[size:]
    return materials


def read_config(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return a configuration's values by name, without the dash. Errors: T501, T514 with the line."""
    settings: dict[str, str] = {}
    for where, words in rows_of(path):
        if len(words) != 2 or not words[0].startswith("-"):
            raise wrong("a line is a dash, a name and a value", where)
        name = words[0][1:]
        if name in settings:
            raise wrong(f"{name!r} is given twice", where)
        settings[name] = words[1]
    return settings


def stack(
    plan: Floorplan,
    config: Mapping[str, object] | None = None,
    materials: Mapping[str, Material] | None = None,
    layers: Sequence[LayerRow] = (),
) -> Stack:
    """Return HotSpot's stack: silicon, interface, spreader, sink; values not given are HotSpot's own.

    config: numbers in SI, or their texts, by HotSpot's names, as ``read_config`` returns. layers: those of a layer file
    in place of silicon and interface, from the one farthest from the sink on. Errors: T514, T405, T507.
    """
    settings = dict(config or {})
    names = [*defaults(), *BEYOND, *OTHERS]
    for name in settings:
        if name not in names:
            raise wrong(f"HotSpot has no {name!r}", None, near(name, names))
    # only where it is switched on: configurations written out in full list all that HotSpot has
    for name, meaning in BEYOND.items():
        if str(settings.get(name, "0")) not in OFF:
            raise undone(f"{name}: {meaning}", None)
    # a stack made of the default layers in place of the file's would be plausible and wrong
    if str(settings.get("grid_layer_file", "(null)")) != "(null)" and not layers:
        hint = "give layers=hotspot_layers.read_layers(path)"
        raise wrong(f"grid_layer_file names {settings['grid_layer_file']}, and no layers are given", None, hint)
    values = {name: _value(name, settings.get(name, default)) for name, default in defaults().items()}
    resolved = {
        component: _material(component, values, settings, materials or {})
        for component in ("chip", "interface", "spreader", "sink")
    }
    silicon = DieLayer(name="silicon", thickness=values["t_chip"], material=resolved["chip"], source=True)
    interface = DieLayer(name="interface", thickness=values["t_interface"], material=resolved["interface"])
    rows = [row.layer(values["lumping"], materials or {}) for row in layers]
    return Stack(
        width=plan.width,
        height=plan.height,
        layers=tuple(rows) if rows else (silicon, interface),
        package=Package(
            spreader=Plate(side=values["s_spreader"], thickness=values["t_spreader"], material=resolved["spreader"]),
            sink=Plate(side=values["s_sink"], thickness=values["t_sink"], material=resolved["sink"]),
            resistance=values["r_convec"],
            # the factor belongs to every capacity, that of the convection too: HotSpot's time constants depend on it
            capacity=values["lumping"] * values["c_convec"],
            temperature=values["ambient"],
        ),
        # HotSpot's convention: other nodes would differ from its own by half a layer's drop
        nodes="top",
    )


@cache
def defaults() -> quantities.Quantities:
    """Return HotSpot's own values in SI, each with its source."""
    expect = {f"{letter}_{component}": UNITS[letter] for component, letters in PARTS.items() for letter in letters}
    return quantities.read(DEFAULTS, {**expect, "ambient": "K", "lumping": ""})


def _material(
    part: str, values: Mapping[str, float], given: Mapping[str, object], known: Mapping[str, Material]
) -> Material:
    name = given.get(f"material_{part}")
    if name is not None and name not in known:
        raise wrong(f"material_{part}: no material {name!r}", None, f"known are {', '.join(known) or 'none'}")
    k, c = values[f"k_{part}"], values[f"p_{part}"]
    # a material's name wins over numbers given beside it
    if name is not None:
        k, c = known[str(name)].conductivity, known[str(name)].heat_capacity
    return Material(name=part, conductivity=k, heat_capacity=values["lumping"] * c)


def _value(name: str, given: object) -> float:
    try:
        return float(given)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        raise wrong(f"{name} is {given!r}, no number", None) from None
