"""Units that send their activation where it passes a threshold."""

import numpy as np
from arithmetic import clipped, wide
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Graded(AbstractProcess):
    """z = (a + bias) / 2^shift, sent where z > vth, or where |z| > vth (both_signs)."""

    def __init__(self, *, shape, bias, vth, shift, both_signs, name):
        super().__init__(shape=shape, vth=vth, shift=shift, both_signs=both_signs, name=name)
        self.a_in, self.s_out = InPort(shape=shape), OutPort(shape=shape)
        self.bias = Var(shape=shape, init=bias)


class GradedModel(PyLoihiProcessModel):
    """What both precisions share."""

    def run_spk(self):
        z = self.activation(self.a_in.recv())
        passes = (np.abs(z) if self.proc_params["both_signs"] else z) > self.proc_params["vth"]
        self.s_out.send(np.where(passes, z, 0).astype(self.bias.dtype))


@implements(proc=Graded, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class GradedModelFixed(GradedModel):
    """A floor shift, then 24 bits."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def activation(self, a):
        return clipped(wide(a) + self.bias >> self.proc_params["shift"])


@implements(proc=Graded, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class GradedModelFloat(GradedModel):
    """The same without rounding."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    bias: np.ndarray = LavaPyType(np.ndarray, float)

    def activation(self, a):
        return (a + self.bias) / 2.0 ** self.proc_params["shift"]
