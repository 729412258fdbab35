"""p-bits: units that are up with probability 1 / (1 + exp(-(a + bias) / T))."""

import numpy as np
from arithmetic import Noise, logit, uniform, wide
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class FermiDirac(AbstractProcess):
    """Up where a + bias > T logit(u). T comes by its port where ``T`` is None, with 8 fractional bits.

    turn, turns, sweeps: in a step only units whose turn it is decide; noise is that of the sweep. low: the lower level.
    """

    def __init__(self, *, shape, bias, T, turn, initial, low, turns, sweeps, lag, stream, job, name):
        rule = {"low": low, "turns": turns, "sweeps": sweeps, "lag": lag, "stream": stream, "T": T, "turn": turn}
        super().__init__(shape=shape, job=job, name=name, **rule)
        self.a_in, self.T_in, self.s_out = InPort(shape=shape), InPort(shape=shape), OutPort(shape=shape)
        self.s, self.bias = Var(shape=shape, init=initial), Var(shape=shape, init=bias)


class FermiDiracModel(PyLoihiProcessModel):
    """What both precisions share."""

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.noise = Noise(proc_params)

    def run_spk(self):
        a, rule = self.a_in.recv(), self.proc_params
        T = self.T_in.recv() if rule["T"] is None else rule["T"]
        now = self.noise.turn(self.time_step)
        if now < 0:
            self.s_out.send(self.s)
            return
        word = self.noise.words(now, rule["turns"], rule["sweeps"])[0]
        level = np.where(self.up(a, T, word), 1, rule["low"])
        self.s[:] = np.where(rule["turn"] == now % rule["turns"], level, self.s)
        self.s_out.send(self.s)


@implements(proc=FermiDirac, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class FermiDiracModelFixed(FermiDiracModel):
    """The logit by leading zeros and a parabola."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    T_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=2)
    s: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=2)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def up(self, a, T, word):
        return wide(a) + self.bias > (wide(T) * logit(word) >> 20)


@implements(proc=FermiDirac, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class FermiDiracModelFloat(FermiDiracModel):
    """The logit itself."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    T_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    s: np.ndarray = LavaPyType(np.ndarray, float)
    bias: np.ndarray = LavaPyType(np.ndarray, float)

    def up(self, a, T, word):
        u = uniform(word)
        return a + self.bias > T / 256 * (np.log(u) - np.log1p(-u))
