"""Ties parts of a network that share no connection: nothing is ever sent."""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Hub(AbstractProcess):
    """One port, connected to every sink."""

    def __init__(self, *, name):
        super().__init__(name=name)
        self.out = OutPort(shape=(1,))


@implements(proc=Hub, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "floating_pt")
class HubModel(PyLoihiProcessModel):
    """Silent."""

    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=1)
