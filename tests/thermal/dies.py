"""Dies that several tests share."""

from pathlib import Path

import numpy as np

from thermoc.simulator.thermal import (
    DieLayer,
    Face,
    Floorplan,
    Material,
    Package,
    Plate,
    Stack,
    block,
    hotspot,
    read_stack,
)

SILICON = Material(name="silicon", conductivity=130.0, heat_capacity=1.63e6)
PASTE = Material(name="paste", conductivity=4.0, heat_capacity=4.0e6)
COPPER = Material(name="copper", conductivity=400.0, heat_capacity=3.55e6)
OXIDE = Material(name="oxide", conductivity=1.4, heat_capacity=1.6e6)
TILES = np.array(
    [[0.33, 0.10, 0.33, 0.05], [0.02, 1.00, 0.33, 0.33], [0.33, 0.33, 0.10, 0.50], [0.05, 0.33, 0.02, 0.33]]
)
REFERENCE = Path(__file__).with_name("reference_die.toml")
WARM = Face(coefficient=2e4, temperature=310.0)
COLD = Face(coefficient=1e5, temperature=300.0)


def tiles(side=8e-3):
    """The four by four tiles of the reference data, row by row from y = 0."""
    step = side / 4
    made = tuple(block(f"T{r}{c}", c * step, r * step, step, step) for r in range(4) for c in range(4))
    return Floorplan(width=side, height=side, blocks=made)


def reference():
    return read_stack(REFERENCE)


def two_sheets(width=8e-3, height=6e-3, **rest):
    layers = (
        DieLayer(name="silicon", thickness=150e-6, material=SILICON, source=True),
        DieLayer(name="paste", thickness=20e-6, material=PASTE),
    )
    return Stack(width=width, height=height, layers=layers, **rest)


def package():
    return Package(
        spreader=Plate(side=0.03, thickness=1e-3, material=COPPER),
        sink=Plate(side=0.06, thickness=6.9e-3, material=COPPER),
        resistance=0.1,
        capacity=40.0,
        temperature=300.0,
    )


def packed(**rest):
    return two_sheets(package=package(), nodes="top", **rest)


def hotspot_stack(plan):
    given = {"k_chip": 130.0, "p_chip": 1630300.0, "ambient": 300.0}
    return hotspot.stack(plan, given)
