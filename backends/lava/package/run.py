"""Runs this network in Lava: ``python run.py --help``. It needs Lava (lava-nc 0.10.0), and nothing else.

Inputs and outputs are .npz files of arrays (ticks, samples, ...) by name. An input of (samples, ...) is held over the
ticks. They are the integers that the chip takes and gives.
"""

import argparse
import json
import os
import sys
import tempfile
import traceback
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def main():
    """Read the command line, run, write what came out."""
    options = parsed()
    if options.job:
        execute(json.loads(Path(options.job).read_text()))
        return
    manifest = json.loads((HERE / "manifest.json").read_text())
    if options.backend == "hw":
        refuse_hardware()
    golden = np.load(HERE / "golden.npz") if options.check else None
    given = (
        {name.split(".", 1)[1]: golden[name] for name in golden.files if name.startswith("in.")}
        if options.check
        else {}
    )
    if options.inputs:
        given = dict(np.load(options.inputs))
    ticks = int(golden["ticks"]) if options.check else options.ticks
    place = {"seed": options.seed, "first_sample": options.first_sample, "first_tick": options.first_tick}
    with tempfile.TemporaryDirectory(prefix="lava-run-") as folder:
        job = prepared(Path(folder), manifest, given, ticks, options.samples, place | {"precision": options.precision})
        execute(job)
        found = {name: np.array(array) for name, array in results(job, manifest).items()}
    if options.check:
        wrong = {name: int((found[name] != golden[f"out.{name}"]).sum()) for name in found}
        print("\n".join(f"{name}: {count} of {found[name].size} numbers differ" for name, count in wrong.items()))
        sys.exit(any(wrong.values()))
    np.savez(options.outputs, **found)
    print("\n".join(f"{name}: {list(array.shape)}" for name, array in found.items()))


def parsed():
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--backend", choices=("sim", "hw"), default="sim", help="Lava's process models, or a Loihi 2")
    parser.add_argument("--inputs", help="the .npz of inputs")
    parser.add_argument("--outputs", default="outputs.npz", help="the .npz to write")
    parser.add_argument("--ticks", type=int, default=1, help="how many ticks to run")
    parser.add_argument("--samples", type=int, default=1, help="how many samples, where no input says it")
    parser.add_argument("--precision", choices=("fixed", "float"), default="fixed", help="Loihi's integers, or numbers")
    parser.add_argument(
        "--check", action="store_true", help="run the stored inputs and compare with the stored outputs"
    )
    for name in ("seed", "first-sample", "first-tick"):
        parser.add_argument(f"--{name}", type=int, default=0, help="the run's place in the noise")
    return parser.parse_args()


def refuse_hardware():
    """End with exit code 3: Python models must not pass for a chip."""
    try:
        from lava.utils.loihi import is_installed

        found = is_installed()
    except ImportError:
        found = False
    if not found:
        sys.exit(
            "no Loihi 2 can be reached: Intel's lava-loihi is not installed here; --backend sim runs Lava's models"
        )
    sys.exit("this network was not tried on a chip: its custom processes have no NcProcessModels; see manifest.json")


def prepared(folder, manifest, given, ticks, samples, job):
    """Return a job: where it stands in the noise, and the files its sources read and its sinks write."""
    batch = {given[name].shape[-len(shape) - 1] for name, shape in manifest["inputs"].items() if name in given} or {
        samples
    }
    if len(batch) > 1 or given.keys() != manifest["inputs"].keys():
        sys.exit(f"inputs are {manifest['inputs']}, each (ticks, samples, ...) of as many samples")
    job |= {"batch": batch.pop(), "ticks": ticks, "folder": str(folder), "files": {}}
    for name, shape in manifest["inputs"].items():
        timed = given[name].ndim == len(shape) + 2
        rows = given[name].reshape(len(given[name]) if timed else 1, -1)
        if timed and len(rows) != ticks:
            sys.exit(f"input {name} has {len(rows)} ticks, the run {ticks}")
        job["files"][name] = str(folder / f"in.{name}.npy")
        np.save(job["files"][name], rows)
    make_sinks(job, manifest)
    return job


def make_sinks(job, manifest):
    """Make the file of each output, of its full size."""
    kind = np.int32 if job["precision"] == "fixed" else np.float64
    for name, shape in manifest["outputs"].items():
        job["files"][f"out.{name}"] = file = str(Path(job["folder"]) / f"out.{name}.npy")
        units = job["batch"] * int(np.prod(shape))
        np.lib.format.open_memmap(file, mode="w+", dtype=kind, shape=(job["ticks"], units)).flush()


def results(job, manifest):
    """Return the outputs, (ticks, samples, *shape)."""
    return {
        name: np.load(job["files"][f"out.{name}"]).reshape(job["ticks"], job["batch"], *shape)
        for name, shape in manifest["outputs"].items()
    }


def execute(job):
    """Build the processes and run them; say which phase it is in, for whoever waits."""
    print("building", flush=True)
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    from build import build

    watch(Path(job["folder"]))
    if "shared_memory" in job:  # a name of its own, by which a caller finds what a killed run left behind
        shared_memory._SHM_NAME_PREFIX, shared_memory._SHM_SAFE_NAME_LENGTH = job["shared_memory"], 40
    with np.load(HERE / "weights.npz") as stored:
        network = build(job, dict(stored))
    tag = "fixed_pt" if job["precision"] == "fixed" else "floating_pt"
    try:
        network.create_runtime(run_cfg=Loihi2SimCfg(select_tag=tag))
        print("running", flush=True)
        network.run(condition=RunSteps(num_steps=job["ticks"]), run_cfg=Loihi2SimCfg(select_tag=tag))
        print("stopping", flush=True)
    finally:
        network.stop()
    print("done", flush=True)


def watch(folder):
    """Let every process model write why it broke, and its states when it stops: each in a file of its own name."""
    from lava.magma.core.model.py.model import AbstractPyProcessModel, PyLoihiProcessModel

    run, stop = AbstractPyProcessModel.run, PyLoihiProcessModel._stop

    def watched(self):
        try:
            run(self)
        except BaseException:
            (folder / f"broken.{called(self)}.txt").write_text(traceback.format_exc())
            os._exit(1)

    def stopped(self):
        kept = {
            name: item for name, item in vars(self).items() if isinstance(item, np.ndarray) and item.dtype.kind in "if"
        }
        np.savez(folder / f"state.{called(self)}.npz", **kept)
        stop(self)

    AbstractPyProcessModel.run, PyLoihiProcessModel._stop = watched, stopped


def called(model):
    """Return the name of a model's process."""
    return model.proc_params.get("name") or type(model).__name__


if __name__ == "__main__":
    main()
