"""A certificate as a JSON document: what stands in it, read with suspicion."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from thermoc.certificates.law import Law
from thermoc.support.errors import error
from thermoc.support.json_text import read_json
from thermoc.support.limits import MIB
from thermoc.support.loading import cut, damaged, shown

FORMAT, VERSION = "thermoc certificate", 2
OLDER = (1,)
"""Versions that are read too: their laws had no p, no power and no controls."""
MOST_BYTES = 32 * MIB
"""A certificate larger than this is none: what it may hold of a network and inputs is smaller."""
_KIND = "a certificate"
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("format", "thermoc", "network", "target", "sha256"), (str,)),
    **dict.fromkeys(("graph_sha256", "inputs_sha256", "result_sha256"), (str,)),
    **dict.fromkeys(("version", "seed", "ticks", "batch", "first_sample", "first_tick", "warmup"), (int,)),
    **dict.fromkeys(("options", "convergence"), (dict,)),
    **dict.fromkeys(("laws", "skipped"), (list,)),
    "dt": (int, float),
    "holds": (bool,),
    "replay": (dict, type(None)),
}
_SINCE: dict[str, tuple[type, ...]] = {
    "verdict": (str,),
    "controls": (list,),
    **dict.fromkeys(("false_alarms", "resolution", "level"), (float, int)),
}
"""Fields since version 2."""


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a certificate's document: every field is there and of its type, its laws can be read.

    Errors: T501, T502 (no certificate), T503 (a newer version), T504 (too large), T407 (its digest is not its own).
    """
    document = read_json(path, _KIND, most=MOST_BYTES)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise error("T502", f"{shown(path)} is not a certificate", hint="thermoc run MODEL --certify writes one")
    version = document.get("version")
    # True equals 1 in Python, and is no version.
    if version not in (*OLDER, VERSION) or type(version) is not int:
        notes = [f"this thermoc reads {', '.join(map(str, (*OLDER, VERSION)))}"]
        raise error("T503", f"{shown(path)} has version {cut(repr(version), 40)}", notes=notes)
    _check_fields(document, path)
    if document["sha256"] != digest(document):
        raise error("T407", f"{shown(path)} was altered", notes=["its SHA-256 is not that of its content"])
    return document


def laws_of(document: Mapping[str, Any], path: object) -> tuple[Law, ...]:
    """Return the laws a document states. Errors: T502 (one cannot be read), T407 (a verdict that does not follow)."""
    try:
        laws = tuple(Law.of(entry) for entry in document["laws"])
        stated = [entry["holds"] for entry in document["laws"]]
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as reason:
        raise damaged(path, _KIND, f"a law cannot be read: {reason}") from None
    if [law.holds for law in laws] != stated or (document["holds"] and not all(stated)):
        raise error("T407", f"{shown(path)}: a verdict does not follow from its numbers")
    return laws


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document without its ``sha256`` and ``signature``.

    It finds damage; whoever forges can make it anew.
    """
    plain = {name: value for name, value in document.items() if name not in ("sha256", "signature")}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _check_fields(document: Mapping[str, Any], path: object) -> None:
    types = _TYPES if document["version"] in OLDER else {**_TYPES, **_SINCE}
    odd = sorted(document.keys() - {"signature"} ^ types.keys())
    if odd:
        raise damaged(path, _KIND, f"the field {cut(odd[0], 80)!r} is missing, or is none of a certificate's")
    for name, allowed in types.items():
        if type(document[name]) not in allowed:
            raise damaged(path, _KIND, f"its {name} is {cut(repr(document[name]), 80)}")
