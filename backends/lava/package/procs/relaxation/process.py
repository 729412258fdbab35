"""Relaxations: states of 48 bits that decay, integrate and fluctuate, or cool."""

import numpy as np
from arithmetic import FINE, LIMIT, Noise, normal, uniform, wide
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Relaxation(AbstractProcess):
    """x' = x - x loss / 2^(24 + shift) + a 2^lift + sigma z 2^spread, x = 2^24 m + rest; m is sent.

    It is the m of the start of the step. It moves in the last of every so many steps. sigma comes by its port where
    it is None.
    """

    def __init__(self, *, shape, sigma, loss, shift, initial, initial_rest, name, **rule):
        super().__init__(shape=shape, sigma=sigma, loss=loss, shift=shift, name=name, **rule)
        self.a_in, self.sigma_in, self.s_out = InPort(shape=shape), InPort(shape=shape), OutPort(shape=shape)
        self.m, self.rest = Var(shape=shape, init=initial), Var(shape=shape, init=initial_rest)


class RelaxationModel(PyLoihiProcessModel):
    """What both precisions share: what is sent is the state, so that relaxations may form a cycle."""

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.noise = Noise(proc_params)

    def run_spk(self):
        self.s_out.send(self.m)
        a, rule = self.a_in.recv(), self.proc_params
        sigma = self.sigma_in.recv() if rule["sigma"] is None else rule["sigma"]
        now, every = self.noise.turn(self.time_step), rule["every"]
        if now >= 0 and (now + 1) % every == 0:
            block = self.noise.words(now, every)
            self.move(rule, a, sigma, block[0], block[2])


@implements(proc=Relaxation, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class RelaxationModelFixed(RelaxationModel):
    """Whole steps and 24 bits below them."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    sigma_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    m: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    rest: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def move(self, rule, a, sigma, first, second):
        m, rest, loss = wide(self.m), wide(self.rest), wide(rule["loss"])
        lost = m * loss + (rest * loss >> FINE) >> wide(rule["shift"])
        given = (wide(a) << rule["lift"]) + (wide(sigma) * normal(first, second) << rule["spread"])
        x = np.clip((m << FINE) + rest - lost + given, rule["floor"] << FINE, LIMIT << FINE)
        self.m[:], self.rest[:] = x >> FINE, x & (1 << FINE) - 1


@implements(proc=Relaxation, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class RelaxationModelFloat(RelaxationModel):
    """The same without rounding; it is clipped to its floor alone, and nothing is left as a rest."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    sigma_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    m: np.ndarray = LavaPyType(np.ndarray, float)
    rest: np.ndarray = LavaPyType(np.ndarray, float)

    def move(self, rule, a, sigma, first, second):
        z = np.sqrt(-2 * np.log(uniform(first))) * np.cos(2 * np.pi * uniform(second))
        x = self.m + self.rest / 2**FINE
        kept = x * (1 - rule["loss"] * 2.0 ** (-FINE - rule["shift"]))
        given = a * 2.0 ** (rule["lift"] - FINE) + sigma * z * 2.0 ** (rule["spread"] - 12)
        self.m[:], self.rest[:] = np.maximum(kept + given, rule["floor"]), 0.0
