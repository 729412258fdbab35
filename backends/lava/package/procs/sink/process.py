"""Writes what it receives in each step to a row of a file."""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Sink(AbstractProcess):
    """file: a .npy of (steps, units) that is there already; longer runs begin again at its first row.

    Without a file nothing is kept. tie: nothing comes by it.
    """

    def __init__(self, *, shape, file, name):
        super().__init__(shape=shape, file=file, name=name)
        self.a_in, self.tie = InPort(shape=shape), InPort(shape=(1,))


class SinkModel(PyLoihiProcessModel):
    """The file is mapped into memory: nothing is sent element by element."""

    def __init__(self, proc_params):
        super().__init__(proc_params)
        file = proc_params["file"]
        self.rows = None if file is None else np.load(file, mmap_mode="r+")

    def run_spk(self):
        x = self.a_in.recv()
        if self.rows is not None:
            self.rows[(self.time_step - 1) % len(self.rows)] = x


@implements(proc=Sink, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SinkModelFixed(SinkModel):
    """Integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    tie: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=1)


@implements(proc=Sink, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class SinkModelFloat(SinkModel):
    """Numbers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    tie: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=1)
