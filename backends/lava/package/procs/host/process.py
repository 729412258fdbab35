"""A process of the host between two parts of the chip: integers in, numbers by NumPy, integers out, in one step."""

import numpy as np
from host import computed
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Host(AbstractProcess):
    """y = rint(f(x / scales) scale), clipped to ``bits``; NaN is 0. What it is given stands side by side in a vector.

    given: (name, shape, scale) of each; steps: those of host.py; constants: by name.
    """

    def __init__(self, *, shape, inputs, given, steps, constants, result, scale, bits, job, name):
        about = {"given": given, "steps": steps, "constants": constants, "result": result, "scale": scale}
        super().__init__(shape=shape, **about, bits=bits, job=job, name=name)
        self.a_in, self.s_out = InPort(shape=(inputs * job["batch"],)), OutPort(shape=shape)


class HostModel(PyLoihiProcessModel):
    """What both precisions share."""

    def run_spk(self):
        rule, x = self.proc_params, self.a_in.recv()
        samples, start = rule["job"]["batch"], 0
        constants = {name: np.asarray(array)[np.newaxis] for name, array in rule["constants"].items()}
        rows = x.reshape(samples, -1)
        for name, shape, scale in rule["given"]:
            size = int(np.prod(shape))
            constants[name] = rows[:, start : start + size].reshape(samples, *shape) / scale
            start += size
        tick = self.time_step - 1 + rule["job"]["first_tick"]
        y = computed(rule["steps"], constants, tick)[rule["result"]]
        units = rule["shape"][0] // samples
        self.s_out.send(self.message(np.broadcast_to(y.reshape(y.shape[0], -1), (samples, units)).reshape(-1)))


@implements(proc=Host, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class HostModelFixed(HostModel):
    """Messages of whole numbers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def message(self, y):
        top = 2 ** (self.proc_params["bits"] - 1) - 1
        y = np.clip(np.rint(y.astype(np.float64) * self.proc_params["scale"]), -top, top)
        return np.where(np.isnan(y), 0, y).astype(np.int32)


@implements(proc=Host, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class HostModelFloat(HostModel):
    """Messages that are not rounded."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)

    def message(self, y):
        y = np.asarray(y, float) * self.proc_params["scale"]
        return np.where(np.isnan(y), 0.0, y)
