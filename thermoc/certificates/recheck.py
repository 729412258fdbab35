"""A certificate checked again, offline: its run is repeated, and its laws, bounds and verdicts are derived anew."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import thermoc
from thermoc import api
from thermoc.certificates.certificate import Certificate, certify
from thermoc.certificates.document import laws_of, read_document
from thermoc.certificates.replay import check_effort, decode
from thermoc.support.errors import ThermocError, error
from thermoc.support.loading import cut, reading, shown

REPEATED = 1e-6
"""A repeated number agrees with the recorded one within this, relative to its size; the run's own bits are equal."""
NEAR_ZERO = 1e-9
"""Numbers below this are rounding."""
_APART = ("sha256", "replay")


def recheck(path: str | os.PathLike[str], *, large: bool = False) -> Certificate:
    """Read a certificate, repeat its run, and return the certificate of what that gave.

    Nothing in the file is believed: bounds and verdicts are those of the repeated run, and each field of the file must
    agree with them; the outputs must be the same bits. large: repeat also runs that take long.
    Errors: T501, T502 (no certificate), T503 (a newer version), T504, T407 (it does not match itself or the repeated
    run, or could not be re-checked: it holds no network, or another version of thermoc wrote it).
    """
    document = read_document(path)
    laws_of(document, path)
    if document["replay"] is None:
        notes = [
            "it holds no network: that was too large, or ran with a chip, samples or a target of the user's own",
            "or the run went on in a session",
        ]
        raise _not_rechecked(path, notes, "repeat the run where the network is, with --certify")
    if document["thermoc"] != thermoc.__version__:
        notes = [f"thermoc {cut(document['thermoc'], 40)!r} wrote it, this is {thermoc.__version__}"]
        raise _not_rechecked(path, notes, "bits are the same within a version: install that one")
    # A forged network may make numbers that no run has: whatever fails in here is the file's fault.
    with reading(path, "a certificate"):
        fresh = _repeated(document, path, large=large)
    difference = next(_differences(_plain(document), _plain(fresh.document)), None)
    if difference is not None:
        where, then, now = difference
        notes = [f"recorded {cut(repr(then), 120)}", f"measured now {cut(repr(now), 120)}"]
        raise error("T407", f"{shown(path)}: its {where} is not that of its run", notes=notes, hint="do not trust it")
    return fresh


def _repeated(document: Mapping[str, Any], path: object, *, large: bool) -> Certificate:
    graph, inputs, options = decode(document, path)
    if not large:
        check_effort(document, graph, path)
    exe = api.compile(graph, document["target"], **options)
    position = {name: document[name] for name in ("seed", "first_sample", "first_tick")}
    run = exe.run(inputs, ticks=document["ticks"], batch=document["batch"], **position)
    return certify(run, warmup=document["warmup"])


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both certificates must state, as JSON values."""
    # Through JSON, for a document from a file has lists where a fresh one may have tuples.
    return json.loads(json.dumps({name: value for name, value in document.items() if name not in _APART}))


def _differences(then: Any, now: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield where two documents part, what stands there and what should."""
    if isinstance(then, dict) and isinstance(now, dict) and then.keys() == now.keys():
        for name in now:
            yield from _differences(then[name], now[name], f"{where}.{name}" if where else name)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (one, other) in enumerate(zip(then, now)):
            yield from _differences(one, other, f"{where}[{index}]")
    elif not _agree(then, now):
        yield where, then, now


def _agree(then: Any, now: Any) -> bool:
    if type(then) is float and type(now) is float:
        return abs(then - now) <= max(REPEATED * abs(now), NEAR_ZERO)
    return type(then) is type(now) and then == now


def _not_rechecked(path: object, notes: list[str], hint: str) -> ThermocError:
    return error("T407", f"{shown(path)} was not re-checked", notes=notes, hint=hint)
