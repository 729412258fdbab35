"""Runs this network in Lava: ``python run.py --help``. It needs Lava (lava-nc 0.10.0), and nothing else.

Inputs and outputs are .npz files of arrays (ticks, samples, ...) by name. An input of (samples, ...), of one sample
or of one number is held over the ticks. They are the integers that the chip takes and gives, in the chip's ticks;
with --numbers they are the network's own numbers, in its ticks: manifest.json says how the one becomes the other.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing import shared_memory
from pathlib import Path

try:
    import numpy as np
    from lava.magma.core.run_conditions import RunSteps
except ModuleNotFoundError as reason:
    sys.exit(f"{sys.executable} has no {reason.name}: this network runs in Lava, lava-nc 0.10.0 on Python 3.10")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from arrays import arranged, save  # noqa: E402  (beside this file)


def main():
    """Read the command line, run, write what came out."""
    options = parsed()
    if options.job:
        execute(json.loads(Path(options.job).read_text()))
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
    given, ticks, options.samples = arranged(manifest, options)
    if options.numbers:
        chip_inputs, chip_ticks = encoded(manifest, given, ticks)
        found = decoded(manifest, run(options, manifest, chip_inputs, chip_ticks), ticks)
    else:
        found = run(options, manifest, given, ticks)
    save(path, found)
    print("\n".join(f"{name}: {list(array.shape)}" for name, array in found.items()))


def parsed():
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", help=argparse.SUPPRESS)
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

        found = is_installed()
    except ImportError:
        found = False
    if not found:
        sys.exit(
            "no Loihi 2 can be reached: Intel's lava-loihi is not installed here. --backend sim runs Lava's models"
        )
    sys.exit("this network has processes for which there is no model on the chip; manifest.json names them (custom)")


def check(options, manifest):
    """Run what is stored; end with code 1 where a number differs."""
    stored = dict(np.load(HERE / "golden.npz"))
    options.samples = int(stored["samples"])
    given = {name[3:]: array for name, array in stored.items() if name.startswith("in.")}
    found = run(options, manifest, given, int(stored["ticks"]))
    wrong = {name: int((array != stored[f"out.{name}"]).sum()) for name, array in found.items()}
    print("\n".join(f"{name}: {count} of {found[name].size} numbers differ" for name, count in wrong.items()))
    sys.exit(any(wrong.values()))


def encoded(manifest, given, ticks):
    """Return the chip's integers for the network's numbers, and for how many of its ticks it must run."""
    borders = manifest["borders"]
    made = {name: given[name] for name in manifest["inputs"] if name not in borders["encode"]}
    for name, border in borders["encode"].items():
        top, array = 2 ** (border["bits"] - 1) - 1, given[border["input"]]
        timed = array.ndim == len(manifest["inputs"][name]) + 2
        array = np.clip(np.rint(array * border["scale"]), -top, top).astype(np.int32)
        made[name] = array if timed else np.broadcast_to(array, (ticks, *array.shape))
    late = max((border["lag"] for border in borders["decode"].values()), default=0)
    every = max((border["every"] for side in borders.values() for border in side.values()), default=1)
    total = (ticks - 1) * every + 1 + late
    for name, border in borders["encode"].items():
        tick = (np.arange(total) - border["lag"]) // border["every"]
        made[name] = np.where(
            tick.reshape(-1, *(1,) * (made[name].ndim - 1)) < 0, 0, made[name][np.clip(tick, 0, ticks - 1)]
        )
    return made, total


def decoded(manifest, found, ticks):
    """Return the network's numbers for the chip's integers, in the network's ticks."""
    borders = manifest["borders"]["decode"]
    numbers = {name: found[name][b["lag"] :: b["every"]][:ticks] / b["scale"] for name, b in borders.items()}
    return {name: array for name, array in found.items() if name not in borders} | numbers


def run(options, manifest, given, ticks):
    """Return the outputs of a run, (ticks, samples, *shape) by name."""
    place = {"seed": options.seed, "first_sample": options.first_sample, "first_tick": options.first_tick}
    with tempfile.TemporaryDirectory(prefix="lava-run-") as folder:
        about = place | {"precision": options.precision, "ticks": ticks, "folder": folder, "files": {}}
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


def execute(job):
    """Build the processes and run them; say which phase it is in, for whoever waits."""
    print("building", flush=True)
    from build import build
    from lava.magma.core.run_configs import Loihi2SimCfg

    watch(Path(job["folder"]))
    if "shared_memory" in job:  # a name of its own, by which a caller finds what a killed run left behind
        shared_memory._SHM_NAME_PREFIX, shared_memory._SHM_SAFE_NAME_LENGTH = job["shared_memory"], 40
    with np.load(HERE / "weights.npz") as stored:
        network = build(job, dict(stored))
    how = Loihi2SimCfg(select_tag="fixed_pt" if job["precision"] == "fixed" else "floating_pt")
    network.create_runtime(run_cfg=how)
    threading.Thread(target=guard, args=(network.runtime._messaging_infrastructure, job), daemon=True).start()
    try:
        print("running", flush=True)
        network.run(condition=RunSteps(num_steps=job["ticks"]), run_cfg=how)
        print("stopping", flush=True)
    finally:
        network.stop()
    print("done", flush=True)


def guard(infrastructure, job):
    """End the run once a process broke, for Lava itself would wait for it for ever."""
    folder, alone = Path(job["folder"]), "shared_memory" not in job
    while True:
        time.sleep(0.2)
        broken = {actor.pid: code for actor in list(infrastructure.actors) if (code := ended(actor))}
        if broken:
            break
    if not list(folder.glob("broken.*.txt")):
        pid, code = next(iter(broken.items()))
        (folder / f"broken.{name_of(folder, pid)}.txt").write_text(f"its process ended with code {code}\n")
    if alone:  # nobody waits for the reports
        give_up(folder, infrastructure)


def ended(actor):
    """Return how a child ended, minus the signal or the exit code; None while it runs. Reaping is left to Lava."""
    try:
        found = os.waitid(os.P_PID, actor.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (ChildProcessError, ValueError, AttributeError):  # reaped, as it should be; or a system that cannot look
        return None
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def name_of(folder, pid):
    """Return the name of the process that a child runs."""
    file = folder / f"pid.{pid}"
    return file.read_text() if file.exists() else "runtime"


def give_up(folder, infrastructure):
    """Say who broke, and leave no process, shared memory or file behind."""
    first = min(folder.glob("broken.*.txt"), key=lambda path: path.stat().st_mtime)
    print(f"process {first.name[7:-4]!r} failed:\n{first.read_text()}", file=sys.stderr, flush=True)
    for actor in infrastructure.actors:
        with suppress(OSError, ValueError):
            os.kill(actor.pid, signal.SIGKILL)
    infrastructure.smm.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def watch(folder):
    """Let every process model write why it broke, and its states when it stops: each in a file of its own name."""
    from lava.magma.core.model.py.model import AbstractPyProcessModel, PyLoihiProcessModel

    run, stop = AbstractPyProcessModel.run, PyLoihiProcessModel._stop

    def watched(self):
        (folder / f"pid.{os.getpid()}").write_text(called(self))
        try:
            run(self)
        except BaseException:
            (folder / f"broken.{called(self)}.txt").write_text(traceback.format_exc())
            os._exit(1)

    def stopped(self):
        held = {
            name: item for name, item in vars(self).items() if isinstance(item, np.ndarray) and item.dtype.kind in "if"
        }
        np.savez(folder / f"state.{called(self)}.npz", **held)
        stop(self)

    AbstractPyProcessModel.run, PyLoihiProcessModel._stop = watched, stopped


def called(model):
    """Return the name of a model's process."""
    return model.proc_params.get("name") or type(model).__name__


if __name__ == "__main__":
    main()
