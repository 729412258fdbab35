"""Ornstein-Uhlenbeck units: a memory that decays, integrates and fluctuates."""

import numpy as np
from arithmetic import Noise, clipped, decayed, normal, uniform, wide
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Memory(AbstractProcess):
    """m' = m (4096 - dm) / 4096 + a gain / 4096 + sigma z; m of the start of the step is sent.

    sigma comes by its port where it is None.
    """

    def __init__(self, *, shape, sigma, gain, dm, initial, lag, stream, job, name):
        super().__init__(shape=shape, sigma=sigma, gain=gain, dm=dm, lag=lag, stream=stream, job=job, name=name)
        self.a_in, self.sigma_in, self.s_out = InPort(shape=shape), InPort(shape=shape), OutPort(shape=shape)
        self.m = Var(shape=shape, init=initial)


class MemoryModel(PyLoihiProcessModel):
    """What both precisions share: what is sent is the state, so that memories may form a cycle."""

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.noise = Noise(proc_params)

    def run_spk(self):
        self.s_out.send(self.m)
        a, rule = self.a_in.recv(), self.proc_params
        sigma = self.sigma_in.recv() if rule["sigma"] is None else rule["sigma"]
        now = self.noise.turn(self.time_step)
        if now >= 0:
            block = self.noise.words(now)
            self.m[:] = self.moved(a, sigma, block[0], block[2])


@implements(proc=Memory, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class MemoryModelFixed(MemoryModel):
    """Box and Muller's normal in integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    sigma_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    m: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def moved(self, a, sigma, first, second):
        remaining = decayed(wide(self.m), 4096 - self.proc_params["dm"])
        fed, kick = wide(a) * self.proc_params["gain"] >> 12, wide(sigma) * normal(first, second) >> 12
        return clipped(remaining + fed + kick)


@implements(proc=Memory, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class MemoryModelFloat(MemoryModel):
    """The same without rounding or clipping."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    sigma_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    m: np.ndarray = LavaPyType(np.ndarray, float)

    def moved(self, a, sigma, first, second):
        z = np.sqrt(-2 * np.log(uniform(first))) * np.cos(2 * np.pi * uniform(second))
        remaining = self.m * (4096 - self.proc_params["dm"]) / 4096
        return remaining + a * self.proc_params["gain"] / 4096 + sigma * z
