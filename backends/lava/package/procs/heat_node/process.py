"""Nodes of a thermal network, which keep every quantum of heat that they are given."""

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


class HeatNode(AbstractProcess):
    """T' = T + d, rest' = rest + heat - d capacity, d = floor((rest + heat) / capacity); T' is sent.

    It moves in steps lag + every, lag + 2 every, ..., counted from 0.
    """

    def __init__(self, *, shape, capacity, initial, initial_rest, every, lag, job, name):
        super().__init__(shape=shape, capacity=capacity, every=every, lag=lag, job=job, name=name)
        self.a_in, self.s_out = InPort(shape=shape), OutPort(shape=shape)
        self.T, self.rest = Var(shape=shape, init=initial), Var(shape=shape, init=initial_rest)


class HeatNodeModel(PyLoihiProcessModel):
    """What both precisions share."""

    def run_spk(self):
        heat, rule = self.a_in.recv(), self.proc_params
        since = self.time_step - 1 + rule["job"]["first_tick"] - rule["lag"]
        if since > 0 and since % rule["every"] == 0:
            self.take(heat)
        self.s_out.send(self.T)


@implements(proc=HeatNode, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class HeatNodeModelFixed(HeatNodeModel):
    """Temperature and rest in whole numbers: no quantum is lost."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    T: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    rest: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def take(self, heat):
        capacity = wide(self.proc_params["capacity"])
        total = wide(self.rest) + wide(heat)
        d = total // capacity
        self.T[:], self.rest[:] = clipped(wide(self.T) + d), total - d * capacity


@implements(proc=HeatNode, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class HeatNodeModelFloat(HeatNodeModel):
    """The same without rounding: nothing is left as a rest."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    T: np.ndarray = LavaPyType(np.ndarray, float)
    rest: np.ndarray = LavaPyType(np.ndarray, float)

    def take(self, heat):
        self.T[:], self.rest[:] = self.T + (self.rest + heat) / self.proc_params["capacity"], 0.0
