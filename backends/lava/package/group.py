"""The processes of a network: built once, run once or for as long as somebody asks, and gone afterwards."""

import os
import shutil
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
from lava.magma.core.run_conditions import RunSteps

HERE = Path(__file__).resolve().parent
HELD = {"buffer": ("buffer", "a_buf", "a_buff")}
"""What a state is called in the models that may hold it, where it has another name there."""


def execute(job):
    """Build the processes and run them; say which phase it is in, for whoever waits."""
    print("building", flush=True)
    network = built(job)
    try:
        print("running", flush=True)
        network.run(condition=RunSteps(num_steps=job["ticks"]))
        print("stopping", flush=True)
    finally:
        network.stop()
    print("done", flush=True)


def serve(job):
    """Build the processes, then run as many ticks as each line of stdin says; where that ends, so does all of this.

    Between two lines the processes wait. What is run stands in files of the job's folder, which are mapped into memory:
    rows of inputs and outputs, tick t in row t modulo their number; states; ``control.npy`` (see ``Resumed``).
    """
    requests, replies = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    for stream in (0, 1):  # what a model prints is no reply, and it reads no request
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    parent = os.getppid()
    try:
        network = built(job)
        models = len(network.runtime._executable.proc_builders)
        while len(list(Path(job["folder"]).glob("pid.*"))) < models:
            time.sleep(0.002)
        print("ready", file=replies, flush=True)
        for line in requests:
            network.run(condition=RunSteps(num_steps=int(line)))
            print("done", file=replies, flush=True)
    except BaseException:
        traceback.print_exc()
        if os.getppid() == parent:  # who asks reads the reason, and ends the group
            sys.stderr.flush()
            os._exit(1)
    vanish(job)


def built(job):
    """Return the network, its processes started and waiting."""
    from build import build
    from lava.magma.core.run_configs import Loihi2SimCfg

    watch(job)
    if "shared_memory" in job:  # a name of its own, by which a caller finds what a killed run left behind
        shared_memory._SHM_NAME_PREFIX, shared_memory._SHM_SAFE_NAME_LENGTH = job["shared_memory"], 40
    with np.load(HERE / "weights.npz") as stored:
        network = build(job, dict(stored))
    how = Loihi2SimCfg(select_tag="fixed_pt" if job["precision"] == "fixed" else "floating_pt")
    network.create_runtime(run_cfg=how)
    threading.Thread(target=guard, args=(network.runtime._messaging_infrastructure, job), daemon=True).start()
    return network


def guard(infrastructure, job):
    """End the run once a process broke, or who asked for it is gone: Lava itself would wait for ever."""
    folder, alone, parent = Path(job["folder"]), "shared_memory" not in job, os.getppid()
    while True:
        time.sleep(0.2)
        if not alone and os.getppid() != parent:
            vanish(job)
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
        status = os.waitid(os.P_PID, actor.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (ChildProcessError, ValueError, AttributeError):  # reaped, as it should be; or a system that cannot look
        return None
    if status is None:
        return None
    return status.si_status if status.si_code == os.CLD_EXITED else -status.si_status


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


def vanish(job):
    """End the whole group, this process too, where nobody is left who would: files and shared memory go first."""
    for folder in (job["folder"], job["sockets"]):
        shutil.rmtree(folder, ignore_errors=True)
    for path in Path("/dev/shm").glob(job["shared_memory"][1:] + "*"):
        path.unlink()
    os.killpg(0, signal.SIGKILL)


def watch(job):
    """Let every process model say who it is, and why it broke; in a session, let it go on where that stands."""
    from lava.magma.core.model.py.model import AbstractPyProcessModel

    run, folder = AbstractPyProcessModel.run, Path(job["folder"])

    def watched(self):
        try:
            if "states" in job:
                self.run_spk = Resumed(self, folder, job["states"].get(called(self), ()))
            (folder / f"pid.{os.getpid()}").write_text(called(self))
            run(self)
        except BaseException:
            (folder / f"broken.{called(self)}.txt").write_text(traceback.format_exc())
            os._exit(1)

    AbstractPyProcessModel.run = watched


class Resumed:
    """A model's step in a session: it begins at the session's tick with the states that stand in the model's files.

    ``control.npy`` holds (number of this run, its first tick, the tick before which states are kept, how often models
    have been told to go on from what is kept). It is kept in files ``state.PROCESS.VARIABLE.npy``, at the start first.
    """

    def __init__(self, model, folder, states):
        self.model, self.step, self.run, self.told = model, model.run_spk, 0, 0
        self.control = np.load(folder / "control.npy", mmap_mode="r")
        self.states = {}
        for state in states:
            name = next(name for name in HELD.get(state, (state,)) if hasattr(model, name))
            file, array = folder / f"state.{called(model)}.{name}.npy", np.asarray(getattr(model, name))
            self.states[name] = np.lib.format.open_memmap(file, mode="w+", dtype=array.dtype, shape=array.shape)
            self.states[name][...] = array

    def __call__(self):
        run, begin, end, reported = map(int, self.control)
        if run != self.run:
            self.run, self.model.time_step = run, begin + 1
        if reported != self.told:
            self.told = reported
            for name, array in self.states.items():
                setattr(self.model, name, np.array(array))
        self.step()
        if self.model.time_step == end:
            for name, array in self.states.items():
                array[...] = getattr(self.model, name)


def called(model):
    """Return the name of a model's process."""
    return model.proc_params.get("name") or type(model).__name__
