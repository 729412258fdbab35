"""Noise as a function, functions that Brian2 lacks, and the order of a tick. This text opens each script."""

# ruff: noqa: F401, F821
# pyright: reportUndefinedVariable=false, reportOptionalMemberAccess=false, reportCallIssue=false, reportArgumentType=false
# --- prelude
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import (
    Clock,
    EventMonitor,
    Network,
    NetworkOperation,
    NeuronGroup,
    StateMonitor,
    Synapses,
    get_device,
    linked_var,
    ms,
    prefs,
    second,
    us,
)
from brian2.core.functions import Function
from brian2.devices.device import runtime_device

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


# ------------------------------------------------------------------------------------------------- states
# What goes on from tick to tick. ``stored`` arrays are as Brian2 holds them, for all samples; ``value`` is what a user
# sees of them, (batch, *shape), with an axis of ages, oldest first, where there are several.


@dataclass(kw_only=True)
class State:
    """A state that variables of a group hold: one, or one for each age. A unit's number is ``scale`` times theirs."""

    sim: Any
    group: Any
    variables: tuple[str, ...] = ()
    shape: tuple[int, ...]
    dtype: str
    batched: bool
    ring: bool = False
    scale: Any = 1.0

    def stored(self):
        """Return what is there now, (ages, units)."""
        return np.stack([self.group.variables[name].get_value() for name in self.variables])

    def arrays(self, stored):
        """Return what the variables are to be, by their names."""
        return dict(zip(self.variables, stored))

    def put(self, stored):
        """Let it be as it was stored."""
        for name, array in self.arrays(stored).items():
            self.group.variables[name].get_value()[:] = array

    def value(self, stored):
        """Return what a user sees of it."""
        ages = (stored * self.scale).reshape(len(stored), self.sim.batch if self.batched else 1, *self.shape)
        value = np.moveaxis(ages, 0, 1) if self.ring else ages[0]
        return np.broadcast_to(value, (self.sim.batch, *value.shape[1:])).astype(self.dtype)

    def of_value(self, value, stored):
        """Return what is to be stored for a value; one of all samples is the same for each of them."""
        value = value if self.batched else value[:1]
        ages = np.moveaxis(value, 1, 0) if self.ring else value[np.newaxis]
        return np.asarray(ages, float).reshape(len(stored), -1) / self.scale


class Held(State):
    """For how many ticks the units of a group are still refractory; a spike holds them for ``ticks``."""

    def __init__(self, *, ticks, **more):
        super().__init__(**more)
        self.ticks = ticks

    def stored(self):
        """Return the ticks that are left, (1, units)."""
        last = self.group.variables["lastspike"].get_value() / float(DT)
        return np.maximum(self.ticks + 1 - np.rint(self.sim.now - last), 0)[np.newaxis]

    def arrays(self, stored):
        """Return when each unit fired last."""
        return {"lastspike": (self.sim.now - (self.ticks + 1) + stored[0]) * float(DT)}


class Flight(State):
    """Spikes on their way to synapses: who fired in each of the last ``ticks`` ticks, (ticks, units), oldest first.

    places: the units of a sample that the state shows. early: those of the synapses that look for spikes of the tick
    before, since they run before the tick's own have come.
    """

    def __init__(self, *, ticks, places, synapses, early, **more):
        super().__init__(ring=True, **more)
        self.ticks, self.places, self.synapses, self.early = ticks, places, synapses, early
        self.before = np.zeros((ticks, len(self.group)), bool)
        if self.sim.standalone:
            self.monitor = EventMonitor(self.group, "spike", name=f"{self.group.name}_flight_{self.sim.order}")
            self.sim.add(self.monitor)
        else:
            self.fired = deque(ticks * [np.zeros(0, np.int32)], maxlen=ticks)
            self.sim.act(lambda: self.fired.append(self.group.spikes.copy()))

    def stored(self):
        """Return who fired when."""
        if self.sim.standalone:
            return np.concatenate([self.before, recorded(self.monitor, self.sim.now)])[-self.ticks :].astype(bool)
        fired = np.zeros(self.before.shape, bool)
        for row, units in zip(fired, self.fired):
            row[units] = True
        return fired

    def arrays(self, stored):
        """No variable holds them."""
        return {}

    def put(self, stored):
        """Send the spikes of the last ticks once more, into queues that are empty."""
        self.fired.extend(np.flatnonzero(row).astype(np.int32) for row in stored)
        for synapses in self.synapses:
            queue, early = synapses.pre.queue, synapses in self.early
            for _ in range(self.ticks + 1):
                queue.advance()
            for units in list(self.fired)[: self.ticks - early]:
                queue.push(units)
                queue.advance()
        last, space = self.fired[-1], self.group.variables["_spikespace"].get_value()
        space[: len(last)], space[-1] = last, len(last)

    def code(self):
        """Return the C++ by which a program reads them from a file and sends them."""
        lines = []
        for synapses in self.synapses:
            space = get_device().get_array_name(self.group.variables["_spikespace"])
            send = f"{synapses.pre.name}.advance(); {synapses.pre.name}.push(spikes.data(), spikes.size());"
            keep = f"std::copy(spikes.begin(), spikes.end(), {space}); {space}[{len(self.group)}] = spikes.size();"
            last = f"if (tick == {self.ticks - 1}) {{ {keep} }} else {{ {send} }}" if synapses in self.early else send
            lines.append(FLIGHT.format(file=self.file, units=len(self.group), ticks=self.ticks, send=last))
        return "\n".join(lines)

    @property
    def file(self):
        """The name of the file that a program reads."""
        return f"{self.monitor.name}.before"

    def value(self, stored):
        """Return what a user sees of it."""
        return super().value(self._samples(stored)[..., self.places].reshape(self.ticks, -1))

    def of_value(self, value, stored):
        """Return what is to be stored; units that the state does not show stay as they are."""
        changed = self._samples(stored.copy())
        changed[..., self.places] = super().of_value(value, stored).reshape(*changed.shape[:2], -1) != 0
        return changed.reshape(stored.shape)

    def _samples(self, stored):
        return stored.reshape(self.ticks, self.sim.batch if self.batched else 1, -1)


FLIGHT = """{{
    std::ifstream file(results_dir + "{file}", std::ios::binary);
    std::vector<char> fired({units});
    for (int tick = 0; tick < {ticks}; tick++) {{
        file.read(fired.data(), {units});
        std::vector<int32_t> spikes;
        for (int unit = 0; unit < {units}; unit++) if (fired[unit]) spikes.push_back(unit);
        {send}
    }}
}}"""


# ------------------------------------------------------------------------------------------------- the order of a tick


@dataclass(kw_only=True)
class Output:
    """What a run returns at each tick: a variable of a group, or (without one) its spikes."""

    group: Any
    variable: str
    shape: tuple[int, ...]
    dtype: str
    batched: bool
    places: Any
    monitor: Any = None


def recorded(monitor, ticks):
    """Return what a monitor of a program saw, (ticks, units); spikes as noughts and ones."""
    if isinstance(monitor, StateMonitor):
        return written(monitor, monitor.record_variables[0]).reshape(ticks, -1)
    values = np.zeros((ticks, len(monitor.source)))
    values[np.rint(written(monitor, "t") / float(DT)).astype(int), written(monitor, "i")] = 1
    return values


def written(monitor, name):
    """Return an array as the last run of a program wrote it; Brian2 itself expects the length of the run before."""
    variable, device = monitor.variables[name], get_device()
    return np.fromfile(f"{device.results_dir}/{device.get_array_filename(variable)}", variable.dtype)


GIVEN = """
static inline double NAME(double tick, double unit) {
    static std::ifstream file(brian::results_dir + "NAME", std::ios::binary);
    static std::vector<double> row(UNITS);
    static double at = -1;
    // What is held has one row, which stays when there is no other.
    if (tick != at) { file.read(reinterpret_cast<char *>(row.data()), UNITS * sizeof(double)); at = tick; }
    return row[(size_t)unit];
}
"""


@dataclass(kw_only=True)
class Simulation:
    """A network that runs on for as long as it is asked; ten runs of 100 ticks are the bits of one of 1,000.

    Objects run in the order in which they are added: each follows what acts on it within the tick. place: the numbers
    that place it in the noise. record: the outputs that are computed. now: its tick.
    """

    batch: int
    place: dict[str, float]
    record: frozenset[str]
    objects: list[Any] = field(default_factory=list)
    outputs: dict[str, Output] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    cleared: list[Any] = field(default_factory=list)
    order: int = 0
    now: int = 0
    row: int = 0
    clock: Any = field(default_factory=lambda: Clock(DT, name="tick_clock"))
    standalone: bool = field(default_factory=lambda: get_device() is not runtime_device)
    _updates: list[Any] = field(default_factory=list)

    def wants(self, *names):
        """True where one of these outputs is computed."""
        return not self.record.isdisjoint(names)

    def group(self, units, equations, *, batched=True, **more):
        """Add a population: ``units`` of each sample, or once for all samples."""
        namespace = {**FUNCTIONS, "unit_time": TIME, **more.pop("namespace", {})}
        count = units * (self.batch if batched else 1)
        made = NeuronGroup(count, equations, namespace=namespace, clock=self.clock, order=0, **more)
        for part in (made.state_updater, *made.thresholder.values(), *made.resetter.values()):
            part.active = False  # until ``unit`` gives it a place in the tick
        self.objects.append(made)
        for name in self.place.keys() & made.variables.keys():
            made.__setattr__(name, self.place[name])
        return made

    def _next(self, *parts):
        for part in parts:
            part.when, part.order, part.active = "groups", self.order, True
            self.order += 1

    def add(self, made):
        """Add an object, which runs behind those that are there."""
        self._next(made)
        self.objects.append(made)

    def act(self, function):
        """Call a function at this point of each tick."""
        self.add(NetworkOperation(function, clock=self.clock, name=f"operation_{self.order}"))

    def feed(self, group, name, key):
        """Let an input enter its variable, tick by tick."""
        if self.standalone:
            given = Function(None, arg_units=[1, 1], return_unit=1, arg_types=["float", "float"], return_type="float")
            code = GIVEN.replace("NAME", f"{name}_given").replace("UNITS", str(len(group)))
            given.implementations.add_implementation("cpp", code, name=f"{name}_given")
            group.namespace[f"{name}_given"] = given
            self.given[key] = f"{name}_given"
            self.block(group, f"{name} = {name}_given(1.0 * t_in_timesteps, 1.0 * i)")
        else:
            self.act(lambda: self._enter(group.variables[name], key))

    def _enter(self, variable, key):
        values = self.given[key]
        if self.row == 0 or len(values) > 1:
            variable.get_value()[:] = values[self.row]

    def block(self, group, code):
        """Compute variables of a group from others."""
        name = f"{group.name}_step_{self.order}"  # names of our own, so that compiled code is found again
        made = group.run_regularly(code, clock=self.clock, when="groups", order=self.order, name=name)
        self.order += 1
        return made

    def clear(self, group, *names):
        """Set variables to nought: what events add to, and spikes as numbers, are those of the tick."""
        self.block(group, "\n".join(f"{name} = 0" for name in names))
        self.cleared += [group.variables[name] for name in names]

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

    def output(self, name, group, variable, **layout):
        """Record a variable at this point of each tick, or (without one) the spikes, where the output is wanted."""
        if not self.wants(name):
            return
        monitor = None
        if self.standalone:
            label = f"{group.name}_record_{self.order}"
            monitor = (
                StateMonitor(group, variable, record=True, clock=self.clock, name=label)
                if variable
                else EventMonitor(group, "spike", name=label)
            )
            self.add(monitor)
        else:
            self.act(lambda: self._keep(name, group, variable))
        self.outputs[name] = Output(group=group, variable=variable, monitor=monitor, **layout)

    def _keep(self, name, group, variable):
        if name in self.kept:
            if variable:
                self.kept[name][self.row] = group.variables[variable].get_value()
            else:
                self.kept[name][self.row, group.spikes] = 1

    def state(self, name, group, *variables, kind=State, **layout):
        """Name a state."""
        self.states[name] = kind(sim=self, group=group, variables=variables, **layout)

    # --------------------------------------------------------------------------------------------- running

    def prepare(self):
        """Make the code of all parts, once; ``prefs.codegen.target`` says by which code generator."""
        network = Network(self.objects)
        # A run of no ticks. Brian2 makes its code anew in every run, so ``run`` calls the parts itself, in their order.
        network.run(0 * second, namespace={})
        self._updates = [part.run for part in network.sorted_objects if part.active]

    @property
    def prepared(self):
        """True where it can run on."""
        return bool(self._updates)

    def run(self, ticks, inputs, record=None):
        """Run some ticks on; return outputs, (ticks, batch, *shape). An interrupted run leaves all as it was before.

        inputs: (batch, units) held over the ticks, or (ticks, batch, units). record: which outputs; None for all.
        """
        if not self.prepared:
            self.prepare()
        before, begun = self.stored(), self.now
        self.given = flat(inputs)
        self.kept = {
            name: np.zeros((ticks, len(output.group)), output.dtype)
            for name, output in self.outputs.items()
            if record is None or name in record
        }
        try:
            for self.row in range(ticks):
                for update in self._updates:
                    update()
                self.move(self.now + 1)
            return {name: self.shaped(name, values) for name, values in self.kept.items()}
        except BaseException:
            self.restore(before, begun)
            raise
        finally:
            self.given, self.kept = {}, {}

    def move(self, now):
        """Set the clock."""
        self.now = now
        self.clock.variables["timestep"].get_value()[0] = now
        self.clock.variables["t"].get_value()[0] = now * float(DT)

    def shaped(self, name, values):
        """Return what was recorded of an output, (ticks, units), as (ticks, batch, *shape)."""
        output = self.outputs[name]
        values = values.reshape(len(values), self.batch if output.batched else 1, -1)
        values = values if output.places is None else values[..., output.places]
        values = np.broadcast_to(values, (len(values), self.batch, values.shape[-1]))
        return values.reshape(len(values), self.batch, *output.shape).astype(output.dtype, copy=False)

    def stored(self):
        """Return all that another simulation needs to go on from here."""
        return {name: state.stored() for name, state in self.states.items()}

    def restore(self, stored, now):
        """Go on from what was stored at this tick, once it is prepared."""
        self.move(now)
        for variable in self.cleared:
            variable.get_value()[:] = 0  # which a tick that was interrupted may have left
        for name, state in self.states.items():
            state.put(stored[name])

    def values(self, stored):
        """Return the states, (batch, *shape), of what was stored."""
        return {name: state.value(stored[name]) for name, state in self.states.items()}


def flat(inputs):
    """Return inputs by rows, one for each tick or one for all: (batch, units) or (ticks, batch, units) are given."""
    return {name: np.reshape(array, (len(array) if array.ndim == 3 else 1, -1)) for name, array in inputs.items()}
