"""A certificate, as a report shows it: laws by op, what was not checked, energies against the tick."""

from __future__ import annotations

from typing import Any

from thermoc.certificates import Certificate


def laws(certificate: Certificate) -> dict[str, Any]:
    """Return the laws with the id of each op, and what converges of each."""
    document = certificate.document
    rows = [
        {**row, "op": _id(str(row["op"])), "of": row["op"], "samples": law.samples}
        for row, law in zip(certificate.rows(), certificate.laws)
    ]
    head = ("network", "target", "seed", "ticks", "batch", "warmup", "graph_sha256", "result_sha256", "sha256")
    return {
        "title": certificate.title,
        "holds": certificate.holds,
        "verdict": certificate.verdict,
        "rows": rows,
        "skipped": [{**item, "op": _id(item["op"]), "of": item["op"]} for item in document["skipped"]],
        "controls": [{**item.to_json(), "op": _id(item.op), "of": item.op} for item in certificate.controls],
        "convergence": [
            {"op": _id(op), "of": op, **series} for op, series in document["convergence"].items() if series
        ],
        "facts": {name: document[name] for name in head},
    }


def _id(label: str) -> str:
    """Return the op of ``thermo.gibbs %s``."""
    return label.rpartition("%")[2]
