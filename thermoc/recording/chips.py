"""What files keep of a run on a simulated chip: what it took, and what reports draw of it; neither grows with the run.

``chip`` is JSON to read, ``chip_picture`` JSON compressed (zlib, base64).
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

OPS = 500
"""Rows by op that are kept, the dearest; the joules of the others are those of one row."""
TEXT_BYTES, PICTURE_BYTES = 2**19, 2**26
"""Bytes of a picture in a file at the most, and of what is unpacked from one."""
OTHERS = "(others)"


def chip_attrs(report: Any) -> dict[str, str]:
    """Return what a file says of a chip's run; nothing where there was no chip."""
    return {} if report is None else {"chip": json.dumps(bounded(report.to_json()))}


def bounded(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a chip's report, as JSON, of which the dearest ops have rows of their own."""
    ops = document.get("ops", [])
    if len(ops) <= OPS:
        return document
    remainder = {name: sum(op[name] for op in ops[OPS:]) for name in ("joules", "share")}
    remainder = {"op": OTHERS, **remainder, "kelvin": max(op["kelvin"] for op in ops[OPS:])}
    sampling = document.get("sampling", [])[:OPS]
    return {**document, "ops": [*ops[:OPS], remainder], "sampling": sampling}


def picture_attrs(report: Any) -> dict[str, str]:
    """Return what a file keeps for pictures of a chip's run: of our chip, as far as it fits; of others nothing."""
    from thermoc.backends.chip.picture import picture
    from thermoc.backends.chip.report import ChipReport

    if not isinstance(report, ChipReport):
        return {}
    drawn, text = picture(report), ""
    while len(text := _packed(drawn)) > TEXT_BYTES:
        smaller = _thinned(drawn)
        if smaller is drawn:
            return {}
        drawn = smaller
    return {"chip_picture": text}


def picture_of(attrs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the picture that a file keeps; None where it has none, or a damaged one."""
    text = attrs.get("chip_picture")
    if not isinstance(text, str):
        return None
    try:
        plain = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), PICTURE_BYTES)
        drawn = json.loads(plain)
    except (ValueError, zlib.error, RecursionError):
        return None
    return drawn if isinstance(drawn, dict) and drawn.keys() >= PARTS else None


PARTS = {"facts", "die", "ops", "components", "cores", "sites", "maps", "curves", "units", "sampling", "roofline"}


def _packed(drawn: Mapping[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(drawn, separators=(",", ":")).encode(), 9)).decode()


def _thinned(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return a picture with half the maps, the hottest among them, else with fewer ops; itself where neither can be."""
    maps = drawn["maps"]
    count = len(maps["times"])
    if count > 2:
        indices = sorted({*range(0, count, 2), maps["hottest"]})
        if len(indices) < count:
            fewer = {name: [maps[name][index] for index in indices] for name in ("milli", "times")}
            return {**drawn, "maps": {**maps, **fewer, "hottest": indices.index(maps["hottest"])}}
    if len(drawn["ops"]) > OPS:
        named = {op["op"] for op in drawn["ops"][:OPS]}
        ops, sites = drawn["ops"][:OPS], {op: cores for op, cores in drawn["sites"].items() if op in named}
        points = [point for point in drawn["roofline"]["points"] if point["op"] in named]
        units, sampling = ([row for row in drawn[of] if row["op"] in named] for of in ("units", "sampling"))
        return {
            **drawn,
            "ops": ops,
            "sites": sites,
            "units": units,
            "sampling": sampling,
            "roofline": {**drawn["roofline"], "points": points},
        }
    return drawn
