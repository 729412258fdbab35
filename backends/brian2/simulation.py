"""The order of a tick, and how a simulation runs on. Each script has this text."""

# ruff: noqa: F821
# pyright: reportUndefinedVariable=false, reportOptionalMemberAccess=false, reportCallIssue=false, reportArgumentType=false
from __future__ import annotations

# --- prelude
# ------------------------------------------------------------------------------------------------- the order of a tick


@dataclass(kw_only=True)
class ScriptOutput:
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
    outputs: dict[str, ScriptOutput] = field(default_factory=dict)
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
        neurons = NeuronGroup(count, equations, namespace=namespace, clock=self.clock, order=0, **more)
        for updater in (neurons.state_updater, *neurons.thresholder.values(), *neurons.resetter.values()):
            updater.active = False  # until ``unit`` gives it a place in the tick
        self.objects.append(neurons)
        for name in self.place.keys() & neurons.variables.keys():
            neurons.__setattr__(name, self.place[name])
        return neurons

    def _next(self, *parts):
        for operation in parts:
            operation.when, operation.order, operation.active = "groups", self.order, True
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
            function = Function(
                None, arg_units=[1, 1], return_unit=1, arg_types=["float", "float"], return_type="float"
            )
            code = GIVEN.replace("NAME", f"{name}_given").replace("UNITS", str(len(group)))
            function.implementations.add_implementation("cpp", code, name=f"{name}_given")
            group.namespace[f"{name}_given"] = function
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
        operation = group.run_regularly(code, clock=self.clock, when="groups", order=self.order, name=name)
        self.order += 1
        return operation

    def clear(self, group, *names):
        """Set variables to nought: what events add to, and spikes as numbers, are those of the tick."""
        self.block(group, "\n".join(f"{name} = 0" for name in names))
        self.cleared += [group.variables[name] for name in names]

    def unit(self, group):
        """Integrate the differential equations of a group over the tick, compare with the threshold, reset."""
        parts = [group.state_updater, group.thresholder.get("spike"), group.resetter.get("spike")]
        self._next(*(operation for operation in parts if operation is not None))

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
        connection = Synapses(source, target, model, namespace=FUNCTIONS, clock=self.clock, **more)
        self.objects.append(connection)
        return connection

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
        self.outputs[name] = ScriptOutput(group=group, variable=variable, monitor=monitor, **layout)

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
        self._updates = [updater.run for updater in network.sorted_objects if updater.active]

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
