"""An epoch of CD-1, 784 x 500, batch 128, one thread (goals: 5 of scikit-learn, 1.5 of torch).

Bits as data, learning rate alone; scikit-learn keeps its chains (persistent CD, whose step has the same products) and
computes in the format of its data, float64 unless told; torch and ours in float32. torch draws by comparing uniforms
with the means, which is faster than ``bernoulli``. Rounds alternate, and the best of each counts. "numbers" is ours
with data between 0 and 1, whose two products are products of matrices.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import sys
import time
from collections.abc import Callable

import numpy as np
from timing import report, show

QUICK = "--quick" in sys.argv
VISIBLE, HIDDEN, BATCH, STEPS, ROUNDS = 784, 500, 128, 5 if QUICK else 40, 5 if QUICK else 15
RATE = 0.01


def data() -> np.ndarray:
    """Return samples of bits, a fifth of them 1."""
    return (np.random.default_rng(0).random((STEPS * BATCH, VISIBLE)) < 0.2).astype(np.float32)


def ours(samples: np.ndarray) -> Callable[[], object]:
    """Return an epoch of thermoc."""
    from thermoc.learning.contrastive_divergence import CDOptions, ContrastiveDivergence
    from thermoc.learning.machines import RestrictedBoltzmannMachine

    W = 0.01 * np.random.default_rng(1).normal(size=(VISIBLE, HIDDEN))
    machine = RestrictedBoltzmannMachine(W, np.zeros(VISIBLE), np.zeros(HIDDEN))
    trainer = ContrastiveDivergence(machine, CDOptions(batch=BATCH, rate=RATE), seed=1)
    return lambda: trainer.epoch(samples)


def scikit_learn(samples: np.ndarray) -> Callable[[], object]:
    """Return an epoch of scikit-learn, in the format of the samples. Raises ImportError."""
    from sklearn.neural_network import BernoulliRBM

    # partial_fit would leave weights in float64 whatever the samples are; what fit begins with takes a hundredth
    model = BernoulliRBM(n_components=HIDDEN, batch_size=BATCH, learning_rate=RATE, n_iter=1, random_state=0)
    return lambda: model.fit(samples)


def torch_epoch(samples: np.ndarray) -> Callable[[], object]:
    """Return an epoch in torch. Raises ImportError."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    x, W = torch.from_numpy(samples), 0.01 * torch.randn(VISIBLE, HIDDEN)
    b, c = torch.zeros(VISIBLE), torch.zeros(HIDDEN)

    def drawn(means: torch.Tensor) -> torch.Tensor:
        return (torch.rand(means.shape) < means).float()

    def epoch() -> None:
        for start in range(0, len(x), BATCH):
            v0 = x[start : start + BATCH]
            h0 = torch.sigmoid(torch.addmm(c, v0, W))
            v1 = drawn(torch.sigmoid(torch.addmm(b, drawn(h0), W.T)))
            h1 = torch.sigmoid(torch.addmm(c, v1, W))
            W.addmm_(v0.T, h0, alpha=RATE / BATCH).addmm_(v1.T, h1, alpha=-RATE / BATCH)
            b.add_((v0 - v1).mean(0), alpha=RATE)
            c.add_((h0 - h1).mean(0), alpha=RATE)

    return epoch


def measured(ways: dict[str, Callable[[], Callable[[], object]]]) -> dict[str, float]:
    """Return the best time of an epoch of each way that is installed."""
    epochs: dict[str, Callable[[], object]] = {}
    for name, make in ways.items():
        try:
            epochs[name] = make()
        except ImportError:
            print(f"{name} is not installed: left out", file=sys.stderr)
    best = dict.fromkeys(epochs, np.inf)
    for turn in range(ROUNDS + 1):
        for name, epoch in epochs.items():
            start = time.perf_counter()
            epoch()
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Print a row a way."""
    bits = data()
    numbers = np.clip(0.9 * bits + 0.05, 0, 1).astype(np.float32)
    best = measured(
        {
            "ours": lambda: ours(bits),
            "ours, numbers": lambda: ours(numbers),
            "scikit-learn, float64": lambda: scikit_learn(bits.astype(float)),
            "scikit-learn, float32": lambda: scikit_learn(bits),
            "torch, float32": lambda: torch_epoch(bits),
        }
    )
    rows = [
        {"way": name, "ms a step": 1e3 * each / STEPS, "over ours": each / best["ours"]} for name, each in best.items()
    ]
    show(f"CD-1, {VISIBLE} x {HIDDEN}, batch {BATCH}, one thread", rows)
    goals = {"scikit-learn, float64": 5.0, "scikit-learn, float32": float("nan"), "torch, float32": 1.5}
    work = f"CD-1 of {VISIBLE} x {HIDDEN}, batch {BATCH}: epochs in its time of one"
    report(
        [
            {"work": work, "anchor": name, "ratio": best[name] / best["ours"], "goal": goal, "better": "higher"}
            for name, goal in goals.items()
            if name in best
        ]
    )


if __name__ == "__main__":
    main()
