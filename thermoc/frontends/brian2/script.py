"""A script is executed until it runs a network: that network, as it stands then, is what is read."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from thermoc.frontends.brian2.prepare import imported
from thermoc.support.errors import Finding, Location, error
from thermoc.support.limits import TEXT_BYTES
from thermoc.support.loading import cut, read_text


@dataclass(frozen=True, kw_only=True)
class Found:
    """A network about to run: what its equations' names stand for, and for how long it was to run."""

    network: Any
    namespace: dict[str, Any]
    notes: tuple[Finding, ...] = ()
    duration: float | None = None
    """Seconds."""


class _Reached(BaseException):
    """The run that is looked for begins; no ``except Exception`` of the script holds it up."""

    def __init__(self, found: Found):
        self.found = found


@contextlib.contextmanager
def first_run(path: str, name: str) -> Iterator[Found]:
    """Give the network that a script runs first, or that of this name; the script's step holds as long.

    Errors: T501, T506, T510, T524.
    """
    text = read_text(path, most=TEXT_BYTES)
    brian2 = imported()
    step = brian2.defaultclock.dt
    try:
        yield _executed(brian2, text, path, name)
    finally:
        brian2.defaultclock.dt = step


def _executed(brian2: Any, text: str, path: str, name: str) -> Found:
    variables: dict[str, Any] = {"__name__": "__main__", "__file__": os.path.abspath(path)}
    with _stopping(brian2, path, name, variables), _as_program(path):
        try:
            exec(compile(text, path, "exec"), variables)
        except _Reached as reached:
            return reached.found
        except SystemExit:
            pass
        except Exception as reason:
            raise _failed(path, reason) from reason
    return _never_run(brian2, path, name, variables)


def _never_run(brian2: Any, path: str, name: str, variables: dict[str, Any]) -> Found:
    item = variables.get(name)
    if name and isinstance(item, brian2.Network):
        return Found(network=item, namespace=variables)
    networks = [key for key, value in variables.items() if type(value) is brian2.Network]
    what = f"{path} holds no network {name!r}" if name else f"{path} runs no network"
    notes = [f"its networks are {', '.join(networks)}"] if networks else []
    raise error("T506", what, notes=notes, hint="name a brian2.Network of the script: script.py:net")


@contextlib.contextmanager
def _stopping(brian2: Any, path: str, name: str, variables: dict[str, Any]) -> Iterator[None]:
    """Let the first run raise what carries its network; devices that make programs are passed over."""
    from brian2.core import network as module  # pyright: ignore[reportMissingTypeStubs]

    networks: Any = module.Network
    original, notes = networks.run, []

    def run(network: Any, duration: Any, *_: Any, namespace: Any = None, **__: Any) -> None:
        if name and variables.get(name) is not network:
            what = f"{path} runs a network before {name!r}"
            raise error("T506", what, notes=[f"it runs {network.name}"], hint="name the one that is run first")
        known = dict(namespace) if namespace is not None else _surroundings()
        ticks = f"its run is of {float(duration):g} s"
        note = Finding(code="W501", what=f"{os.path.basename(path)} was executed up to its first run", notes=(ticks,))
        raise _Reached(Found(network=network, namespace=known, notes=(*notes, note), duration=float(duration)))

    def set_device(device: Any, *_: Any, **__: Any) -> None:
        notes.append(Finding(code="W501", what=f"set_device({device!r}) was passed over", notes=()))

    places = [brian2, sys.modules["brian2.devices.device"], sys.modules["brian2.devices"]]
    devices = [(place, place.set_device) for place in places]
    networks.run = run
    for place, _ in devices:
        place.set_device = set_device
    try:
        yield
    finally:
        networks.run = original
        for place, function in devices:
            place.set_device = function


def _surroundings() -> dict[str, Any]:
    """Return the names that are known where the script calls run."""
    frame = sys._getframe(2)
    while frame.f_back is not None and "brian2" in str(frame.f_globals.get("__name__", "")).split("."):
        frame = frame.f_back
    return {**frame.f_globals, **frame.f_locals}


@contextlib.contextmanager
def _as_program(path: str) -> Iterator[None]:
    """Let the script see itself as a program; what it prints goes to the standard error."""
    folder, arguments = os.path.dirname(os.path.abspath(path)), sys.argv
    sys.path.insert(0, folder)
    sys.argv = [path]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.argv = arguments
        sys.path.remove(folder)


def _failed(path: str, reason: Exception) -> Exception:
    from thermoc.support.errors import ThermocError

    if isinstance(reason, ThermocError):
        return reason
    lines = [frame.lineno for frame in traceback.extract_tb(reason.__traceback__) if frame.filename == path]
    where = Location.of_line(path, lines[-1] or 0) if lines else None
    return error(
        "T524", f"{path} fails before its first run", where=where, notes=[cut(f"{type(reason).__name__}: {reason}")]
    )
