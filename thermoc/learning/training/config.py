"""What a training file says: its tables as records, and what must agree between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from thermoc.layers import ACTIVATIONS
from thermoc.support.suggestions import near
from thermoc.support.toml_tables import TomlFile

CODE = "T519"
RULES = ("gradient", "contrastive_divergence")
SCALINGS = ("none", "unit", "standard")
METRICS = {
    "gradient": ("loss", "accuracy"),
    "contrastive_divergence": ("reconstruction",),
}
"""What early stopping may look at, by rule; the first is the default."""


OF_TARGET = ("target", "target_options", "calibrate")
OF_VARIATION = ("input_noise", "shift", "image", "learning_rate_decay")
OF_GRADIENT = ("steps", "optimiser", "precision", "ticks", *OF_TARGET, *OF_VARIATION)
OF_DIVERGENCE = ("k", "persistent", "chains", "temperature_rate")
FOREIGN: Mapping[str, list[tuple[str, str]]] = {
    "gradient": [("network", "hidden"), *(("training", key) for key in OF_DIVERGENCE)],
    "contrastive_divergence": [
        *(("network", key) for key in ("feed_forward", "activations", "train_temperatures", "input", "output")),
        *(("training", key) for key in OF_GRADIENT),
    ],
}
"""Keys that a rule has no use for."""
MOST = 1e6
"""Of a rate: larger ones overflow in the optimiser."""


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """Samples: ``file`` (.npz), ``folder`` (train/x.npy, ...) or ``sklearn`` (a set's name).

    x, y: the arrays' names. validation, test: shares that are held out. scaling: "none", "unit" (the training data's
    least and greatest number become 0 and 1), "standard" (mean 0 and spread 1 of each feature).
    """

    file: str | None = None
    folder: str | None = None
    sklearn: str | None = None
    x: str = "x"
    y: str = "y"
    validation: float = 0.15
    test: float = 0.15
    scaling: str = "none"


@dataclass(frozen=True, kw_only=True)
class NetworkTable:
    """``file`` (.thermo), or ``feed_forward`` sizes of layers with ``activations`` and temperatures ``T``, or
    ``hidden`` units of a restricted Boltzmann machine at one T.

    train_temperatures: T of each layer is a parameter (layer0.T, ...). probes: layers become outputs NAME.F, NAME.U and
    NAME.S. input, output: names, where a file has several.
    """

    file: str | None = None
    feed_forward: tuple[int, ...] | None = None
    activations: tuple[str, ...] | None = None
    T: tuple[float, ...] | float | None = None
    train_temperatures: bool = False
    hidden: int | None = None
    input: str | None = None
    output: str | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingTable:
    """How it is trained; see docs/learning.md, "From the shell"."""

    rule: str = "gradient"
    epochs: int | None = None
    steps: int | None = None
    batch: int = 128
    learning_rate: float | None = None
    momentum: float = 0.0
    weight_decay: float = 0.0
    optimiser: str = "adam"
    precision: str = "float32"
    ticks: int = 1
    seed: int = 0
    metric: str | None = None
    patience: int | None = None
    checkpoint_every: int = 1
    target: str | None = None
    target_options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    calibrate: int | None = None
    input_noise: float = 0.0
    shift: float = 0.0
    image: tuple[int, ...] | None = None
    learning_rate_decay: str = "none"
    k: int = 1
    persistent: bool = False
    chains: int | None = None
    temperature_rate: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LossTable:
    """weight * task + sum of free_energy[layer] * F(layer) (P35) + temperature * sum |T - targets[name]| (P24) +
    reach * (how far products could reach above what they do, for the converters of a chip).

    task: "cross_entropy" or "mse". output: what the network's output is, "probabilities" or "scores" (default:
    probabilities where a Boltzmann activation gives them).
    """

    task: str = "cross_entropy"
    weight: float = 1.0
    output: str | None = None
    free_energy: Mapping[str, float] = field(default_factory=dict[str, float])
    temperature: float = 0.0
    temperature_targets: Mapping[str, float] = field(default_factory=dict[str, float])
    reach: float = 0.0


@dataclass(frozen=True, kw_only=True)
class OutputTable:
    """folder: where the checkpoint, metrics and the model go. tensorboard: also events, with tensorboardX."""

    folder: str
    tensorboard: bool = True


@dataclass(frozen=True, kw_only=True)
class Config:
    """A training file: paths in it are seen from its own folder."""

    source: TomlFile
    data: DataTable
    network: NetworkTable
    training: TrainingTable
    loss: LossTable
    output: OutputTable

    def path(self, name: str) -> Path:
        """Return a path of the file as one from the working folder."""
        return self.source.path.parent / name

    @property
    def folder(self) -> Path:
        """The folder of the results."""
        return self.path(self.output.folder)

    @property
    def metric(self) -> str:
        """What early stopping looks at."""
        return self.training.metric or METRICS[self.training.rule][0]

    @property
    def decisive(self) -> dict[str, Any]:
        """All that a run's bytes depend on, but how long it goes on; a rate that falls depends on that too."""
        training = replace(self.training, checkpoint_every=1)
        if training.learning_rate_decay == "none":
            training = replace(training, epochs=None, steps=None)
        tables = {"data": self.data, "network": self.network, "training": training, "loss": self.loss}
        return {f"{table}.{key}": value for table, record in tables.items() for key, value in asdict(record).items()}


def read_config(path: Path) -> Config:
    """Read a training file. Errors: T501, T504, T519 (its line, what is wrong, the cure)."""
    source = TomlFile.read(path, CODE)
    kinds = {"data": DataTable, "network": NetworkTable, "training": TrainingTable, "loss": LossTable}
    source.check_tables([*kinds, "output"])
    config = Config(source=source, output=source.table("output", OutputTable), **_tables(source, kinds))
    _check_choices(config)
    _check_unused(config)
    _check_sources(config)
    _check_numbers(config)
    _check_network(config)
    return config


def _tables(source: TomlFile, kinds: Mapping[str, type[Any]]) -> dict[str, Any]:
    return {name: source.table(name, kind) for name, kind in kinds.items()}


def _check_sources(config: Config) -> None:
    """Data, network and length are each said once."""
    wrong, rbm = config.source.wrong, config.training.rule == "contrastive_divergence"
    choices = {
        "data": ("file", "folder", "sklearn"),
        "network": ("file", "hidden" if rbm else "feed_forward"),
        "training": ("epochs", "steps"),
    }
    for table, names in choices.items():
        stated = [name for name in names if getattr(getattr(config, table), name) is not None]
        if len(stated) != 1:
            facts = [f"it has {' and '.join(stated) or 'none of them'}"]
            raise wrong(table, (*stated, "")[-1], f"it takes one of {', '.join(names)}", notes=facts)


def _check_unused(config: Config) -> None:
    """Refuse keys that would be read and then do nothing."""
    rule, tables = config.training.rule, config.source.tables
    unused = [(table, key) for table, key in FOREIGN[rule] if key in tables.get(table, {})]
    if rule == "contrastive_divergence":
        unused += [("loss", key) for key in tables.get("loss", {})]
    for table, key in unused:
        raise config.source.wrong(table, key, f"{key} is not for rule {rule!r}", hint=f"leave {key} away")
    if config.training.momentum and config.training.optimiser == "adam" and rule == "gradient":
        hint = 'optimiser = "sgd"'
        raise config.source.wrong("training", "momentum", "optimiser adam takes no momentum", hint=hint)
    if config.loss.reach > 0 and config.training.target != "chip":
        hint = 'target = "chip" in [training]'
        raise config.source.wrong("loss", "reach", "reach is for the converters of a chip", hint=hint)
    if config.training.image is not None and not config.training.shift:
        hint = "shift = 0.5 moves images by up to half a pixel"
        raise config.source.wrong("training", "image", "image is for shift alone", hint=hint)
    for key in ("activations", "T", "train_temperatures"):
        if config.network.file is not None and key in tables["network"]:
            notes = ["the network is that of a file"]
            raise config.source.wrong("network", key, f"{key} is for layers that are made", notes=notes)


def _check_choices(config: Config) -> None:
    choices: list[tuple[str, str, tuple[str, ...]]] = [
        ("data", "scaling", SCALINGS),
        ("training", "rule", RULES),
        ("training", "optimiser", ("adam", "sgd")),
        ("training", "precision", ("float32", "float64")),
        ("training", "target", ("chip", "lava")),
        ("training", "learning_rate_decay", ("none", "cosine")),
        ("loss", "task", ("cross_entropy", "mse")),
        ("loss", "output", ("probabilities", "scores")),
    ]
    if config.training.rule in RULES:
        choices.append(("training", "metric", METRICS[config.training.rule]))
    for table, key, names in choices:
        value = getattr(getattr(config, table), key)
        if value is not None and value not in names:
            notes = [f"{key} = {value!r}", f"there are {', '.join(names)}"]
            raise config.source.wrong(table, key, f"there is no such {key}", notes=notes, hint=near(value, names))


def _check_numbers(config: Config) -> None:
    counts = ("epochs", "steps", "batch", "ticks", "patience", "checkpoint_every", "calibrate", "k", "chains")
    rates = ("learning_rate", "weight_decay", "temperature_rate")
    checks: list[tuple[str, str, Callable[[Any], bool], str]] = [
        *(("training", key, lambda v: v >= 1, ">= 1") for key in counts),
        *(("data", key, lambda v: 0 <= v < 1, "from 0 to below 1") for key in ("validation", "test")),
        *(("training", key, lambda v: 0 <= v <= MOST, f"from 0 to {MOST:g}") for key in rates),
        *(("training", key, lambda v: 0 <= v <= MOST, f"from 0 to {MOST:g}") for key in ("input_noise", "shift")),
        ("training", "image", lambda v: len(v) == 2 and min(v) >= 1, "rows and columns, each >= 1"),
        ("loss", "reach", lambda v: 0 <= v <= MOST, f"from 0 to {MOST:g}"),
        ("training", "momentum", lambda v: 0 <= v < 1, "from 0 to below 1"),
        ("training", "seed", lambda v: 0 <= v < 2**64, "from 0 to below 2^64"),
    ]
    for table, key, holds, what in checks:
        value = getattr(getattr(config, table), key)
        if value is not None and not holds(value):
            notes = [f"{key} = {value!r}", f"it is to be {what}"]
            raise config.source.wrong(table, key, f"{key} is out of range", notes=notes)
    if config.data.validation + config.data.test >= 1:
        notes = [f"validation = {config.data.validation}", f"test = {config.data.test}"]
        raise config.source.wrong("data", "validation", "nothing is left to train with", notes=notes)


def _check_network(config: Config) -> None:
    network, wrong = config.network, config.source.wrong
    temperatures = network.T if isinstance(network.T, tuple) else [network.T or 1.0]
    if any(T <= 0 for T in temperatures) or network.T == 0:
        raise wrong("network", "T", "temperatures are > 0", notes=[f"T = {network.T}"])
    sizes = [network.hidden or 1, *(network.feed_forward or [1])]
    if min(sizes) < 1 or network.feed_forward == ():
        key = "hidden" if (network.hidden or 1) < 1 else "feed_forward"
        raise wrong("network", key, "layers have one unit or more", notes=[f"{key} = {getattr(network, key)}"])
    layers = len(network.feed_forward or ())
    for key in ("activations", "T"):
        value = getattr(network, key)
        if layers and isinstance(value, tuple) and len(value) != layers:
            raise wrong("network", key, f"{key} has {len(value)} items", notes=[f"there are {layers} layers"])
    for name in network.activations or ():
        if name not in (*ACTIVATIONS, "none"):
            notes = [f"there are {', '.join(ACTIVATIONS)}, none"]
            hint = near(name, (*ACTIVATIONS, "none"))
            raise wrong("network", "activations", f"there is no activation {name!r}", notes=notes, hint=hint)
