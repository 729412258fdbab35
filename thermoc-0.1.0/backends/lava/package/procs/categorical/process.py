"""One unit of a group is up, drawn from Boltzmann's distribution of their energies."""

import numpy as np
from arithmetic import Noise, gumbel, uniform, wide
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Categorical(AbstractProcess):
    """The least a + bias + T ln(-ln u) of each group of ``group`` units, the first of equals. T as in FermiDirac."""

    def __init__(self, *, shape, group, bias, T, lag, stream, job, name):
        super().__init__(shape=shape, group=group, T=T, lag=lag, stream=stream, job=job, name=name)
        self.a_in, self.T_in, self.s_out = InPort(shape=shape), InPort(shape=shape), OutPort(shape=shape)
        self.bias = Var(shape=shape, init=bias)


class CategoricalModel(PyLoihiProcessModel):
    """What both precisions share."""

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.noise = Noise(proc_params)

    def run_spk(self):
        a, rule = self.a_in.recv(), self.proc_params
        T = self.T_in.recv() if rule["T"] is None else rule["T"]
        now, s = self.noise.turn(self.time_step), np.zeros_like(self.bias)
        if now >= 0:
            energy = self.energy(a, T, self.noise.words(now)[0]).reshape(-1, rule["group"])
            s.reshape(energy.shape)[np.arange(len(energy)), energy.argmin(axis=1)] = 1
        self.s_out.send(s)


@implements(proc=Categorical, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class CategoricalModelFixed(CategoricalModel):
    """Both logarithms by leading zeros and a parabola."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    T_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=1)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def energy(self, a, T, word):
        return (wide(a) + self.bias << 20) + wide(T) * gumbel(word)


@implements(proc=Categorical, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class CategoricalModelFloat(CategoricalModel):
    """The logarithms themselves."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    T_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    bias: np.ndarray = LavaPyType(np.ndarray, float)

    def energy(self, a, T, word):
        return a + self.bias + T / 256 * np.log(-np.log(uniform(word)))
