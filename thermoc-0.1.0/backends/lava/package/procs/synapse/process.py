"""Synapses of any kind: the entries of a sparse matrix for each delay, and the shift of their sums."""

import numpy as np
from arithmetic import shifted
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Synapse(AbstractProcess):
    """y(t) = sum_k shift(W_k x(t - 1 - k)): weights are the sparse matrices W_0, W_1, ...

    binary: every x but 0 counts as 1. wraps: sums are taken modulo 2^24, as those of convolutions are.
    """

    def __init__(self, *, weights, weight_exp, binary, wraps, name):
        super().__init__(weights=weights, weight_exp=weight_exp, binary=binary, wraps=wraps, name=name)
        m, n = weights[0].shape
        self.s_in = InPort(shape=(n,))
        self.a_out = OutPort(shape=(m,))
        self.buffer = Var(shape=(len(weights), m), init=0)


class SynapseModel(PyLoihiProcessModel):
    """What is sent was received a step before."""

    def run_spk(self):
        self.a_out.send(self.buffer[0])
        x = self.s_in.recv()
        x = (x != 0).astype(self.wide) if self.proc_params["binary"] else x.astype(self.wide)
        arriving = np.stack([self.scaled(W.astype(self.wide).dot(x)) for W in self.proc_params["weights"]])
        moved = np.concatenate([self.buffer[1:], np.zeros_like(self.buffer[:1])])
        self.buffer = (moved + arriving).astype(self.buffer.dtype)


@implements(proc=Synapse, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SynapseModelFixed(SynapseModel):
    """Integers; a negative exponent is a floor shift."""

    wide = np.int64
    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    buffer: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def scaled(self, sums):
        sums = shifted(sums, self.proc_params["weight_exp"])
        return (sums + 2**23) % 2**24 - 2**23 if self.proc_params["wraps"] else sums


@implements(proc=Synapse, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class SynapseModelFloat(SynapseModel):
    """The same without rounding or wrapping."""

    wide = float
    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    buffer: np.ndarray = LavaPyType(np.ndarray, float)

    def scaled(self, sums):
        return sums * 2.0 ** self.proc_params["weight_exp"]
