"""Noise as a function, functions that Brian2 lacks, and the order of a tick. This text opens each script."""

# ruff: noqa: F401, F821
# pyright: reportUndefinedVariable=false
# --- prelude
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import (
    Clock,
    EventMonitor,
    Network,
    NeuronGroup,
    StateMonitor,
    Synapses,
    TimedArray,
    linked_var,
    ms,
    prefs,
    second,
    us,
)
from brian2.core.functions import Function

# ------------------------------------------------------------------------------------------------- noise
# Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) at counter (element, tick, draw, stream), keyed by the seed: the
# same numbers in NumPy, Cython and C++, whatever the order in which they are asked for.


def philox(element, tick, draw, stream, k0, k1):
    """Return the four words of a block, each below 2^32."""
    c0, c1, c2, c3, a, b = (np.asarray(word).astype(np.uint64) for word in (element, tick, draw, stream, k0, k1))
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ a, p1 & low, (p0 >> half) ^ c3 ^ b, p0 & low
        a, b = (a + np.uint64(0x9E3779B9)) & low, (b + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


def unit_interval(high, low):
    """Return ((high << 20 | low >> 12) + 1/2) / 2^52, in (0, 1)."""
    return (((high << np.uint64(20)) | (low >> np.uint64(12))).astype(float) + 0.5) * 2.0**-52


def philox_uniform(element, tick, draw, stream, k0, k1):
    """Return uniform numbers in (0, 1)."""
    words = philox(element, tick, draw, stream, k0, k1)
    return unit_interval(*words[:2])


def philox_normal(element, tick, draw, stream, k0, k1):
    """Return standard normal numbers, by Box and Muller."""
    words = philox(element, tick, draw, stream, k0, k1)
    return np.sqrt(-2 * np.log(unit_interval(*words[:2]))) * np.cos(2 * np.pi * unit_interval(*words[2:]))


CPP = """
static inline double NAME(double element, double tick, double draw, double stream, double k0, double k1) {
    typedef unsigned long long word;
    word c0 = (word)element, c1 = (word)tick, c2 = (word)draw, c3 = (word)stream, a = (word)k0, b = (word)k1;
    const word low = 0xFFFFFFFFULL;
    for (int round = 0; round < 10; round++) {
        const word p0 = c0 * 0xD2511F53ULL, p1 = c2 * 0xCD9E8D57ULL;
        c0 = (p1 >> 32) ^ c1 ^ a; c1 = p1 & low; c2 = (p0 >> 32) ^ c3 ^ b; c3 = p0 & low;
        a = (a + 0x9E3779B9ULL) & low; b = (b + 0xBB67AE85ULL) & low;
    }
    const double u = ((double)((c0 << 20) | (c1 >> 12)) + 0.5) * 2.220446049250313e-16;
    const double v = ((double)((c2 << 20) | (c3 >> 12)) + 0.5) * 2.220446049250313e-16;
    return RESULT;
}
"""
CYTHON = """
cdef double NAME(double element, double tick, double draw, double stream, double k0, double k1):
    cdef unsigned long long c0 = <unsigned long long>element, c1 = <unsigned long long>tick
    cdef unsigned long long c2 = <unsigned long long>draw, c3 = <unsigned long long>stream
    cdef unsigned long long a = <unsigned long long>k0, b = <unsigned long long>k1
    cdef unsigned long long low = 0xFFFFFFFFULL, p0, p1
    cdef int r
    for r in range(10):
        p0 = c0 * 0xD2511F53ULL
        p1 = c2 * 0xCD9E8D57ULL
        c0 = (p1 >> 32) ^ c1 ^ a
        c1 = p1 & low
        c2 = (p0 >> 32) ^ c3 ^ b
        c3 = p0 & low
        a = (a + 0x9E3779B9ULL) & low
        b = (b + 0xBB67AE85ULL) & low
    cdef double u = (<double>((c0 << 20) | (c1 >> 12)) + 0.5) * 2.220446049250313e-16
    cdef double v = (<double>((c2 << 20) | (c3 >> 12)) + 0.5) * 2.220446049250313e-16
    return RESULT
"""
NORMAL = "sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v)"


def user_function(python, arguments, cpp, cython):
    """Return a function of numbers (the first may be a truth value) with a body for each code generator."""
    made = Function(python, arg_units=[1] * len(arguments), return_unit=1, arg_types=arguments, return_type="float")
    made.implementations.add_implementation("cpp", cpp.replace("NAME", python.__name__), name=python.__name__)
    made.implementations.add_implementation("cython", cython.replace("NAME", python.__name__), name=python.__name__)
    return made


def choose(condition, a, b):
    """Return a where the condition holds, else b."""
    return np.where(condition, a, b)


def minimum(a, b):
    """Return the smaller; NaN where either is."""
    return np.minimum(a, b)


def maximum(a, b):
    """Return the larger; NaN where either is."""
    return np.maximum(a, b)


def _plain(python, arguments, cpp, cython):
    kinds = ["bint" if kind == "boolean" else "double" for kind in arguments]
    names = ["c", "a", "b"][-len(kinds) :]
    listed = ", ".join(f"{kind} {name}" for kind, name in zip(kinds, names))
    head = listed.replace("bint", "bool")
    cpp = f"static inline double NAME({head}) {{ return {cpp}; }}"
    return user_function(python, arguments, cpp, f"cdef double NAME({listed}):\n    return {cython}\n")


FUNCTIONS = {
    "philox_uniform": user_function(
        philox_uniform, ["float"] * 6, CPP.replace("RESULT", "u"), CYTHON.replace("RESULT", "u")
    ),
    "philox_normal": user_function(
        philox_normal, ["float"] * 6, CPP.replace("RESULT", NORMAL), CYTHON.replace("RESULT", NORMAL)
    ),
    "choose": _plain(choose, ["boolean", "float", "float"], "c ? a : b", "a if c else b"),
    "minimum": _plain(minimum, ["float"] * 2, "(a < b || a != a) ? a : b", "a if (a < b or a != a) else b"),
    "maximum": _plain(maximum, ["float"] * 2, "(a > b || a != a) ? a : b", "a if (a > b or a != a) else b"),
}


# ------------------------------------------------------------------------------------------------- the order of a tick


class Scaled:
    """A variable times numbers, when the run is over."""

    def __init__(self, view, scale):
        self.view, self.scale = view, scale

    def __getitem__(self, _):
        return np.asarray(self.view[:]) * self.scale


class Refractory:
    """For how many ticks the units of a group are still held, when the run is over."""

    def __init__(self, group, ticks):
        self.group, self.ticks = group, ticks

    def __getitem__(self, _):
        since = np.rint(np.asarray((self.group.t - self.group.lastspike[:]) / DT)) - 1
        return np.maximum(self.ticks - since, 0)


@dataclass
class Simulation:
    """The objects of a network, what goes in, what is recorded, and the numbers that place it in the noise.

    Objects run in the order in which they are added: each follows what acts on it within the tick.
    """

    batch: int
    inputs: dict[str, np.ndarray]
    place: dict[str, float]
    objects: list[Any] = field(default_factory=list)
    given: dict[Any, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)
    order: int = 0
    clock: Any = field(default_factory=lambda: Clock(DT, name="tick_clock"))

    def group(self, units, equations, *, batched=True, **more):
        """Add a population: ``units`` of each sample, or once for all samples."""
        namespace = {**FUNCTIONS, "unit_time": TIME, **more.pop("namespace", {})}
        count = units * (self.batch if batched else 1)
        made = NeuronGroup(count, equations, namespace=namespace, clock=self.clock, order=0, **more)
        self.objects.append(made)
        for name in self.place.keys() & made.variables.keys():
            self._set(made, name, name, self.place[name])
        return made

    def _set(self, group, name, key, value):
        group.__setattr__(name, value)
        self.given[getattr(group, name)] = key

    def again(self, inputs, place):
        """Return what another run of a built program is given: values by the variable or timed array they are of."""
        flat = {name: np.ascontiguousarray(array.reshape(len(array), -1)) for name, array in inputs.items()}
        known = {**place, **flat}
        return {
            view: known[key] if isinstance(view, TimedArray) else np.ravel(known[key])
            for view, key in self.given.items()
        }

    def _next(self, *parts):
        for part in parts:
            part.when, part.order, self.order = "groups", self.order, self.order + 1

    def feed(self, group, name, key):
        """Give an input: (batch, units) once, or (ticks, batch, units) tick by tick."""
        values = self.inputs[key]
        if values.ndim == 2:
            self._set(group, name, key, values.reshape(-1))
            return
        timed = TimedArray(values.reshape(len(values), -1), dt=DT, name=f"{name}_given")
        group.namespace[timed.name] = timed
        self.given[timed] = key
        self.block(group, f"{name} = {timed.name}(t, i)")

    def block(self, group, code):
        """Compute variables of a group from others."""
        name = f"{group.name}_step_{self.order}"  # names of our own, so that compiled code is found again
        made = group.run_regularly(code, clock=self.clock, when="groups", order=self.order, name=name)
        self.order += 1
        return made

    def unit(self, group):
        """Integrate the differential equations of a group over the tick, compare with the threshold, reset."""
        parts = [group.state_updater, group.thresholder.get("spike"), group.resetter.get("spike")]
        self._next(*(part for part in parts if part is not None))

    def link(self, group, name, source, variable, index=None, step=0, *, batched=True):
        """Let a variable show that of another group at these places of a sample, whose samples stand ``step`` apart."""
        places = None if index is None else self.repeated(index, step, batched)
        group.__setattr__(name, linked_var(source, variable, index=places))

    def repeated(self, index, step, batched=True):
        """Return places within one sample as places within all."""
        samples = np.arange(self.batch if batched else 1)
        return (samples[:, np.newaxis] * step + index).reshape(-1)

    def repeated_values(self, values, batched):
        """Return the values of one sample for all."""
        return np.tile(values, self.batch if batched else 1)

    def synapses(self, source, target, model, **more):
        """Add synapses, which ``connect`` then makes."""
        made = Synapses(source, target, model, namespace=FUNCTIONS, clock=self.clock, **more)
        self.objects.append(made)
        return made

    def connect(self, synapses, pre, post, weight=None, *, each, batched):
        """Join unit pre[k] to unit post[k] of each sample; ``each``: how far apart samples stand at both ends."""
        synapses.connect(i=self.repeated(pre, each[0], batched), j=self.repeated(post, each[1], batched))
        if weight is not None:
            synapses.w = self.repeated_values(weight, batched)

    def sums(self, synapses):
        """Sum over the synapses of each unit."""
        self._next(*synapses.summed_updaters.values())

    def events(self, synapses):
        """Pass on the events that are due."""
        self._next(synapses.pre)

    def record(self, group, variable):
        """Record a variable at this point of each tick, or (without one) the spikes."""
        name = f"{group.name}_record_{self.order}"
        made = (
            StateMonitor(group, variable, record=True, clock=self.clock, name=name)
            if variable
            else EventMonitor(group, "spike", name=name)
        )
        self._next(made)
        self.objects.append(made)
        return made
