"""Runs this network in Lava: ``python run.py --help``. It needs Lava (lava-nc 0.10.0), and nothing else.

Inputs and outputs are .npz files of arrays (ticks, samples, ...) by name. An input of (samples, ...), of one sample
or of one number is held over the ticks. They are the integers that the chip takes and gives, in the chip's ticks;
with --numbers they are the network's own numbers, in its ticks: manifest.json says how the one becomes the other.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    from lava.magma.core.run_conditions import RunSteps  # noqa: F401  it is there
except ModuleNotFoundError as reason:
    sys.exit(f"{sys.executable} has no {reason.name}: this network runs in Lava, lava-nc 0.10.0 on Python 3.10")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from arrays import arranged, save  # noqa: E402  (beside this file)
from group import execute, serve  # noqa: E402


def main():
    """Read the command line, run, write what came out."""
    options = parsed()
    if options.serve:
        serve(json.loads(Path(options.serve).read_text()))
        return
    manifest = json.loads((HERE / "manifest.json").read_text())
    if options.backend == "hw":
        refuse_hardware()
    if options.check:
        check(options, manifest)
        return
    path = Path(options.outputs).absolute()
    if path.is_dir() or not path.parent.is_dir():
        sys.exit(f"--outputs: {options.outputs} cannot be written")
    arrays, ticks, options.samples = arranged(manifest, options)
    if options.numbers:
        chip_inputs, chip_ticks = encoded(manifest, arrays, ticks)
        outputs = decoded(manifest, run(options, manifest, chip_inputs, chip_ticks), ticks)
    else:
        outputs = run(options, manifest, arrays, ticks)
    save(path, outputs)
    print("\n".join(f"{name}: {list(array.shape)}" for name, array in outputs.items()))


def parsed():
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--backend", choices=("sim", "hw"), default="sim", help="Lava's process models, or a Loihi 2")
    parser.add_argument("--inputs", help="the .npz of inputs")
    parser.add_argument("--outputs", default="outputs.npz", help="the .npz to write")
    parser.add_argument("--ticks", type=positive, help="how many ticks to run; default: what the inputs say, else 1")
    parser.add_argument("--samples", type=positive, help="how many samples; default: what the inputs say, else 1")
    parser.add_argument("--numbers", action="store_true", help="numbers instead of the chip's integers")
    parser.add_argument("--precision", choices=("fixed", "float"), default="fixed", help="integers, or no rounding")
    parser.add_argument("--check", action="store_true", help="run the stored inputs, compare with the stored outputs")
    for name in ("seed", "first-sample", "first-tick"):
        parser.add_argument(f"--{name}", type=int, default=0, help="the run's place in the noise")
    return parser.parse_args()


def positive(text):
    """Return a number of at least 1."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return int(text)


def refuse_hardware():
    """End with an error: Python models must not pass for a chip."""
    try:
        from lava.utils.loihi import is_installed

        installed = is_installed()
    except ImportError:
        installed = False
    if not installed:
        sys.exit(
            "no Loihi 2 can be reached: Intel's lava-loihi is not installed here. --backend sim runs Lava's models"
        )
    sys.exit("this network has processes for which there is no model on the chip; manifest.json names them (custom)")


def check(options, manifest):
    """Run what is stored; end with code 1 where a number differs."""
    stored = dict(np.load(HERE / "golden.npz"))
    options.samples = int(stored["samples"])
    inputs = {name[3:]: array for name, array in stored.items() if name.startswith("in.")}
    outputs = run(options, manifest, inputs, int(stored["ticks"]))
    wrong = {name: int((array != stored[f"out.{name}"]).sum()) for name, array in outputs.items()}
    print("\n".join(f"{name}: {count} of {outputs[name].size} numbers differ" for name, count in wrong.items()))
    sys.exit(any(wrong.values()))


def encoded(manifest, given, ticks):
    """Return the chip's integers for the network's numbers, and for how many of its ticks it must run."""
    borders = manifest["borders"]
    inputs = {name: given[name] for name in manifest["inputs"] if name not in borders["encode"]}
    for name, border in borders["encode"].items():
        top, array = 2 ** (border["bits"] - 1) - 1, given[border["input"]]
        timed = array.ndim == len(manifest["inputs"][name]) + 2
        array = np.clip(np.rint(array * border["scale"]), -top, top).astype(np.int32)
        inputs[name] = array if timed else np.broadcast_to(array, (ticks, *array.shape))
    late = max((border["lag"] for border in borders["decode"].values()), default=0)
    period = max((border["every"] for side in borders.values() for border in side.values()), default=1)
    total = (ticks - 1) * period + 1 + late
    for name, border in borders["encode"].items():
        tick = (np.arange(total) - border["lag"]) // border["every"]
        inputs[name] = np.where(
            tick.reshape(-1, *(1,) * (inputs[name].ndim - 1)) < 0, 0, inputs[name][np.clip(tick, 0, ticks - 1)]
        )
    return inputs, total


def decoded(manifest, found, ticks):
    """Return the network's numbers for the chip's integers, in the network's ticks."""
    borders = manifest["borders"]["decode"]
    numbers = {name: found[name][b["lag"] :: b["every"]][:ticks] / b["scale"] for name, b in borders.items()}
    return {name: array for name, array in found.items() if name not in borders} | numbers


def run(options, manifest, given, ticks):
    """Return the outputs of a run, (ticks, samples, *shape) by name."""
    position = {"seed": options.seed, "first_sample": options.first_sample, "first_tick": options.first_tick}
    with tempfile.TemporaryDirectory(prefix="lava-run-") as folder:
        about = position | {"precision": options.precision, "ticks": ticks, "folder": folder, "files": {}}
        job = prepared(about, manifest, given, options.samples)
        execute(job)
        return {
            name: np.load(job["files"][f"out.{name}"]).reshape(ticks, job["batch"], *shape)
            for name, shape in manifest["outputs"].items()
        }


def prepared(job, manifest, given, samples):
    """Return a job with the files that its sources read and its sinks fill."""
    if given.keys() != manifest["inputs"].keys():
        sys.exit(f"the inputs are {manifest['inputs']}; given are {sorted(given)}")
    batch = {given[name].shape[-len(shape) - 1] for name, shape in manifest["inputs"].items()} or {samples}
    if len(batch) > 1:
        sys.exit(f"inputs disagree about the number of samples: {sorted(batch)}")
    job["batch"], folder = batch.pop(), Path(job["folder"])
    kind = np.int32 if job["precision"] == "fixed" else np.float64
    for name, shape in manifest["inputs"].items():
        timed = given[name].ndim == len(shape) + 2
        rows = given[name].reshape(len(given[name]) if timed else 1, -1)
        if timed and len(rows) != job["ticks"]:
            sys.exit(f"input {name} has {len(rows)} ticks, the run {job['ticks']}")
        job["files"][f"in.{name}"] = file = str(folder / f"in.{name}.npy")
        np.save(file, whole(name, rows) if kind is np.int32 else rows.astype(kind))
    for name, shape in manifest["outputs"].items():
        job["files"][f"out.{name}"] = file = str(folder / f"out.{name}.npy")
        size = (job["ticks"], job["batch"] * int(np.prod(shape)))
        np.lib.format.open_memmap(file, mode="w+", dtype=kind, shape=size).flush()
    return job


def whole(name, rows):
    """Return integers as the chip takes them; end where numbers are none."""
    if not (np.isfinite(rows).all() and (rows == np.rint(rows)).all() and (np.abs(rows.astype(float)) < 2**23).all()):
        sys.exit(f"input {name} is not made of integers of 24 bits; --numbers takes the network's own numbers")
    return rows.astype(np.int32)


if __name__ == "__main__":
    main()
