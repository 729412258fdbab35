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
from thermoc.recording.meanings import Meaning
from thermoc.recording.plan import Plan
from thermoc.recording.store import FORMAT, VERSION


def provenance(
    compiled: Compiled, meanings: Mapping[str, Meaning], plan: Plan, position: Mapping[str, int], **size: int
) -> dict[str, Any]:
    """Return network and its hash, target and options, seed and place in the noise, versions, and what is recorded.

    Texts and numbers alone, which every format of file takes; ``options``, ``outputs``, ``record`` and ``graph``, the
    network in outline for reports, are JSON.
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
        "graph": json.dumps(outline(compiled.source)),
    }
