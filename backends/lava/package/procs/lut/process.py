"""Units whose activation is read from a table."""

import numpy as np
from arithmetic import wide
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Lut(AbstractProcess):
    """y = table[i], i = (a + bias) / 2^shift + half the table's length, kept within it."""

    def __init__(self, *, shape, bias, table, shift, name):
        super().__init__(shape=shape, table=table, shift=shift, name=name)
        self.a_in, self.s_out = InPort(shape=shape), OutPort(shape=shape)
        self.bias = Var(shape=shape, init=bias)


@implements(proc=Lut, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class LutModelFixed(PyLoihiProcessModel):
    """The entry below."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self):
        table = self.proc_params["table"]
        index = (wide(self.a_in.recv()) + self.bias >> self.proc_params["shift"]) + len(table) // 2
        self.s_out.send(table[np.clip(index, 0, len(table) - 1)].astype(np.int32))


@implements(proc=Lut, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class LutModelFloat(PyLoihiProcessModel):
    """Linear between entries."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    bias: np.ndarray = LavaPyType(np.ndarray, float)

    def run_spk(self):
        table = self.proc_params["table"]
        index = (self.a_in.recv() + self.bias) / 2.0 ** self.proc_params["shift"] + len(table) // 2
        self.s_out.send(np.interp(index, np.arange(len(table)), table))
