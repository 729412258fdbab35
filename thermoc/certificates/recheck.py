"""A certificate checked again, offline: its run is repeated, and its laws, bounds and verdicts are derived anew."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thermoc
from thermoc import api
from thermoc.certificates.certificate import Certificate, certify
from thermoc.certificates.document import VERSION, laws_of, read_document
from thermoc.certificates.replay import check_effort, decode
from thermoc.certificates.signature import check_signature
from thermoc.run import Run
from thermoc.support.errors import ThermocError, error
from thermoc.support.loading import cut, reading, shown

REPEATED = 1e-6
"""A repeated number agrees with the recorded one within this, relative to its size; the run's own bits are equal."""
NEAR_ZERO = 1e-9
"""Numbers below this are rounding."""
ROUNDING = 1e-4
"""Numbers of another target, which may be float32, agree within this, relative to the largest."""
FLIPPED = 1e-3
"""The share of numbers of another target that may differ: draws whose drive is within rounding of its threshold."""
_APART = ("sha256", "replay", "signature")
_JUDGED = (*("version", "laws", "skipped", "holds", "verdict", "controls"), *("false_alarms", "resolution", "level"))
"""What an older version says otherwise, or does not say."""


def recheck(
    path: str | os.PathLike[str],
    *,
    large: bool = False,
    on: str | None = None,
    key: str | os.PathLike[str] | None = None,
) -> Certificate:
    """Read a certificate, repeat its run, and return the certificate of what that gave.

    Nothing in the file is believed: bounds and verdicts are those of the repeated run, and each field of the file must
    agree with them; the outputs must be the same bits. A file of an older version states fewer laws, of which only the
    run is compared; its laws are those of today. A signature must be of the file.

    large: repeat also runs that take long. on: another target, on which the run is repeated too, with its default
    options: it must give the same outputs to rounding, and the certificate returned is of that run. key: a PEM file of
    the Ed25519 public key that must have signed it.

    Errors: T501, T502 (no certificate), T503 (a newer version), T504, T407 (it does not match itself, its signature or
    the repeated run, or could not be re-checked: it holds no network, or another version of thermoc wrote it), T302 and
    T3xx (another target that is not there, or cannot hold the network), T404 (no key).
    """
    document = read_document(path)
    laws_of(document, path)
    check_signature(document, path, key)
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
        run = _repeated(document, path, large=large)
        fresh = _certified(run, document)
    difference = next(_differences(_plain(document, document), _plain(fresh.document, document)), None)
    if difference is not None:
        where, then, now = difference
        notes = [f"recorded {cut(repr(then), 120)}", f"measured now {cut(repr(now), 120)}"]
        raise error("T407", f"{shown(path)}: its {where} is not that of its run", notes=notes, hint="do not trust it")
    return fresh if on is None else _elsewhere(run, document, on, path)


def _certified(run: Run, document: Mapping[str, Any]) -> Certificate:
    """Return the certificate of a run by what a file asks of it: warm-up, rate of false alarms, resolution."""
    requested = {name: document[name] for name in ("false_alarms", "resolution") if name in document}
    return certify(run, warmup=document["warmup"], **requested)


def _elsewhere(run: Run, document: Mapping[str, Any], on: str, path: object) -> Certificate:
    """Return the certificate of the run repeated on another target. Errors: T407 where outputs or verdicts differ."""
    call = run.call
    assert call is not None
    exe = api.compile(call.executable.source, on)
    position: dict[str, Any] = dict(call.position)
    rerun = exe.run(call.inputs, ticks=call.ticks, batch=call.batch, **position)
    drifted = {
        name: float((run[name] != rerun[name]).mean()) for name in run.outputs if not _near(run[name], rerun[name])
    }
    if drifted:
        notes = [f"{name}: {fraction:.2g} of its numbers differ" for name, fraction in drifted.items()]
        hint = f"thermoc verify MODEL --targets {document['target']},{cut(on, 40)} says where they part"
        raise error("T407", f"{shown(path)}: its run on {cut(on, 40)} is another", notes=notes, hint=hint)
    return _certified(rerun, document)


def _near(array: NDArray, other: NDArray) -> bool:
    """Tell whether outputs are the same but for rounding, and but for draws within rounding of their threshold."""
    if array.shape != other.shape:
        return False
    size = max(float(np.abs(array).max(initial=0.0)), 1.0)
    off = np.abs(array.astype(float) - other) > ROUNDING * size
    return bool(off.mean() <= FLIPPED)


def _repeated(document: Mapping[str, Any], path: object, *, large: bool) -> Run:
    graph, inputs, options = decode(document, path)
    if not large:
        check_effort(document, graph, path)
    exe = api.compile(graph, document["target"], **options)
    position = {name: document[name] for name in ("seed", "first_sample", "first_tick")}
    return exe.run(inputs, ticks=document["ticks"], batch=document["batch"], **position)


def _plain(document: Mapping[str, Any], of: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both certificates must state, as JSON values, by the version of the one in the file."""
    separate_fields = _APART if of["version"] == VERSION else (*_APART, *_JUDGED)
    # Through JSON, for a document from a file has lists where a fresh one may have tuples.
    return json.loads(json.dumps({name: value for name, value in document.items() if name not in separate_fields}))


def _differences(then: Any, now: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield where two documents part, what stands there and what should."""
    if isinstance(then, dict) and isinstance(now, dict) and then.keys() == now.keys():
        for name in now:
            yield from _differences(then[name], now[name], f"{where}.{name}" if where else name)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (first, second) in enumerate(zip(then, now)):
            yield from _differences(first, second, f"{where}[{index}]")
    elif not _agree(then, now):
        yield where, then, now


def _agree(then: Any, now: Any) -> bool:
    if type(then) is float and type(now) is float:
        return abs(then - now) <= max(REPEATED * abs(now), NEAR_ZERO)
    return type(then) is type(now) and then == now


def _not_rechecked(path: object, notes: list[str], hint: str) -> ThermocError:
    return error("T407", f"{shown(path)} was not re-checked", notes=notes, hint=hint)
