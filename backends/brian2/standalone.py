"""Runs a script as a C++ program: built once for a number of ticks and samples, run for many seeds and inputs."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary, finalize

from numpy.typing import NDArray

from thermoc.backends.brian2.artefact import Brian2Artefact
from thermoc.backends.brian2.compiler import compiler
from thermoc.ir.feed import Feed
from thermoc.support import notices
from thermoc.support.errors import error

Arrays = dict[str, NDArray]
Shapes = tuple[Any, ...]


@dataclass(eq=False)
class Built:
    """A compiled program: its device, its folder, and the simulation whose values it takes and leaves."""

    device: Any
    folder: str
    sim: Any
    runs: int = 0


_BUILT: WeakKeyDictionary[Brian2Artefact, dict[Shapes, Built]] = WeakKeyDictionary()


def run_program(
    artefact: Brian2Artefact, module: ModuleType, inputs: Arrays, place: dict[str, float], feed: Feed
) -> tuple[Arrays, Arrays]:
    """Build unless this was built before, run, and read the results. Errors: T302, T409."""
    # What is compiled in; seeds and values are arguments of the program.
    key = (feed.ticks, feed.batch, *((name, array.shape) for name, array in sorted(inputs.items())))
    programs = _BUILT.setdefault(artefact, {})
    if key not in programs:
        programs[key] = _build(artefact, module, inputs, place, feed)
    built = programs[key]
    values = built.sim.again(inputs, place)
    with _active(built.device):
        folder = f"results_{built.runs}"
        built.runs += 1
        try:
            built.device.run(built.folder, folder, with_output=False, run_args=values)
            return module.results(built.sim, feed.ticks)
        except RuntimeError as reason:
            raise error("T409", "the C++ program of Brian2 failed", notes=[str(reason)]) from None
        finally:
            # Results and inputs of every run would otherwise fill the disk.
            shutil.rmtree(f"{built.folder}/{folder}", ignore_errors=True)
            for name in built.device.run_args_arrays:
                Path(built.folder, "static_arrays", name).unlink(missing_ok=True)


def programs(artefact: Brian2Artefact) -> tuple[Built, ...]:
    """Return the programs built of an artefact."""
    return tuple(_BUILT.get(artefact, {}).values())


def _build(artefact: Brian2Artefact, module: ModuleType, inputs: Arrays, place: dict[str, float], feed: Feed) -> Built:
    from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

    if compiler() is None:
        what = "Brian2's device 'cpp_standalone' needs a C++ compiler, and none was found"
        raise error("T302", what, hint='install g++, or take device="runtime"')
    folder = tempfile.mkdtemp(prefix="thermoc-brian2-")
    device: Any = CPPStandaloneDevice()
    try:
        if artefact.options.progress and sys.stderr.isatty():
            notices.notify("building the C++ program of Brian2, once for this number of ticks and samples ...")
        with _active(device, build_on_run=False):
            sim = module.build(feed.batch, inputs, place)
            module.Network(sim.objects).run(feed.ticks * module.DT, namespace={})
            device.build(directory=folder, compile=True, run=False, with_output=False)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    built = Built(device=device, folder=folder, sim=sim)
    # The folder goes with the artefact, or when Python ends.
    finalize(built, shutil.rmtree, folder, ignore_errors=True)
    return built


@contextmanager
def _active(device: Any, **more: Any) -> Iterator[None]:
    """Let Brian2 work on a device, and go back to the one before."""
    from brian2.devices.device import reset_device, set_device

    set_device(device, **more)
    try:
        yield
    finally:
        reset_device()
