"""Probabilities of energies: each group of units shares one."""

import numpy as np
from arithmetic import boltzmann_weight, wide
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Boltzmann(AbstractProcess):
    """p = 2^fraction exp(-(a + bias) / T) / Z of each group of ``group`` units; ``initial`` before its lag is over.

    T as in FermiDirac.
    """

    def __init__(self, *, shape, group, bias, initial, T, fraction, lag, job, name):
        rule = {"group": group, "T": T, "initial": initial, "fraction": fraction, "lag": lag, "job": job}
        super().__init__(shape=shape, name=name, **rule)
        self.a_in, self.T_in, self.s_out = InPort(shape=shape), InPort(shape=shape), OutPort(shape=shape)
        self.bias = Var(shape=shape, init=bias)


class BoltzmannModel(PyLoihiProcessModel):
    """What both precisions share."""

    def run_spk(self):
        a, rule = self.a_in.recv(), self.proc_params
        T = self.T_in.recv() if rule["T"] is None else rule["T"]
        p = rule["initial"]
        if self.time_step - 1 + rule["job"]["first_tick"] >= rule["lag"]:
            energy = (wide(a) + self.bias).reshape(-1, rule["group"])
            T = np.broadcast_to(T, a.shape).reshape(energy.shape)
            p = self.probable(energy - energy.min(axis=1, keepdims=True), T, rule["fraction"]).reshape(-1)
        self.s_out.send(p)


@implements(proc=Boltzmann, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class BoltzmannModelFixed(BoltzmannModel):
    """A table, a shift and a quotient."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    T_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def probable(self, distance, T, fraction):
        weights = boltzmann_weight(distance, wide(T))
        total = weights.sum(axis=1, keepdims=True)
        return ((weights << fraction) + (total >> 1)) // total


@implements(proc=Boltzmann, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class BoltzmannModelFloat(BoltzmannModel):
    """The exponential itself."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    T_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    bias: np.ndarray = LavaPyType(np.ndarray, float)

    def probable(self, distance, T, fraction):
        weights = np.exp(-256 * distance / np.maximum(T, 1))
        return 2.0**fraction * weights / weights.sum(axis=1, keepdims=True)
