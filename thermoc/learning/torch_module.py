"""A network as a module of torch: the reference interpreter, tick by tick, on tensors with gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from thermoc.ir.dialects.devices import DeviceDynamics, DeviceStep
from thermoc.ir.graph import Graph
from thermoc.ir.parameters import with_parameters
from thermoc.ir.reference.interpreter import run_tick
from thermoc.ir.reference.meaning import Pure
from thermoc.ir.types import DType
from thermoc.learning.gradient_paths import check_gradients
from thermoc.learning.hardware import Calibration, Hardware, hardware
from thermoc.learning.surrogates import ESTIMATORS, SURROGATES, Slope
from thermoc.learning.tensor_inputs import timed_inputs
from thermoc.learning.torch_context import Choices, TorchContext
from thermoc.network import Network, graph_of
from thermoc.passes.expand import devices as device_steps
from thermoc.passes.rewriting import rewrite
from thermoc.passes.set_precision import SetPrecision
from thermoc.support.errors import ThermocError, error
from thermoc.support.suggestions import near
from thermoc.target_options import check_samples

Tensor = torch.Tensor
States = dict[str, dict[str, Tensor]]
FORMATS = {"float64": DType.f64, "float32": DType.f32}
ROUNDING = ("straight_through", "zero")


@dataclass(frozen=True, kw_only=True)
class ModuleRun(Mapping[str, Tensor]):
    """Outputs by name, each (ticks, batch, *shape); ``state`` goes on from here, at ``tick``.

    reach: a loss for chips, 0 elsewhere: the sum over products of log(most that can come of one / root mean square of
    what does), a mean over ticks. Converters cover the first, so that it counts the bits they lose to what never comes.
    """

    outputs: Mapping[str, Tensor]
    state: Mapping[str, Mapping[str, Tensor]]
    tick: int
    reach: Tensor

    def __getitem__(self, name: str) -> Tensor:
        return self.outputs[name]

    def __iter__(self):
        return iter(self.outputs)

    def __len__(self) -> int:
        return len(self.outputs)


def to_torch(
    network: Network | Graph,
    *,
    precision: str = "float32",
    surrogate: str | Slope = "arctan",
    surrogate_slope: float = 2.0,
    estimator: str = "straight_through",
    relaxation: float = 0.5,
    rounding: str = "straight_through",
    target: str | None = None,
    calibrate: Mapping[str, Any] | None = None,
    input_range: tuple[float, float] | None = None,
    **options: Any,
) -> NetworkModule:
    """Return a module of torch that computes what the reference interpreter does, with gradients.

    precision: "float32" or "float64", of every float. surrogate: what stands for the slope of a spike, of the distance
    to the threshold: "arctan", "sigmoid", "fast_sigmoid", "triangle", "gaussian", of a steepness ``surrogate_slope``,
    or a function of tensors. estimator: what stands for the slope of a sample: "straight_through" (that of its mean),
    "gumbel_softmax" (of its form at ``relaxation``), "mean_field" (the mean in place of the sample). rounding:
    "straight_through" or "zero", the slope of ``core.floor``.

    target: the forward pass goes through what a target does, with the network's own gradients, so that a network is
    trained for it: "chip" (``chip`` and ``adc`` as ``tc.compile`` takes them: levels of weights, converters) or "lava"
    (weights of 8 bits; ``coding`` "graded" or "thermal"). calibrate, input_range: how large values become, as
    ``tc.compile`` takes them; ``module.calibrate()`` asks again, for the parameters as they are.

    Errors: T221 for an op that torch cannot run, and for a trainable parameter that no output has a gradient in; T302
    without torch; T303, T305 for a target's options; T404 for a keyword.
    """
    graph = graph_of(network)
    _one_of("precision", precision, FORMATS)
    _one_of("estimator", estimator, ESTIMATORS)
    _one_of("rounding", rounding, ROUNDING)
    if not callable(surrogate):
        _one_of("surrogate", surrogate, SURROGATES)
    graph = _with_euler_steps(graph)
    check_gradients(graph, rounding)
    choices = Choices(
        surrogate=surrogate, slope=surrogate_slope, estimator=estimator, relaxation=relaxation, rounding=rounding
    )
    typed = SetPrecision(dtype=FORMATS[precision]).of_all(graph)
    source = network if isinstance(network, Network) else Network.of(graph)
    if target is None:
        if calibrate is not None or input_range is not None or options:
            wrong = sorted({**options, "calibrate": calibrate, "input_range": input_range})
            raise error("T303", "these options are a target's", notes=wrong, hint='give target="chip" or "lava"')
        return NetworkModule(source, typed, choices)
    check_samples({"calibrate": calibrate, "input_range": input_range})
    return NetworkModule(
        source, typed, choices, hardware(target, Calibration(inputs=calibrate, input_range=input_range), options)
    )


def _with_euler_steps(graph: Graph) -> Graph:
    """Return the graph with the steps of devices in core ops, which have gradients, where Euler's method takes them."""
    expansions = {DeviceDynamics: device_steps.device, DeviceStep: device_steps.device_step}
    try:
        return rewrite(graph, expansions, keep=lambda op: getattr(op, "method", "euler") != "euler")
    except ThermocError:  # a step that has no form in core ops runs as it is, without gradients
        return graph


def _one_of(name: str, value: Any, names: Any) -> None:
    if value not in names:
        notes = [f"{name} = {value!r}", f"there are {list(names)}"]
        raise error("T404", f"{name} is none that there is", notes=notes, hint=near(value, names))


class NetworkModule(torch.nn.Module):
    """A network whose trainable parameters are torch's. ``torch_names`` tells under which names they stand."""

    def __init__(self, network: Network, graph: Graph, choices: Choices, target: Hardware | None = None):
        super().__init__()
        self.network, self.graph, self.choices = network, graph, choices
        self._source, self._target = graph, target
        self._products: Mapping[str, Pure] = {}
        self.torch_names: dict[str, str] = {}
        """By the network's name of each parameter, its name here: dots are underscores."""
        for name, op in graph.parameters.items():
            attribute = self.torch_names[name] = self._free_name(name)
            numbers = torch.tensor(op.value.numpy)
            if op.trainable and numbers.is_floating_point():
                self.register_parameter(attribute, torch.nn.Parameter(numbers))
            else:
                self.register_buffer(attribute, numbers)
        # Where the module stands, for a network without parameters too.
        self.register_buffer("_anchor", torch.empty(0), persistent=False)
        self._constants: dict[str, Tensor] = {}
        self.calibrate()

    def calibrate(self) -> None:
        """Fit the target's converters and codes to the parameters as they are now; without a target, do nothing."""
        if self._target is None:
            return
        now = with_parameters(self._source, {k: v.detach().cpu().numpy() for k, v in self.named_values().items()})
        # Values that no pass leaves in the format: what it adds is in float64.
        fitted, products = self._target.fitted(now)
        self.graph = SetPrecision(dtype=_format(self._source)).of_all(fitted)
        self._products = {name: Pure(step=product) for name, product in products.items()}
        self._constants = {}

    def _free_name(self, name: str) -> str:
        """Return a name that torch takes and that the module does not use."""
        attribute = "".join(c if c.isalnum() else "_" for c in name)
        while hasattr(self, attribute) or not attribute:
            attribute += "_"
        return attribute

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Any:
        # Called wherever a module is moved or changes its format: constants follow when they are next asked for.
        self._constants = {}
        return super()._apply(fn, recurse)

    @property
    def device(self) -> torch.device:
        """Where its parameters and constants are."""
        anchor: Any = self._anchor
        return anchor.device

    def named_values(self) -> dict[str, Tensor]:
        """Return the parameters by the network's names."""
        return {name: getattr(self, attribute) for name, attribute in self.torch_names.items()}

    def to_network(self) -> Network:
        """Return the network with the parameters as they are now. Errors: T418 where one is not finite."""
        values = {name: value.detach().cpu().numpy() for name, value in self.named_values().items()}
        dtypes = {name: op.value.numpy.dtype for name, op in self.network.graph.parameters.items()}
        return self.network.with_parameters({name: value.astype(dtypes[name]) for name, value in values.items()})

    def forward(
        self,
        inputs: Mapping[str, Any] | None = None,
        *,
        ticks: int | None = None,
        batch: int | None = None,
        seed: int = 0,
        tick: int = 0,
        state: Mapping[str, Mapping[str, Tensor]] | None = None,
        detach_every: int | None = None,
        checkpoint_every: int | None = None,
    ) -> ModuleRun:
        """Run ``ticks`` ticks on from ``state``, from the initial state where there is none.

        inputs: tensors or arrays (batch, *shape), held over the ticks, or (ticks, batch, *shape). tick: the number of
        the first, which places it in the noise. detach_every: after so many ticks gradients do not go back through
        states (truncated backpropagation through time). checkpoint_every: only the states after so many ticks are
        kept, and the ticks between them are computed again on the way back: memory for time. Errors: T401 to T404.
        """
        feed, ticks, batch = timed_inputs(self.graph, inputs or {}, ticks, batch, self.device)
        length = _piece(ticks, detach_every, checkpoint_every)
        context = self._context(seed, batch)
        states: States = {key: dict(value) for key, value in (state or {}).items()}
        collected: dict[str, list[Tensor]] = {name: [] for name in self.graph.outputs}
        reach = torch.zeros((), device=self.device)
        run = self._checkpointed if checkpoint_every and torch.is_grad_enabled() else self._ticks
        for first in range(0, ticks, length):
            if detach_every and first and first % detach_every == 0:
                states = _detached(states)
            chunk = {name: array[first : first + length] for name, array in feed.items()}
            now = replace(context, tick=tick + first)
            outputs, states, log_reach = run(now, chunk, states, min(length, ticks - first))
            reach = reach + log_reach
            for name, values in outputs.items():
                collected[name] += values
        stacked = {name: torch.stack(values) for name, values in collected.items()}
        return ModuleRun(outputs=stacked, state=states, tick=tick + ticks, reach=reach / max(ticks, 1))

    def _context(self, seed: int, batch: int) -> TorchContext:
        return TorchContext(
            tick=0,
            dt=self.graph.dt,
            seed=seed,
            batch=batch,
            parameters=self.named_values(),
            device=self.device,
            choices=self.choices,
            constants=self._constants,
            products=self._products,
        )

    def _checkpointed(self, *arguments: Any) -> Any:
        # The noise is a function of the tick, so that torch need not keep the states of its own generators.
        return checkpoint(self._ticks, *arguments, use_reentrant=False, preserve_rng_state=False)

    def _ticks(
        self, context: TorchContext, feed: Mapping[str, Tensor], states: States, count: int
    ) -> tuple[dict[str, list[Tensor]], States, Tensor]:
        """Return the outputs of some ticks, the states after them, and the sum of what products could have reached."""
        states = {key: dict(value) for key, value in states.items()}
        outputs: dict[str, list[Tensor]] = {name: [] for name in self.graph.outputs}
        log_reach = [torch.zeros((), device=self.device)]
        for step in range(count):
            now = replace(context, tick=context.tick + step, log_reach=log_reach)
            # The interpreter is typed for NumPy's arrays; tensors take their place.
            run: Any = run_tick
            values = run(self.graph.order, now, {name: array[step] for name, array in feed.items()}, states)
            for name, op in self.graph.outputs.items():
                value = values[op.x.name]
                outputs[name].append(value.expand(context.batch, *value.shape[1:]))
        return outputs, states, torch.stack([value.to(log_reach[0].dtype) for value in log_reach]).sum()


def _format(graph: Graph) -> DType:
    floats = (value.dtype for op in graph.ops for value in op.results if value.dtype.is_float)
    return next(floats, DType.f64)


def _piece(ticks: int, detach_every: int | None, checkpoint_every: int | None) -> int:
    """Return how many ticks are run at a time. Errors: T404."""
    unrolling = {"detach_every": detach_every, "checkpoint_every": checkpoint_every}
    for name, count in unrolling.items():
        if count is not None and count < 1:
            raise error("T404", f"{name} is a number of ticks >= 1", notes=[f"{name} = {count!r}"])
    length = min(detach_every or ticks, checkpoint_every or ticks)
    if detach_every and checkpoint_every and max(detach_every, checkpoint_every) % length:
        notes = [f"{name} = {count}" for name, count in unrolling.items()]
        raise error("T404", "one of detach_every and checkpoint_every must be a multiple of the other", notes=notes)
    return length


def _detached(states: States) -> States:
    return {key: {name: value.detach() for name, value in state.items()} for key, state in states.items()}
