"""Running a script: what is common to all of them, behind the network."""

# ruff: noqa: F821
# pyright: reportUndefinedVariable=false
from __future__ import annotations

# --- ending
import argparse
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


def simulate(inputs=None, *, ticks=1, batch=1, seed=0, first_sample=0, first_tick=0, report=None):
    """Run from the initial state; return (outputs, states).

    inputs: arrays (batch, units), held over the ticks, or (ticks, batch, units), by name.
    """
    inputs = {name: np.asarray(array, float) for name, array in (inputs or {}).items()}
    sim = build(batch, inputs, place_of(seed, first_sample, first_tick))
    Network(sim.objects).run(ticks * DT, report=report, namespace={})
    return results(sim, ticks)


def main():
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inputs", type=Path, help="an .npz with an array for each input")
    parser.add_argument("--out", type=Path, help="an .npz for the outputs")
    parser.add_argument("--codegen", default="auto", help="numpy, cython or auto")
    parser.add_argument("--device", default="runtime", help="runtime, or cpp_standalone for a C++ program")
    given = parser.parse_args()
    prefs.codegen.target = given.codegen
    if given.device != "runtime":
        set_device(given.device, directory=None)
    inputs = dict(np.load(given.inputs)) if given.inputs else {}
    outputs, _ = simulate(inputs, ticks=given.ticks, batch=given.batch, seed=given.seed, report="text")
    for name, array in outputs.items():
        print(f"{name}: {array.shape} (ticks, batch, *shape), mean {array.mean():.6g}")
    if given.out:
        with zipfile.ZipFile(given.out, "w") as archive:  # numpy.savez takes some names for itself
            for name, array in outputs.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)


if __name__ == "__main__":
    main()
