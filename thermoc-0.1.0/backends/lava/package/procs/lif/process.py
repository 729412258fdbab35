"""A leaky integrate-and-fire unit in full: both resets, both comparisons, and a start after a lag."""

import numpy as np
from arithmetic import clipped, decayed, wide, wrapped
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Lif(AbstractProcess):
    """u' = u (4095 - du) / 4096 + 64 a, v' = v (4096 - dv) / 4096 + u' + bias; a spike where v' passes 64 vth.

    at_least: v' >= 64 vth spikes too. subtract: a spike takes 64 vth away instead of setting v to 0. lag: for so many
    steps the unit stands still.
    """

    def __init__(self, *, shape, u, v, bias, du, dv, vth, at_least, subtract, lag, job, name):
        rule = {"du": du, "dv": dv, "top": vth << 6, "at_least": at_least, "subtract": subtract, "lag": lag}
        super().__init__(shape=shape, job=job, name=name, **rule)
        self.a_in = InPort(shape=shape)
        self.s_out, self.v_out, self.u_out = (OutPort(shape=shape) for _ in range(3))
        self.u, self.v = Var(shape=shape, init=u), Var(shape=shape, init=v)
        self.bias = Var(shape=shape, init=bias)


class LifModel(PyLoihiProcessModel):
    """What both precisions share."""

    def run_spk(self):
        a, rule, s = self.a_in.recv(), self.proc_params, np.zeros(self.v.shape, bool)
        if self.time_step - 1 + rule["job"]["first_tick"] >= rule["lag"]:
            self.u[:] = self.current(a, 4095 - rule["du"])
            v = self.membrane(4096 - rule["dv"])
            s = v >= rule["top"] if rule["at_least"] else v > rule["top"]
            self.v[:] = np.where(s, v - rule["top"] if rule["subtract"] else 0, v)
        self.s_out.send(s.astype(self.v.dtype))
        self.v_out.send(self.v)
        self.u_out.send(self.u)


@implements(proc=Lif, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class LifModelFixed(LifModel):
    """Loihi's arithmetic: decays truncate, u wraps at 24 bits, v is clipped to them."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=1)
    v_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    u_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    u: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def current(self, a, keep):
        return wrapped(decayed(wide(self.u), keep) + (wide(a) << 6))

    def membrane(self, keep):
        return clipped(decayed(wide(self.v), keep) + self.u + self.bias)


@implements(proc=Lif, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class LifModelFloat(LifModel):
    """The same equations without rounding, wrapping or clipping."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    v_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    u_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    u: np.ndarray = LavaPyType(np.ndarray, float)
    v: np.ndarray = LavaPyType(np.ndarray, float)
    bias: np.ndarray = LavaPyType(np.ndarray, float)

    def current(self, a, keep):
        return self.u * keep / 4096 + 64 * a

    def membrane(self, keep):
        return self.v * keep / 4096 + self.u + self.bias
