"""Sends the elements it receives on in another order, within the step."""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Route(AbstractProcess):
    """y[i] = scale x[index[i]], 0 where index[i] is -1."""

    def __init__(self, *, shape, index, scale, name):
        super().__init__(shape=shape, index=index, scale=scale, name=name)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=index.shape)


class RouteModel(PyLoihiProcessModel):
    """An index of the vector."""

    def run_spk(self):
        x, index = self.a_in.recv(), self.proc_params["index"]
        self.s_out.send((np.where(index < 0, 0, x[index]) * self.proc_params["scale"]).astype(x.dtype))


@implements(proc=Route, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class RouteModelFixed(RouteModel):
    """Integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)


@implements(proc=Route, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class RouteModelFloat(RouteModel):
    """Numbers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
