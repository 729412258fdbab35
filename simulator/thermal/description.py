"""A stack as a data file: every number with its unit, its source and how sure it is (see ``quantities``).

    nodes = "centre"
    [die]                      # width and height, lengths
    [material.silicon]         # conductivity, heat_capacity
    [[layer]]                  # from the top: name, material, role = "source" or "passive", thickness
    [top]                      # optional, and [bottom]: coefficient, temperature
    [sink]                     # optional: capacity, resistance, temperature, and joint where contact is not perfect
    [package]                  # optional: resistance, capacity, temperature
    [package.spreader]         # and [package.sink]: material, side, thickness

Inlays follow a floorplan and are given in Python: ``DieLayer.inlays``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thermoc.simulator.data import quantities
from thermoc.simulator.data.quantities import Quantities
from thermoc.simulator.thermal.stack import DieLayer, Face, HeatSink, Material, Package, Plate, Stack
from thermoc.support.errors import ThermocError, error
from thermoc.support.limits import TEXT_BYTES
from thermoc.support.loading import read_text
from thermoc.support.suggestions import near
from thermoc.support.toml_text import parse_toml

ALWAYS = {
    "nodes": "text",
    "die.width": "m",
    "die.height": "m",
    "material.*.conductivity": "W/(m*K)",
    "material.*.heat_capacity": "J/(m^3*K)",
    "layer.*.name": "text",
    "layer.*.material": "text",
    "layer.*.role": "text",
    "layer.*.thickness": "m",
}
FACE = {"coefficient": "W/(m^2*K)", "temperature": "K"}
SINK = {"capacity": "J/K", "resistance": "K/W", "temperature": "K"}
JOINT = {"joint": "W/(m^2*K)"}
PLATE = {"material": "text", "side": "m", "thickness": "m"}
PACKAGE = {
    "resistance": "K/W",
    "capacity": "J/K",
    "temperature": "K",
    **{f"{plate}.{name}": unit for plate in ("spreader", "sink") for name, unit in PLATE.items()},
}
ROLES = {"source": True, "passive": False}


def read(source: str | os.PathLike[str]) -> Stack:
    """Return the stack of a data file, a path or TOML text. Errors: T501, T513, T405."""
    document = quantities.read(source, expected(source))
    # errors name the file, or say that it was a text
    label = "the text" if isinstance(source, str) and "\n" in source else Path(source).name
    return stack(document, label)


def expected(source: str | os.PathLike[str]) -> dict[str, str]:
    """Return the names and units a file must hold, given the optional tables it has."""
    optional = {"top": FACE, "bottom": FACE, "sink": SINK, "package": PACKAGE}
    text = source if isinstance(source, str) and "\n" in source else read_text(source, most=TEXT_BYTES)
    try:
        tables = parse_toml(text, "the text")
    except ThermocError:
        return ALWAYS  # the reader of quantities says what is wrong with it
    # joint is asked for only where it stands, since perfect contact is the rule
    if isinstance(sink := tables.get("sink"), dict) and "joint" in sink:
        optional["sink"] = SINK | JOINT
    # tables that are there bring the names that they must hold: a face without a coefficient is then an error
    return ALWAYS | {
        f"{table}.{name}": unit for table, names in optional.items() if table in tables for name, unit in names.items()
    }


def stack(found: Quantities, label: str = "the data") -> Stack:
    """Return the stack of quantities already read. Errors: T513 where a material or a role is unknown, T405."""
    materials = {
        name: Material(
            name=name,
            conductivity=found[f"material.{name}.conductivity"],
            heat_capacity=found[f"material.{name}.heat_capacity"],
        )
        for name in found.names("material")
    }
    return Stack(
        width=found["die.width"],
        height=found["die.height"],
        layers=tuple(_layer(found.group(f"layer.{i}"), materials, label) for i in found.names("layer")),
        top=_face(found, "top"),
        bottom=_face(found, "bottom"),
        sink=_sink(found),
        package=_package(found, materials, label),
        nodes=found.text("nodes"),  # pyright: ignore[reportArgumentType]  (Stack checks it)
    )


def _layer(found: Quantities, materials: Mapping[str, Material], label: str) -> DieLayer:
    name = found.text("name")
    return DieLayer(
        name=name,
        thickness=found["thickness"],
        material=_named(found, f"{label}: layer {name!r}: material", "material", materials),
        source=_named(found, f"{label}: layer {name!r}: role", "role", ROLES),
    )


def _face(found: Quantities, side: str) -> Face | None:
    if side not in found.names():
        return None
    return Face(coefficient=found[f"{side}.coefficient"], temperature=found[f"{side}.temperature"])


def _sink(found: Quantities) -> HeatSink | None:
    if "sink" not in found.names():
        return None
    sink = found.group("sink")
    # the names of a sink are those of its fields, joint among them or not
    return HeatSink(**{name: sink[name] for name in sink})


def _package(found: Quantities, materials: Mapping[str, Material], label: str) -> Package | None:
    if "package" not in found.names():
        return None
    spreader, sink = (
        _plate(found.group(f"package.{name}"), materials, f"{label}: {name}") for name in ("spreader", "sink")
    )
    package = {name: found[f"package.{name}"] for name in ("resistance", "capacity", "temperature")}
    return Package(spreader=spreader, sink=sink, **package)


def _plate(found: Quantities, materials: Mapping[str, Material], what: str) -> Plate:
    material = _named(found, f"{what}: material", "material", materials)
    return Plate(side=found["side"], thickness=found["thickness"], material=material)


def _named(found: Quantities, what: str, key: str, known: Mapping[str, Any]) -> Any:
    name = found.text(key)
    if name not in known:
        raise error("T513", f"{what} {name!r} is unknown", hint=near(name, known, f"known are {', '.join(known)}"))
    return known[name]
