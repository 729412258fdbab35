"""Temperatures that heat up and cool towards their surroundings."""

import numpy as np
from arithmetic import decayed, wide
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Heat(AbstractProcess):
    """T' = T - (T - ambient) loss / 4096 + heat gain / 4096, at least ``floor``; T of the start of the step is sent."""

    def __init__(self, *, shape, ambient, initial, loss, gain, floor, lag, job, name):
        super().__init__(shape=shape, ambient=ambient, loss=loss, gain=gain, floor=floor, lag=lag, job=job, name=name)
        self.a_in, self.s_out = InPort(shape=shape), OutPort(shape=shape)
        self.T = Var(shape=shape, init=initial)


class HeatModel(PyLoihiProcessModel):
    """What both precisions share."""

    def run_spk(self):
        self.s_out.send(self.T)
        heat = self.a_in.recv()
        if self.time_step - 1 + self.proc_params["job"]["first_tick"] >= self.proc_params["lag"]:
            self.T[:] = self.moved(heat)


@implements(proc=Heat, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class HeatModelFixed(HeatModel):
    """24 bits, 8 of them fractional."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    T: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def moved(self, heat):
        T, rule = wide(self.T), self.proc_params
        T = T - decayed(T - rule["ambient"], rule["loss"]) + (wide(heat) * rule["gain"] >> 12)
        return np.clip(T, rule["floor"], 2**24 - 1)


@implements(proc=Heat, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class HeatModelFloat(HeatModel):
    """The same without rounding."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    T: np.ndarray = LavaPyType(np.ndarray, float)

    def moved(self, heat):
        rule = self.proc_params
        T = self.T - (self.T - rule["ambient"]) * rule["loss"] / 4096 + heat * rule["gain"] / 4096
        return np.maximum(T, rule["floor"])
