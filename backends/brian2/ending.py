"""Running a script: what is common to all of them, behind the network."""

# ruff: noqa: F821
# pyright: reportUndefinedVariable=false
from __future__ import annotations

# --- ending
import argparse
import os
import shutil
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import reset_device, set_device

DATA = dict(np.load(Path(__file__).with_suffix(".npz")))


def place_of(seed=0, first_sample=0, first_tick=0):
    """Return where a run stands in the noise."""
    return {
        "key0": float(seed & 0xFFFFFFFF),
        "key1": float(seed >> 32 & 0xFFFFFFFF),
        "sample0": float(first_sample),
        "tick0": float(first_tick),
    }


class Program:
    """The network as a C++ program: built once, then run for any number of ticks from any states."""

    def __init__(self, folder, batch, record=OUTPUTS, data=None):
        self.folder, self.device = Path(folder), CPPStandaloneDevice()
        with self._active(build_on_run=False):
            self.sim = build(batch, place_of(), record, data)
            network = Network(self.sim.objects)
            flights = [state for state in self.sim.states.values() if isinstance(state, Flight)]
            # The last argument is how long it runs. Brian2's own run, of no ticks, makes all ready for that.
            self.device.insert_code("before_start", "const double duration = atof(args.back().c_str());")
            self.device.insert_code("before_start", "args.pop_back();")
            self.device.insert_code("before_network_run", "\n".join(flight.code() for flight in flights))
            self.device.insert_code("after_network_run", f"{network.name}.run(duration, NULL, 10.0);")
            network.run(0 * second, namespace={})
            self.device.build(directory=str(folder), compile=True, run=False, with_output=False)

    @contextmanager
    def _active(self, **more):
        set_device(self.device, **more)
        try:
            yield
        finally:
            Network._globally_running = False  # which Brian2 leaves set where it is interrupted
            reset_device()

    def run(self, ticks, inputs, place, stored, record=None):
        """Run from states as they were stored; return outputs and what is to be stored then."""
        results = tempfile.mkdtemp(prefix="results_", dir=self.folder)
        try:
            with self._active():
                arguments = [*self._arguments(Path(results), inputs, place, stored), repr(ticks * float(DT))]
                self.device.run(str(self.folder), Path(results).name, with_output=False, run_args=arguments)
                self.sim.now = ticks
                names = self.sim.outputs.keys() if record is None else self.sim.outputs.keys() & set(record)
                outputs = {
                    name: self.sim.shaped(name, recorded(self.sim.outputs[name].monitor, ticks)) for name in names
                }
                return outputs, self.sim.stored()
        finally:
            self.sim.now = 0
            shutil.rmtree(results, ignore_errors=True)

    def _arguments(self, results, inputs, place, stored):
        """Write what it reads; yield what its variables start from."""
        for key, rows in flat(inputs).items():
            np.asarray(rows, float).tofile(results / self.sim.given[key])
        for group in self.sim.objects:
            if isinstance(group, NeuronGroup):  # synapses have the variables of both ends too, by reference
                yield from (f"{group.name}.{name}={place[name]!r}" for name in place if name in group.variables)
        for name, state in self.sim.states.items():
            if isinstance(state, Flight):
                state.before = stored[name]
                stored[name].astype(np.int8).tofile(results / state.file)
            for variable, array in state.arrays(stored[name]).items():
                file = results / f"{state.group.name}.{variable}"
                array.astype(state.group.variables[variable].dtype).tofile(file)
                yield f"{state.group.name}.{variable}={results.name}/{file.name}"


def arranged(inputs, ticks=None, batch=None):
    """Return the inputs as ``build`` takes them, and the number of ticks and of samples of the run.

    An input is (ticks, batch, *shape), or held over the ticks: (batch, *shape), one sample (*shape) for all, or one
    number for all units. ticks and batch are what the inputs say, else 1. Raises ValueError where names, shapes, ticks
    or samples disagree, and for numbers that are not finite, or not positive where they are temperatures.
    """
    arrays = {name: np.asarray(array) for name, array in inputs.items()}
    if arrays.keys() != INPUTS.keys():
        raise ValueError(f"the inputs are {list(INPUTS)}, not {list(arrays)}")
    messages = {
        "ticks": {} if ticks is None else {"the run": ticks},
        "samples": {} if batch is None else {"the run": batch},
    }
    for name, array in arrays.items():
        checked_numbers(name, array)
        shape = INPUTS[name]
        if (array.ndim and array.shape[max(array.ndim - len(shape), 0) :] != shape) or array.ndim > len(shape) + 2:
            expected = f"(ticks, samples, *{shape}), (samples, *{shape}), {shape} or one number"
            raise ValueError(f"input {name!r} has the shape {array.shape}, not {expected}")
        leading = array.shape[: max(array.ndim - len(shape), 0)]
        messages["ticks"] |= {name: leading[0]} if len(leading) == 2 else {}
        messages["samples"] |= {name: leading[-1]} if leading else {}
    for what, numbers in messages.items():
        if len(set(numbers.values())) > 1 or 0 in numbers.values():
            notes = ", ".join(f"{who} {number}" for who, number in numbers.items())
            raise ValueError(f"the number of {what} is one for all, and at least 1: {notes}")
    ticks, batch = (next(iter(numbers.values()), 1) for numbers in messages.values())
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


def codegen_for(batch):
    """Return the code generator that has done 100 ticks first; NumPy where there is no C++ compiler.

    It does not depend on how long a run is: its parts are to be its bits, and NumPy and Cython round differently.
    """
    compilers = (*os.environ.get("CXX", "").split()[:1], "g++", "c++", "clang++")
    seconds = estimated_seconds(100, batch)
    return min(seconds, key=seconds.__getitem__) if any(map(shutil.which, compilers)) else "numpy"


def simulate(inputs=None, *, ticks=None, batch=None, seed=0, first_sample=0, first_tick=0, record=OUTPUTS):
    """Run from the initial state; return (outputs, states): inputs as ``arranged`` takes them.

    To go on, keep ``sim = build(batch, place_of(seed), record)``: each ``sim.run(ticks, inputs)`` runs on.
    """
    arrays, ticks, batch = arranged(inputs or {}, ticks, batch)
    sim = build(batch, place_of(seed, first_sample, first_tick), record)
    outputs = sim.run(ticks, arrays)
    return outputs, sim.values(sim.stored())


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
    sim = build(batch, place_of(options.seed))
    if options.device == "runtime":
        prefs.codegen.target = codegen_for(batch) if options.codegen == "auto" else options.codegen
        seconds = estimated_seconds(ticks, batch)[prefs.codegen.target]
        if seconds > 10:
            print(f"Brian2 with {prefs.codegen.target}: about {seconds:.0f} s", file=sys.stderr)
        outputs = sim.run(ticks, arrays)
    else:
        with tempfile.TemporaryDirectory() as folder:
            outputs, _ = Program(folder, batch).run(ticks, arrays, place_of(options.seed), sim.stored())
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
