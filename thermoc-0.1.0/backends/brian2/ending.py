"""Running a script: what is common to all of them, behind the network."""

# ruff: noqa: F821
# pyright: reportUndefinedVariable=false
from __future__ import annotations

# --- ending
import argparse
import os
import shutil
import sys
import zipfile
from pathlib import Path

from brian2 import set_device

DATA = dict(np.load(Path(__file__).with_suffix(".npz")))


def place_of(seed=0, first_sample=0, first_tick=0):
    """Return where a run stands in the noise."""
    return {
        "key0": float(seed & 0xFFFFFFFF),
        "key1": float(seed >> 32 & 0xFFFFFFFF),
        "sample0": float(first_sample),
        "tick0": float(first_tick),
    }


def results(sim, ticks):
    """Return (outputs, states): arrays (ticks, batch, *shape), and (batch, *shape) after the last tick."""
    outputs = {}
    for name, (monitor, shape, dtype, batched, places) in sim.outputs.items():
        values = recorded(monitor, ticks)
        values = values.reshape(len(values), sim.batch if batched else 1, -1)
        values = values if places is None else values[..., places]
        values = np.broadcast_to(values, (len(values), sim.batch, values.shape[-1]))
        outputs[name] = values.reshape(len(values), sim.batch, *shape).astype(dtype)
    states = {}
    for name, (views, shape, dtype, batched, ring) in sim.states.items():
        parts = [np.asarray(view[:]).reshape(sim.batch if batched else 1, *shape) for view in views]
        whole = np.stack(parts, axis=1) if ring else parts[0]
        states[name] = np.broadcast_to(whole, (sim.batch, *whole.shape[1:])).astype(dtype)
    return outputs, states


def recorded(monitor, ticks):
    """Return what a monitor saw, (ticks, units); spikes as noughts and ones."""
    if isinstance(monitor, StateMonitor):
        return np.asarray(getattr(monitor, monitor.record_variables[0])).T[:ticks]
    values = np.zeros((ticks, len(monitor.source)))
    tick, unit = np.rint(np.asarray(monitor.t / DT)).astype(int), np.asarray(monitor.i)
    values[tick[tick < ticks], unit[tick < ticks]] = 1
    return values


def arranged(inputs, ticks=None, batch=None):
    """Return the inputs as ``build`` takes them, and the number of ticks and of samples of the run.

    An input is (ticks, batch, *shape), or held over the ticks: (batch, *shape), one sample (*shape) for all, or one
    number for all units. ticks and batch are what the inputs say, else 1. Raises ValueError where names, shapes, ticks
    or samples disagree, and for numbers that are not finite, or not positive where they are temperatures.
    """
    arrays = {name: np.asarray(array) for name, array in inputs.items()}
    if arrays.keys() != INPUTS.keys():
        raise ValueError(f"the inputs are {list(INPUTS)}, not {list(arrays)}")
    said = {
        "ticks": {} if ticks is None else {"the run": ticks},
        "samples": {} if batch is None else {"the run": batch},
    }
    for name, array in arrays.items():
        checked_numbers(name, array)
        shape = INPUTS[name]
        if (array.ndim and array.shape[max(array.ndim - len(shape), 0) :] != shape) or array.ndim > len(shape) + 2:
            wanted = f"(ticks, samples, *{shape}), (samples, *{shape}), {shape} or one number"
            raise ValueError(f"input {name!r} has the shape {array.shape}, not {wanted}")
        leading = array.shape[: max(array.ndim - len(shape), 0)]
        said["ticks"] |= {name: leading[0]} if len(leading) == 2 else {}
        said["samples"] |= {name: leading[-1]} if leading else {}
    for what, numbers in said.items():
        if len(set(numbers.values())) > 1 or 0 in numbers.values():
            notes = ", ".join(f"{who} {number}" for who, number in numbers.items())
            raise ValueError(f"the number of {what} is one for all, and at least 1: {notes}")
    ticks, batch = (next(iter(numbers.values()), 1) for numbers in said.values())
    return {name: by_units(name, array, ticks, batch) for name, array in arrays.items()}, ticks, batch


def checked_numbers(name, array):
    """Raise ValueError where an input cannot be what it stands for."""
    if array.dtype.kind not in "biuf":
        raise ValueError(f"input {name!r} is no array of numbers, but of {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"input {name!r} holds numbers that are not finite")
    if name in TEMPERATURES and not (array > 0).all():
        raise ValueError(f"input {name!r} is a temperature, and holds numbers that are not > 0")


def by_units(name, array, ticks, batch):
    """Return an input as (ticks, batch, units), or (batch, units) where it is held over the ticks."""
    shape, array = INPUTS[name], array.astype(float)
    if array.ndim == len(shape) + 2:
        return array.reshape(ticks, batch, -1)
    return np.broadcast_to(array, (batch, *shape)).reshape(batch, -1)


def estimated_seconds(ticks, batch):
    """Return what a run takes, in s, by code generator.

    Cython compiles each piece of code once (some 2.5 s), and keeps it; a tick then costs less a piece and an element.
    """
    pieces, elements = WORK
    return {
        "numpy": ticks * (25e-6 * pieces + 16e-9 * elements * batch),
        "cython": ticks * (10e-6 * pieces + 4e-9 * elements * batch) + 2.5 * pieces,
    }


def codegen_for(ticks, batch):
    """Return the code generator that is done first; NumPy where there is no C++ compiler."""
    compilers = (*os.environ.get("CXX", "").split()[:1], "g++", "c++", "clang++")
    seconds = estimated_seconds(ticks, batch)
    return min(seconds, key=seconds.__getitem__) if any(map(shutil.which, compilers)) else "numpy"


def simulate(inputs=None, *, ticks=None, batch=None, seed=0, first_sample=0, first_tick=0, report=None):
    """Run from the initial state; return (outputs, states): inputs as ``arranged`` takes them."""
    arrays, ticks, batch = arranged(inputs or {}, ticks, batch)
    sim = build(batch, arrays, place_of(seed, first_sample, first_tick))
    Network(sim.objects).run(ticks * DT, report=report, namespace={})
    return results(sim, ticks)


def save(path, arrays):
    """Write an .npz, whole or not at all; any name will do."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, np.asarray(array, order="C"), allow_pickle=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def main():
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, help="default: what the inputs say, else 1")
    parser.add_argument("--batch", type=int, help="the number of samples; default: what the inputs say, else 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inputs", type=Path, help="an .npz with an array for each input: " + inputs_text())
    parser.add_argument("--out", type=Path, help="an .npz for the outputs")
    parser.add_argument("--codegen", choices=("auto", "numpy", "cython"), default="auto", help="auto: by the work")
    parser.add_argument("--device", choices=("runtime", "cpp_standalone"), default="runtime", help="or a C++ program")
    options = parser.parse_args()
    if not 0 <= options.seed < 2**64:
        parser.error("--seed is a number from 0 to 2^64 - 1")
    if options.out and not (options.out.absolute().parent.is_dir() and not options.out.is_dir()):
        parser.error(f"--out: {options.out} cannot be written")
    try:
        inputs = loaded(options.inputs) if options.inputs else {}
        arrays, ticks, batch = arranged(inputs, options.ticks, options.batch)
    except (OSError, ValueError, zipfile.BadZipFile) as reason:
        parser.error(str(reason))
    if options.device == "runtime":
        prefs.codegen.target = codegen_for(ticks, batch) if options.codegen == "auto" else options.codegen
        seconds = estimated_seconds(ticks, batch)[prefs.codegen.target]
        if seconds > 10:
            print(f"Brian2 with {prefs.codegen.target}: about {seconds:.0f} s", file=sys.stderr)
    else:
        set_device(options.device, directory=None)
    sim = build(batch, arrays, place_of(options.seed))
    Network(sim.objects).run(ticks * DT, report="text", namespace={})
    outputs, _ = results(sim, ticks)
    for name, array in outputs.items():
        print(f"{name}: {array.shape} (ticks, batch, *shape), mean {array.mean():.6g}")
    if options.out:
        save(options.out, outputs)


def inputs_text():
    """Return the inputs and their shapes."""
    return ", ".join(f"{name} (ticks, samples{''.join(f', {n}' for n in shape)})" for name, shape in INPUTS.items())


def loaded(path):
    """Return the arrays of an .npz."""
    with np.load(path, allow_pickle=False) as stored:
        if not hasattr(stored, "files"):
            raise ValueError(f"{path} holds one array; an .npz holds one for each input")
        return {name: stored[name] for name in stored.files}


if __name__ == "__main__":
    main()
