"""Sends one row of a file in each step."""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Source(AbstractProcess):
    """file: a .npy of (steps, units), or ``rows`` themselves; after the last row the first comes again."""

    def __init__(self, *, shape, file, name, rows=None):
        super().__init__(shape=shape, file=file, rows=rows, name=name)
        self.s_out = OutPort(shape=shape)


class SourceModel(PyLoihiProcessModel):
    """Rows are read from disk as they are needed."""

    def __init__(self, proc_params):
        super().__init__(proc_params)
        rows = proc_params["rows"]
        self.rows = np.load(proc_params["file"], mmap_mode="r") if rows is None else rows

    def run_spk(self):
        self.s_out.send(np.array(self.rows[(self.time_step - 1) % len(self.rows)]))


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SourceModelFixed(SourceModel):
    """Integers."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class SourceModelFloat(SourceModel):
    """Numbers."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
