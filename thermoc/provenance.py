"""What made a run: enough to tell it from any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

import thermoc
from thermoc.compiled import Compiled
from thermoc.ir.outline import outline
from thermoc.passes.change_log import outline as pass_outline
from thermoc.recording.meanings import Meaning
from thermoc.recording.plan import Plan
from thermoc.recording.store import FORMAT, VERSION

MOST_BYTES = 60_000
"""An attribute of HDF5 has 64 KiB at most."""


def provenance(
    compiled: Compiled, meanings: Mapping[str, Meaning], plan: Plan, position: Mapping[str, int], **size: int
) -> dict[str, Any]:
    """Return network and its hash, target and options, seed and place in the noise, versions, and what is recorded.

    Texts and numbers alone, which every format of file takes; ``options``, ``outputs`` and ``record`` are JSON, and so
    are ``graph`` and ``passes``, the network and what was done to it in outline, for reports.
    """
    named = {item.name: getattr(compiled.options, item.name) for item in fields(compiled.options)}
    options = {name: value for name, value in named.items() if isinstance(value, str | int | float | tuple)}
    return {
        "format": FORMAT,
        "version": VERSION,
        "network": compiled.source.name,
        "graph_sha256": compiled.source.hash,
        "target": compiled.backend.name,
        "options": json.dumps(options),
        "dt": compiled.source.dt,
        **{name: int(value) for name, value in position.items()},
        **size,
        "thermoc": thermoc.__version__,
        "numpy": np.__version__,
        "outputs": json.dumps({name: meaning.to_json() for name, meaning in meanings.items()}),
        "record": json.dumps({name: [str(spec) for spec in specs] for name, specs in plan.items()}),
        "graph": _bounded(outline(compiled.source)),
        "passes": _bounded(pass_outline(compiled.records)),
    }


def _bounded(rows: list[dict[str, Any]]) -> str:
    """Return rows as JSON; none of them where they are more than an attribute of a file can be."""
    text = json.dumps(rows)
    return text if len(text) <= MOST_BYTES else "[]"
