"""A model as a Python script and the arrays it reads."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2.model import (
    ClearStep,
    Connection,
    Group,
    InputStep,
    OutputRecord,
    SimulationModel,
    StatementBlock,
    StateRecord,
    Step,
    UnitStep,
)
from thermoc.backends.brian2.parameters import ArrayElements, read_array
from thermoc.ir.element_indices import ElementIndices

Data = dict[str, NDArray]


def script(model: SimulationModel, *, time_unit: str) -> tuple[str, Data]:
    """Return the text and the arrays. ``time_unit``: what the network's unit of time is called in Brian2."""
    writer = _ScriptWriter(model)
    parts = files("thermoc.backends.brian2")
    preludes = [
        (parts / f"{name}.py").read_text().partition("# --- prelude\n")[2].strip()
        for name in ("prelude", "states", "simulation")
    ]
    ending = (parts / "ending.py").read_text().partition("# --- ending\n")[2]
    title = f"{_title(model.name)}: a network of thermoc as a Brian2 simulation. Its arrays are in the .npz beside it."
    head = f'"""{title}"""\n'
    constants = f'TIME = {time_unit}\n"""The network\'s unit of time."""\nDT = {model.dt!r} * TIME\n"""A tick."""\n'
    constants += f"{_facts(model)}\n"
    text = (
        "\n\n".join([head.rstrip(), "\n\n\n".join(preludes), constants.strip(), writer.build(), ending.strip()]) + "\n"
    )
    return text, writer.data


def _facts(model: SimulationModel) -> str:
    """Return what a run checks its inputs by, and what it estimates its time by."""
    return "\n".join(
        [
            f"INPUTS = {dict(model.inputs)!r}",
            '"""The shape of each input."""',
            f"TEMPERATURES = {tuple(model.temperatures)!r}",
            '"""The inputs that are temperatures."""',
            f"OUTPUTS = {_outputs(model, probes=False)!r}",
            '"""The outputs."""',
            f"PROBES = {_outputs(model, probes=True)!r}",
            '"""The outputs that are computed only where they are asked for."""',
            f"WORK = ({model.pieces}, {model.elements})",
            '"""Pieces of code, and units, statements of units and synapses that a sample computes in a tick."""',
        ]
    )


def _outputs(model: SimulationModel, *, probes: bool) -> tuple[str, ...]:
    named = (step.name for step in model.steps if isinstance(step, OutputRecord))
    return tuple(name for name in named if (name in model.probes) == probes)


def _title(name: str) -> str:
    return name.replace("\\", "").replace('"', "").replace("\n", " ")


class _ScriptWriter:
    def __init__(self, model: SimulationModel):
        self.model, self.data = model, dict(model.parameters.arrays)
        self.lines: list[str] = []

    def build(self) -> str:
        """Return the function that makes the network."""
        self.lines = [
            "def build(batch, place, record=OUTPUTS, data=None):",
            '    """Make the network: populations, then what happens in a tick, in order. It computes ``record``."""',
            "    data = DATA if data is None else data",
            "    sim = Simulation(batch=batch, place=place, record=frozenset(record))",
        ]
        if self.model.parameters.lines:
            self.lines += ["    computed = {}", *(f"    {line}" for line in self.model.parameters.lines)]
        for group in self.model.groups:
            self._group(group)
        for group in self.model.groups:
            self._links(group)
        self.lines.append("")
        for step in self.model.steps:
            self._step(step)
        for state in self.model.states:
            self._state(state)
        self.lines.append("    return sim")
        return "\n".join(self.lines)

    def _array(self, name: str, array: NDArray | ArrayElements) -> str:
        """Store an array, or which elements of a parameter it is; return the text that reads it."""
        if isinstance(array, ArrayElements):
            return f"np.ravel({read_array(array.array)})[{self._places(f'{name}.places', array.places)}]"
        key, number = name, 1
        while key in self.data:
            if key not in self.model.parameters.arrays and np.array_equal(self.data[key], array):
                break
            key, number = f"{name}.{number}", number + 1
        self.data[key] = array
        return f"data[{key!r}]"

    def _group(self, group: Group) -> None:
        equations = [f"{name} : {kind}" for name, kind in group.variables.items()]
        equations += [
            f"{name} : {source.variables[shown].split()[0]} (linked)"
            for name, (source, shown, _) in group.links.items()
        ]
        dynamics, arguments = group.dynamics, ""
        if dynamics is not None:
            # A differential equation declares its variable, which must not be declared twice.
            integrated = {line.split("/")[0][1:] for line in dynamics.equations}
            equations = [*dynamics.equations, *(line for line in equations if line.split(" ")[0] not in integrated)]
            arguments += f", method={dynamics.method!r}" if dynamics.method else ""
            arguments += f", threshold={dynamics.threshold!r}, reset={dynamics.reset!r}" if dynamics.threshold else ""
            arguments += f", refractory={dynamics.refractory}" if dynamics.refractory else ""
        if group.constants:
            arguments += ", namespace=dict(" + ", ".join(f"{k}={v}" for k, v in group.constants.items()) + ")"
        if not group.batched:
            arguments += ", batched=False"
        self.lines += ["", f"    {group.name} = sim.group({group.size}, '''"]
        self.lines += [f"        {line}" for line in equations]
        self.lines += [f"        ''', name={group.name!r}{arguments})"]
        for name, value in group.initial.items():
            if isinstance(value, np.ndarray | ArrayElements):
                text = f"sim.repeated_values({self._array(f'{group.name}.{name}', value)}, {group.batched})"
            # Brian2's variables start at 0.
            elif value == 0:
                continue
            else:
                text = repr(value)
            self.lines.append(f"    {group.name}.{name} = {text}")

    def _links(self, group: Group) -> None:
        for name, (source, shown, index) in group.links.items():
            places = "" if index is None else f", {self._places(f'{group.name}.{name}', index)}, {source.step}"
            batched = "" if index is None else f", batched={group.batched}"
            self.lines.append(f"    sim.link({group.name}, {name!r}, {source.name}, {shown!r}{places}{batched})")

    def _places(self, name: str, index: ElementIndices) -> str:
        if len(index) and (index == index[0]).all():
            return f"np.full({len(index)}, {index[0]})"
        if len(index) and np.array_equal(index, np.arange(index[0], index[0] + len(index))):
            return f"np.arange({index[0]}, {index[0] + len(index)})"
        return self._array(name, index)

    def _step(self, step: Step) -> None:
        if step.only:
            self.lines.append(f"    if sim.wants({', '.join(map(repr, sorted(step.only)))}):")
        start = len(self.lines)
        self._always(step)
        if step.only:
            self.lines[start:] = [f"    {line}" for line in self.lines[start:]]

    def _always(self, step: Step) -> None:
        if isinstance(step, InputStep):
            self.lines.append(f"    sim.feed({step.group.name}, {step.variable!r}, {step.key!r})")
        elif isinstance(step, UnitStep):
            self.lines.append(f"    sim.unit({step.group.name})")
        elif isinstance(step, StatementBlock):
            self._block(step)
        elif isinstance(step, ClearStep):
            self.lines.append(f"    sim.clear({step.group.name}, {', '.join(map(repr, step.variables))})")
        elif isinstance(step, Connection):
            self._connection(step)
        elif isinstance(step, OutputRecord):
            self._record(step)

    def _block(self, block: StatementBlock) -> None:
        if len(block.lines) == 1:
            self.lines.append(f"    sim.block({block.group.name}, {block.lines[0]!r})")
            return
        self.lines.append(f"    sim.block({block.group.name}, '''")
        self.lines += [f"        {line}" for line in block.lines]
        self.lines.append("        ''')")

    def _connection(self, step: Connection) -> None:
        weight = "w : 1 (constant)" if step.weight is not None else ""
        if step.sums is not None:
            variable, text = step.sums
            model = f"{variable}_post = {text} : 1 (summed)"
            synapse_model = f"'''\n        {weight}\n        {model}\n        '''" if weight else repr(model)
            kind = "sums"
        else:
            delay = f", delay={step.delay} * DT" if step.delay else ""
            synapse_model, kind = f"{weight!r}, on_pre={step.event!r}{delay}", "events"
        batched = step.source.batched or step.target.batched
        ends = f"{self._places(f'{step.name}.pre', step.pre)}, {self._places(f'{step.name}.post', step.post)}"
        arguments = "" if step.weight is None else f", {self._array(f'{step.name}.w', step.weight)}"
        strides = f"each=({step.source.step}, {step.target.step}), batched={batched}"
        names = f"{step.source.name}, {step.target.name}"
        self.lines += [
            f"    {step.name} = sim.synapses({names}, {synapse_model}, name={step.name!r})",
            f"    sim.connect({step.name}, {ends}{arguments}, {strides})",
            f"    sim.{kind}({step.name})",
        ]

    def _record(self, step: OutputRecord) -> None:
        group = step.group
        places = "None" if step.places is None else self._places(f"{step.name}.places", step.places)
        where = f"{step.name!r}, {group.name}, {step.variable!r}"
        self.lines.append(f"    sim.output({where}, {_layout(step)}, places={places})")

    def _state(self, state: StateRecord) -> None:
        arguments = [repr(state.name), state.group.name, *map(repr, state.variables), _layout(state)]
        if state.queue:
            sent = [step for step in self.model.steps if isinstance(step, Connection) and step.queue == state.queue]
            places = "slice(None)" if state.places is None else self._places(f"{state.name}.places", state.places)
            early = [step.name for step in sent if step.delay < state.ticks]
            arguments += ["kind=Flight", f"ticks={state.ticks}", f"places={places}"]
            arguments += [f"synapses=[{', '.join(step.name for step in sent)}]", f"early=[{', '.join(early)}]"]
        elif state.refractory:
            arguments += ["kind=Held", f"ticks={state.refractory}"]
        elif state.ring:
            arguments += ["ring=True"]
        if state.scale is not None:
            scale = self._array(f"{state.name}.scale", state.scale)
            arguments += [f"scale=sim.repeated_values({scale}, {state.group.batched})"]
        self.lines.append(f"    sim.state({', '.join(arguments)})")


def _layout(step: OutputRecord | StateRecord) -> str:
    return f"shape={tuple(step.shape)!r}, dtype={step.dtype.name!r}, batched={step.group.batched}"
