"""Modules of torch by tc.from_torch: the numbers of the module itself; what is refused, by operator, place and line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.support.errors import ThermocError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

BATCH = 7
BOUND = 2e-5
"""Of a float32's rounding in sums of some hundred terms of size 1."""


class Of(nn.Module):
    """A function and the modules that it uses."""

    def __init__(self, f: Callable[..., Any], *modules: nn.Module):
        super().__init__()
        self.f, self.parts = f, nn.ModuleList(modules)

    def forward(self, x, y=None):
        return self.f(x, *self.parts) if y is None else self.f(x, y, *self.parts)


def draw(*shape: int) -> Any:
    return torch.randn(BATCH, *shape)


def activations(x):
    return [
        f(x)
        for f in (
            F.elu, F.selu, F.celu, F.hardswish, F.hardsigmoid, F.mish, F.softplus, F.softsign, F.logsigmoid,
            F.leaky_relu, F.relu6, F.hardtanh, F.tanhshrink, F.softshrink, F.hardshrink, F.gelu, F.silu, F.glu,
            torch.expm1, torch.erf, torch.sinh, torch.atan, lambda v: F.threshold(v, 0.1, -1.0),
            lambda v: F.gelu(v, approximate="tanh"), lambda v: F.log_softmax(v, -1),
        )
    ]  # fmt: skip


def arithmetic(x, y):
    return (
        x / y, x // y, x % y, torch.fmod(x, y), x**2, 2**x, torch.rsqrt(x * x + 1), x.clamp(-1, 1), torch.maximum(x, y),
        torch.where(x > y, x, y), (x > y) & (y > 0), x.sum(1), x.mean((1,)), x.amax(-1), x.var(1), x.std(1, keepdim=True),
        x.argmax(1), x.cumsum(1), x.norm(dim=1), torch.logsumexp(x, 1), torch.topk(x, 2).values, torch.atan2(x, y),
        torch.log1p(x.abs()), x.prod(1), x.any(1), torch.remainder(x, 2), torch.trunc(x * 3), 1 - x, x.max(1).values,
    )  # fmt: skip


def shapes(x):
    written = torch.zeros_like(x)
    written[:, 1:] = x[:, :-1]
    written[:, 0] += 1
    return (
        x.transpose(1, 2), x[:, 1:], x[:, 0], x[..., -1], x.reshape(x.shape[0], -1), x.repeat(1, 2, 1),
        torch.stack([x, x], 1), x.chunk(2, 2)[1], x.split([1, 2], 1)[0], F.pad(x, (1, 2)), F.pad(x, (1, 1), mode="reflect"),
        x.unbind(1)[2], torch.tril(x), x.masked_fill(x > 0, 0.0), x[:, [0, 2]], x.flip(1), x.roll(1, 1), written,
        torch.cat([x, torch.zeros(x.shape[0], 1, 4)], 1), x.permute(2, 0, 1).permute(1, 2, 0),
    )  # fmt: skip


def images(x):
    return (
        F.interpolate(x, scale_factor=2), F.interpolate(x, scale_factor=2, mode="bilinear"), F.instance_norm(x),
        F.interpolate(x, size=(6, 6), mode="bilinear", align_corners=True), F.pixel_shuffle(x, 2), F.pixel_unshuffle(x, 2),
        F.max_pool2d(x, 3, 2, 1, ceil_mode=True), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        F.local_response_norm(x, 2),
    )  # fmt: skip


MODULES: dict[str, Callable[[], tuple[nn.Module, Any]]] = {
    "dense": lambda: (nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(-1)), draw(4)),
    "double": lambda: (nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double(), draw(4).double()),
    "images": lambda: (
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, 2, groups=2),
            nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(6, 3),
        ),
        draw(1, 8, 8),
    ),
    "lines": lambda: (
        nn.Sequential(
            nn.Conv1d(2, 4, 3, padding="same"), nn.GroupNorm(2, 4), nn.SiLU(), nn.AvgPool1d(2), nn.ConvTranspose1d(4, 2, 3, 2)
        ),
        draw(2, 8),
    ),
    "residual": lambda: (Of(lambda x, a, b: F.relu(a(x) + b(x)), nn.Conv2d(2, 4, 3, 1, 1), nn.Conv2d(2, 4, 1)), draw(2, 6, 6)),
    "rnn": lambda: (nn.RNN(3, 4, 2, batch_first=True), draw(5, 3)),
    "gru": lambda: (nn.GRU(3, 4, bidirectional=True, batch_first=True), draw(5, 3)),
    "lstm": lambda: (nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), draw(5, 3)),
    "attention": lambda: (Of(lambda x, a: a(x, x, x)[0], nn.MultiheadAttention(8, 2, batch_first=True)), draw(5, 8)),
    "encoder": lambda: (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), draw(5, 8)),
    "causal": lambda: (Of(lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True)), draw(2, 5, 8)),
    "embedding": lambda: (nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2)), torch.randint(0, 10, (BATCH, 5))),
    "activations": lambda: (Of(activations), draw(4)),
    "arithmetic": lambda: (Of(arithmetic), (draw(4), draw(4))),
    "shapes": lambda: (Of(shapes), draw(3, 4)),
    "space": lambda: (Of(images), draw(4, 4, 4)),
}  # fmt: skip


def flat(value: Any) -> list[np.ndarray]:
    if isinstance(value, torch.Tensor):
        return [value.detach().numpy()]
    return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in flat(item)]


@pytest.mark.parametrize("name", MODULES)
def test_the_network_gives_the_modules_numbers(name: str):
    torch.manual_seed(3)
    module, example = MODULES[name]()
    if name == "images":
        module[1].running_mean.uniform_(-1, 1)
        module[1].running_var.uniform_(0.5, 2)
    module.eval()
    given = example if isinstance(example, tuple) else (example,)
    # Another length of the batch than the example's.
    net = tc.from_torch(module, tuple(x[:3] for x in given))
    found = interpret(net.graph, feed(net.graph, dict(zip(net.graph.inputs, (x.numpy() for x in given))))).outputs
    expected = flat(module(*given))
    assert len(found) == len(expected)
    for y, wanted in zip(found.values(), expected):
        # Outputs whose batch is not in front have it there here.
        wanted = wanted if wanted.shape[0] == BATCH else np.moveaxis(wanted, wanted.shape.index(BATCH), 0)
        np.testing.assert_allclose(
            np.asarray(y[0], float), np.asarray(wanted, float), atol=1e-12 if name == "double" else BOUND, rtol=BOUND
        )
    parameters = {key: value.detach().numpy() for key, value in module.named_parameters()}
    held = {key.removeprefix("n") if key[1:2].isdigit() else key: value for key, value in net.parameters.items()}
    assert set(held) <= set(parameters)
    for key, value in held.items():
        np.testing.assert_array_equal(value, parameters[key])


def test_parameters_can_be_replaced_and_left_out():
    module, x = nn.Sequential(nn.Linear(3, 2)).eval(), torch.randn(2, 3)
    net = tc.from_torch(module, x)
    assert list(net.parameters) == ["n0.weight", "n0.bias"]
    changed = net.with_parameters({"n0.bias": np.array([5.0, 6.0], np.float32)})
    (name,) = net.graph.inputs
    found = interpret(changed.graph, feed(changed.graph, {name: x.numpy()})).outputs["y"][0]
    np.testing.assert_allclose(found, x.numpy() @ module[0].weight.detach().numpy().T + [5.0, 6.0], atol=1e-6)
    assert not tc.from_torch(module, x, parameters=False).parameters


def test_a_module_in_training_is_read_in_evaluation_and_left_as_it_was():
    module = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.9)).train()
    net = tc.from_torch(module, torch.randn(2, 3), name="mine", dt=0.5)
    assert module.training and module[1].training and (net.name, net.graph.dt) == ("mine", 0.5)
    assert "in evaluation" in str(net.repairs[0])


def test_a_batch_that_is_not_in_front_and_none():
    torch.manual_seed(0)
    module, x = nn.GRU(3, 4), torch.randn(5, 2, 3)
    net = tc.from_torch(module, x, batch=1)
    found = interpret(net.graph, feed(net.graph, {"input": x.numpy().swapaxes(0, 1)})).outputs["y0"][0]
    np.testing.assert_allclose(found.swapaxes(0, 1), module(x)[0].detach().numpy(), atol=1e-6)
    whole = tc.from_torch(Of(lambda v: v.sum()), torch.arange(4.0), batch=None)
    assert whole.graph.outputs["y"].x.shape == ()


def branches(x):
    if x.sum() > 0:
        return x
    return -x


def counted(x, unit):
    unit.running_mean += 1
    return x + unit.running_mean


REFUSED: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a branch on data": (lambda: (Of(branches), torch.randn(2, 3)), "T507", "depends on data"),
    "an operator": (lambda: (Of(torch.fft.rfft), torch.randn(2, 4)), "T507", "this operator is not read"),
    "its line": (lambda: (Of(lambda x: torch.special.bessel_j0(x)), torch.randn(2, 4)), "T507", "test_torch.py:"),
    "a buffer that is written": (lambda: (Of(counted, nn.BatchNorm1d(3)), torch.randn(2, 3)), "T507", "running_mean"),
    "the batch's statistics": (
        lambda: (nn.BatchNorm1d(3, track_running_stats=False), torch.randn(2, 3)), "T507", "samples of a network never meet"
    ),
    "samples that meet": (lambda: (Of(lambda x: x.sum(0)), torch.randn(2, 3)), "T508", "batch"),
    "an example of another shape": (lambda: (nn.Linear(3, 2), torch.randn(2, 4)), "T508", "the example has shape [2, 4]"),
    "half precision": (lambda: (nn.Linear(3, 2).bfloat16(), torch.randn(2, 3).bfloat16()), "T507", "bfloat16"),
    "no tensor": (lambda: (nn.Linear(3, 2), np.ones((2, 3))), "T303", "an example is a tensor"),
    "no module": (lambda: (lambda x: x, torch.randn(2, 3)), "T303", "takes a torch.nn.Module"),
    "no axis": (lambda: (nn.Linear(3, 2), torch.randn(2, 3), {"batch": 4}), "T303", "batch = 4"),
    "no time": (lambda: (nn.Linear(3, 2), torch.randn(2, 3), {"dt": 0}), "T303", "dt = 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_by_name_and_place(name: str):
    make, code, fact = REFUSED[name]
    module, example, *options = make()
    with pytest.raises(ThermocError) as caught:
        tc.from_torch(module.eval() if isinstance(module, nn.Module) else module, example, **(options or [{}])[0])
    assert caught.value.code == code and fact in str(caught.value), caught.value


def test_missing_torch(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ThermocError, match=r"thermoc\[learn\]") as caught:
        tc.from_torch(nn.Linear(2, 2), torch.randn(1, 2))
    assert caught.value.code == "T510"
