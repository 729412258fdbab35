"""Epochs, metrics, checkpoints and an early end: the same for every rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from thermoc.learning.training.config import Config
from thermoc.learning.training.datasets import DataSet, LabelledSamples, load_data
from thermoc.learning.training.divergence import DivergenceTrainer
from thermoc.learning.training.saved import (
    BEST,
    CHECKPOINT,
    METRICS,
    MODEL,
    TensorBoardEvents,
    TrainingProgress,
    load,
    save,
    write_metrics,
)
from thermoc.network import Network
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError, error
from thermoc.support.extras import need
from thermoc.support.files import make_folder
from thermoc.support.loading import shown

Watch = Callable[[int, int, Mapping[str, float]], object]
"""Is told of steps behind, steps in all, and an epoch's metrics."""


class Trainer(Protocol):
    """A rule: it trains epoch by epoch, and its state goes on in another process."""

    data: LabelledSamples

    @property
    def steps(self) -> int:
        """Steps so far."""
        ...

    @property
    def state(self) -> dict[str, AnyArray]:
        """All that it goes on from."""
        ...

    def epoch(self, epoch: int, steps: int) -> dict[str, float]:
        """Take so many steps of an epoch; return their metrics."""
        ...

    def validate(self, samples: LabelledSamples) -> dict[str, float]:
        """Return the metrics of samples."""
        ...

    def restore(self, state: Mapping[str, AnyArray], steps: int) -> None:
        """Go on from a state."""
        ...

    def network(self) -> Network:
        """Return the network as it is now."""
        ...


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What came of a training. best_epoch: counted from 1, where the metric was best; the model is that epoch's where
    ``patience`` is given, else the last's. offset, scale: x was trained on as (x - offset) / scale."""

    rule: str
    epochs: int
    steps: int
    early: bool
    metric: str
    best: float | None
    best_epoch: int
    train_samples: int
    metrics: Mapping[str, float]
    test: Mapping[str, float]
    offset: Any
    scale: Any
    model: Path
    folder: Path


def train(config: Config, *, resume: bool = False, overwrite: bool = False, watch: Watch | None = None) -> Summary:
    """Train as a file says; write metrics.csv, training.ckpt and model.thermo into its folder.

    resume: go on from the checkpoint; the bytes at the end are those of a run that was not stopped. The same file,
    data and seed give the same bytes on the same machine. Errors: T302, T402, T403, T420 (no or another checkpoint),
    T422 (the loss is not finite; the last checkpoint stays), T501 to T505, T519.
    """
    _check_folder(config, resume, overwrite)
    data = load_data(config)
    trainer = _trainer(config, data)
    make_folder(config.folder)
    if not resume:
        for name in (CHECKPOINT, METRICS, MODEL):
            (config.folder / name).unlink(missing_ok=True)
    progress = TrainingProgress()
    best: dict[str, AnyArray] = {}
    if resume:
        progress, state = load(config, data.digest)
        best = {name: array for name, array in state.items() if name.startswith(BEST)}
        trainer.restore({name: array for name, array in state.items() if name not in best}, progress.steps)
    run = _Run(config, data, trainer, progress, best)
    events = TensorBoardEvents(config, progress.steps)
    try:
        run.epochs(events, watch)
    except ThermocError as problem:
        raise _kept(problem, config, progress) from None
    finally:
        events.close()
    return run.finish()


class _Run:
    """A training that goes on: what stands in its checkpoint, and how it ends."""

    def __init__(
        self, config: Config, data: DataSet, trainer: Trainer, progress: TrainingProgress, best: dict[str, AnyArray]
    ):
        self.config, self.data, self.trainer, self.progress, self.best = config, data, trainer, progress, best
        self.an_epoch = -(-len(trainer.data) // config.training.batch)
        table = config.training
        self.steps = table.steps or (table.epochs or 0) * self.an_epoch

    @property
    def early(self) -> bool:
        """Whether the metric has not become better for so many epochs."""
        patience = self.config.training.patience
        return patience is not None and self.progress.epoch - self.progress.best_epoch >= patience

    def epochs(self, events: TensorBoardEvents, watch: Watch | None) -> None:
        """Go on until the steps are taken, or patience ends."""
        progress, table = self.progress, self.config.training
        while progress.steps < self.steps and not self.early:
            metrics = self.trainer.epoch(progress.epoch, min(self.an_epoch, self.steps - progress.steps))
            if len(self.data.validation):
                metrics |= {f"validation_{k}": v for k, v in self.trainer.validate(self.data.validation).items()}
            _check_finite(metrics)
            progress.epoch, progress.steps = progress.epoch + 1, self.trainer.steps
            row = {"epoch": progress.epoch, "step": progress.steps, **metrics}
            progress.columns = list(row)
            progress.rows.append(list(row.values()))
            self._note_best(metrics)
            write_metrics(self.config.folder / METRICS, progress)
            events.add(metrics, progress.steps)
            if progress.epoch % table.checkpoint_every == 0 or progress.steps >= self.steps or self.early:
                save(self.config, self.data.digest, progress, {**self.trainer.state, **self.best})
            if watch is not None:
                watch(progress.steps, self.steps, metrics)

    def finish(self) -> Summary:
        """Write the model, and tell what came of it."""
        if self.best:
            state = {name.removeprefix(BEST): array for name, array in self.best.items()}
            self.trainer.restore(state, self.progress.steps)
        model = self.config.folder / MODEL
        self.trainer.network().save(model)
        progress, data = self.progress, self.data
        row = dict(zip(progress.columns, progress.rows[progress.best_epoch - 1 if self.best else -1]))
        return Summary(
            rule=self.config.training.rule,
            epochs=progress.epoch,
            steps=progress.steps,
            early=self.early,
            metric=self.config.metric,
            best=progress.best,
            best_epoch=progress.best_epoch,
            train_samples=len(data.train),
            metrics={name: value for name, value in row.items() if name not in ("epoch", "step")},
            test=self.trainer.validate(data.test) if len(data.test) else {},
            offset=data.offset,
            scale=data.scale,
            model=model,
            folder=self.config.folder,
        )

    def _note_best(self, metrics: Mapping[str, float]) -> None:
        value = metrics.get(f"validation_{self.config.metric}")
        if value is None:
            return
        sign, before = (-1 if self.config.metric == "accuracy" else 1), self.progress.best
        if before is None or sign * value < sign * before:
            self.progress.best, self.progress.best_epoch = value, self.progress.epoch
            if self.config.training.patience is not None:
                self.best = {f"{BEST}{name}": array for name, array in self.trainer.state.items()}


def _trainer(config: Config, data: DataSet) -> Trainer:
    patience = config.training.patience
    if patience is not None and not len(data.validation):
        hint = "validation = 0.15 in [data]"
        raise config.source.wrong("training", "patience", "patience needs validation samples", hint=hint)
    if config.metric == "accuracy" and config.loss.task != "cross_entropy":
        raise config.source.wrong(
            "training", "metric", "accuracy is that of labels", notes=[f"task = {config.loss.task!r}"]
        )
    if config.training.rule == "contrastive_divergence":
        return DivergenceTrainer(config, data)
    need("torch", "learn", "gradients")
    from thermoc.learning.training.gradient import GradientTrainer

    return GradientTrainer(config, data)


def _check_finite(metrics: Mapping[str, float]) -> None:
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise error("T422", "training diverges", notes=[f"{name} is {value}"], hint="take a smaller learning_rate")


def _check_folder(config: Config, resume: bool, overwrite: bool) -> None:
    path = config.folder / CHECKPOINT
    if resume and not path.is_file():
        notes = [f"{shown(path)} is not there"]
        raise error("T420", "there is no training to resume", notes=notes, hint="leave --resume away")
    if path.exists() and not resume and not overwrite:
        hint = "--resume goes on with it, --overwrite begins anew"
        raise error("T420", f"{shown(config.folder)} holds a training", notes=[f"{CHECKPOINT} is there"], hint=hint)


def _kept(problem: ThermocError, config: Config, progress: TrainingProgress) -> ThermocError:
    """Say of a training that diverges which checkpoint is left."""
    if problem.code != "T422":
        return problem
    path = config.folder / CHECKPOINT
    advice = f"the last good checkpoint is {shown(path)}" if path.is_file() else "there is no checkpoint yet"
    notes = f"epoch {progress.epoch + 1}", advice
    return ThermocError([replace(finding, notes=(*finding.notes, *notes)) for finding in problem.findings])
