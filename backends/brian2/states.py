"""What goes on from tick to tick: variables, refractory units, spikes on their way. Each script has this text."""

# ruff: noqa: F821
# pyright: reportUndefinedVariable=false, reportOptionalMemberAccess=false, reportCallIssue=false, reportArgumentType=false
from __future__ import annotations

# --- prelude
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
