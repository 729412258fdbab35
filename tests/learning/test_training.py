"""Training from a file: the same bytes again, resumed and at another time; hardware, losses, mistakes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning.training import read_config, train
from thermoc.learning.training.datasets import load_data
from thermoc.learning.training.saved import CHECKPOINT
from thermoc.learning.training.variation import Variation, moved

FILES = ("model.thermo", "metrics.csv", CHECKPOINT)
NETWORK = 'feed_forward = [6, 3]\nactivations = ["thermal_relu", "boltzmann"]\nT = [0.05, 0.5]'
MACHINE = "hidden = 5"
DIVERGENCE = 'rule = "contrastive_divergence"\npersistent = true\nmomentum = 0.5'


@pytest.fixture(autouse=True)
def torch_installed():
    pytest.importorskip("torch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 120)
    x = (rng.random((120, 8)) < 0.1 + 0.8 * (np.arange(8) % 3 == y[:, None])).astype(float)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    return tmp_path


def written(folder: Path, name: str = "run", **tables: str) -> Path:
    texts = {
        "data": 'file = "data.npz"',
        "network": NETWORK,
        "training": "epochs = 4\nbatch = 16\nlearning_rate = 0.02",
        "loss": "",
        "output": f'folder = "{name}"\ntensorboard = false',
    }
    path = folder / f"{name}.toml"
    path.write_text("\n".join(f"[{table}]\n{tables.get(table, text)}" for table, text in texts.items()))
    return path


def run(path: Path, **keywords: Any):
    return train(read_config(path), **keywords)


def contents(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in FILES]


class Stop:
    """Ctrl-C after some epochs."""

    def __init__(self, epochs: int):
        self._left = epochs

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt


NOISY = NETWORK.replace("thermal_relu", "binary")
VARIED = 'input_noise = 0.1\nshift = 0.7\nimage = [2, 4]\nlearning_rate_decay = "cosine"'
ADAM = "batch = 16\nlearning_rate = 0.02\npatience = 3"
SGD = 'batch = 16\nlearning_rate = 0.5\noptimiser = "sgd"\nmomentum = 0.9\ntarget = "chip"\ncalibrate = 40'
CASES = {
    "adam, noise": (NOISY, ADAM),
    "sgd, chip": (NETWORK, SGD),
    "varied samples": (NETWORK, f"batch = 16\nlearning_rate = 0.02\n{VARIED}"),
    "contrastive divergence": (MACHINE, DIVERGENCE + "\nbatch = 16\npatience = 5"),
}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.slow if case in ("adam, noise", "sgd, chip") else []) for case in CASES],
)
def test_stopped_and_resumed_it_gives_the_same_bytes(folder: Path, case: str):
    network, training = CASES[case]
    tables = {"network": network, "training": f"{training}\nepochs = 5\ncheckpoint_every = 2\nseed = 3"}
    whole, again, stopped = (written(folder, name, **tables) for name in ("whole", "again", "stopped"))
    run(whole)
    run(again)
    assert contents(folder / "whole") == contents(folder / "again")
    with pytest.raises(KeyboardInterrupt):
        run(stopped, watch=Stop(3))  # the third epoch is in the metrics, not in the checkpoint
    assert not (folder / "stopped" / "model.thermo").exists()
    summary = run(stopped, resume=True)
    assert contents(folder / "whole") == contents(folder / "stopped")
    assert summary.epochs == 5
    other = written(folder, "other", **{**tables, "training": tables["training"].replace("seed = 3", "seed = 4")})
    run(other)
    assert contents(folder / "whole")[0] != contents(folder / "other")[0], "the seed is without effect"


def test_what_is_trained_is_what_is_saved(folder: Path):
    summary = run(written(folder, training="epochs = 20\nbatch = 16\nlearning_rate = 0.02"))
    assert summary.metrics["train_loss"] < 0.3 and summary.test["accuracy"] > 0.8
    with np.load(folder / "data.npz") as data:
        p = tc.compile(tc.load(summary.model)).run({"x": data["x"]})["y"][0]
        assert np.mean(p.argmax(axis=1) == data["y"]) > 0.9
    rows = (folder / "run" / "metrics.csv").read_text().splitlines()
    assert rows[0] == "epoch,step,train_loss,validation_loss,validation_accuracy" and len(rows) == 21
    assert rows[-1].startswith("20,120,")  # 84 samples in batches of 16


@pytest.mark.parametrize("key", ["input_noise = 0.1", "shift = 0.5\nimage = [2, 4]"])
def test_samples_are_varied_while_training_alone(folder: Path, key: str):
    training = "epochs = 1\nbatch = 16\nlearning_rate = 0.0"
    plain = run(written(folder, "plain", training=training))
    varied = run(written(folder, "varied", training=f"{training}\n{key}"))
    assert plain.metrics["train_loss"] != varied.metrics["train_loss"]
    assert plain.metrics["validation_loss"] == varied.metrics["validation_loss"] and plain.test == varied.test


def test_images_move_by_parts_of_a_pixel():
    image = np.arange(1.0, 7.0).reshape(1, 1, 3, 2)
    one_down = np.array([[0, 0], [1, 2], [3, 4]])
    assert (moved(image, np.array([1.0]))[0, 0] == one_down).all()
    assert (moved(image, np.array([0.25]))[0, 0] == 0.75 * image[0, 0] + 0.25 * one_down).all()
    assert (moved(image, np.array([-1.0]))[0, 0] == [[3, 4], [5, 6], [0, 0]]).all()
    assert (moved(image, np.array([7.0])) == 0).all()


def test_noise_and_moves_have_the_size_that_is_asked_for(folder: Path):
    """Of 64,000 normals the spread is within 5 SE (fails once in 10^6); the moves fill their range."""
    noisy = Variation(read_config(written(folder, training="steps = 1\ninput_noise = 0.3")), (8,))
    noise = noisy(np.zeros((8000, 8)), 0)
    assert abs(noise.std() - 0.3) < 5 * 0.3 / np.sqrt(2 * noise.size) and abs(noise.mean()) < 5 * 0.3 / 250
    assert (noisy(np.zeros((8000, 8)), 0) == noise).all() and (noisy(np.zeros((8000, 8)), 1) != noise).all()
    config = read_config(written(folder, training="steps = 1\nshift = 1.5\nimage = [7, 7]"))
    dots = np.zeros((500, 7, 7))
    dots[:, 3, 3] = 1
    images = Variation(config, (49,))(dots.reshape(500, 49), 0).reshape(dots.shape)
    for axis in (1, 2):
        far = (images.sum(axis=3 - axis) * np.arange(7)).sum(axis=1) - 3
        assert -1.5 < far.min() < -1.4 and 1.4 < far.max() < 1.5 and abs(far.mean()) < 5 * 1.5 / np.sqrt(1500)


def test_the_rate_falls_by_a_cosine(folder: Path):
    training = 'epochs = 4\nbatch = 16\nlearning_rate = 0.02\nlearning_rate_decay = "cosine"'
    loss = 'weight = 0\ntemperature = 1.0\ntemperature_targets = { "layer1.T" = 2.0 }'
    tables = {"network": f"{NETWORK}\ntrain_temperatures = true", "loss": loss}
    pulled = run(written(folder, training=training, **tables))
    # Adam moves by its rate; the mean of (1 + cos) / 2 at 24 steps is 12.5 / 24
    assert abs(float(tc.load(pulled.model).parameters["layer1.T"]) - (0.5 + 12.5 * 0.02)) < 1e-3
    with pytest.raises(tc.ThermocError, match=r"training\.epochs: 4 in the checkpoint, 6 now") as caught:
        run(written(folder, training=training.replace("4", "6"), **tables), resume=True)
    assert caught.value.code == "T420"


def test_patience_ends_it_and_keeps_the_best(folder: Path):
    training = "epochs = 60\nbatch = 16\nlearning_rate = 0.1\npatience = 3"
    summary = run(written(folder, training=training))
    assert summary.early and summary.epochs == summary.best_epoch + 3
    assert summary.metrics["validation_loss"] == summary.best
    best = written(folder, "best", training=training.replace("60", str(summary.best_epoch)))
    assert run(best).model.read_bytes() == summary.model.read_bytes()
    stopped = written(folder, "stopped", training=training)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, watch=Stop(summary.best_epoch + 1))
    run(stopped, resume=True)
    assert contents(folder / "run") == contents(folder / "stopped"), "the best weights are in the checkpoint"


def test_free_energy_and_temperatures_are_losses(folder: Path):
    plain = run(written(folder, "plain", network=f"{NETWORK}\ntrain_temperatures = true"))
    loss = 'weight = 0\ntemperature = 1.0\ntemperature_targets = { "layer1.T" = 2.0 }'
    pulled = run(written(folder, "pulled", network=f"{NETWORK}\ntrain_temperatures = true", loss=loss))
    T = [float(tc.load(summary.model).parameters["layer1.T"]) for summary in (plain, pulled)]
    assert abs(T[1] - (0.5 + 24 * 0.02)) < 1e-3, "Adam moves by its rate, 24 times, whatever the slope's size"
    assert abs(T[0] - T[1]) > 0.1
    F = []
    for weight in (0.0, 1.0):
        name = f"F{weight:.0f}"
        summary = run(written(folder, name, loss=f"weight = 0\nfree_energy = {{ layer0 = {weight} }}"))
        x = np.ones((1, 8))
        F.append(float(tc.compile(tc.load(summary.model)).run({"x": x})["layer0.F"][0, 0]))
    assert F[1] < F[0]


@pytest.mark.parametrize("rule", ["gradient", "contrastive_divergence"])
def test_a_network_in_a_file_is_trained_on(folder: Path, rule: str):
    first = {"training": f'rule = "{rule}"\nepochs = 2', "network": MACHINE if "_" in rule else NETWORK}
    model = run(written(folder, "first", **first)).model
    second = {**first, "network": f'file = "{model.relative_to(folder)}"'}
    after = run(written(folder, "second", **second)).model
    assert dict(tc.load(model).parameters).keys() == dict(tc.load(after).parameters).keys()
    assert model.read_bytes() != after.read_bytes()


def test_arrays_in_folders_keep_their_split(folder: Path):
    with np.load(folder / "data.npz") as data:
        for part, rows in {"train": slice(0, 80), "test": slice(80, 120)}.items():
            (folder / "d" / part).mkdir(parents=True)
            for name in "xy":
                np.save(folder / "d" / part / f"{name}.npy", data[name][rows] * (10 if name == "x" else 1))
    path = written(folder, data='folder = "d"\nvalidation = 0\nscaling = "unit"')
    scaled = load_data(read_config(path))
    assert scaled.train.x.max() == scaled.test.x.max() == 1.0
    summary = run(path)
    assert (summary.train_samples, float(summary.scale)) == (80, 10.0)
    assert "accuracy" in summary.test and "validation_loss" not in summary.metrics


def test_a_loss_that_is_not_finite_stops_it_and_leaves_the_checkpoint(folder: Path):
    path = written(folder)
    run(path)
    before = (folder / "run" / CHECKPOINT).read_bytes()
    longer = path.read_text().replace("epochs = 4", "epochs = 9")
    path.write_text(longer)
    config = read_config(path)
    import thermoc.learning.training.gradient as gradient

    step = gradient.GradientTrainer._step

    def spoiled(self: Any, samples: Any) -> float:
        for parameter in self.optimiser.param_groups[0]["params"]:
            parameter.data.mul_(1e30)
        return step(self, samples)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradient.GradientTrainer, "_step", spoiled)
        with pytest.raises(
            tc.ThermocError, match=r"T422.*diverges(.|\n)*learning rate(.|\n)*last good checkpoint"
        ) as caught:
            train(config, resume=True)
    assert caught.value.code == "T422"
    assert (folder / "run" / CHECKPOINT).read_bytes() == before
    assert run(path, resume=True).epochs == 9


WRONG: list[tuple[str, str, str, str]] = [
    ("training", "epochs = 4\nlerning_rate = 1", "T519", r"run\.toml:9(.|\n)*'learning_rate'"),
    ("training", 'epochs = "4"', "T519", "whole number"),
    ("training", "epochs = true", "T519", "whole number"),
    ("training", "epochs = 4\nlearning_rate = nan", "T519", "finite"),
    ("training", "epochs = 4\nlearning_rate = 1e300", "T519", "from 0 to 1e"),
    ("training", "epochs = 0", "T519", ">= 1"),
    ("training", "epochs = 4\nsteps = 4", "T519", "one of epochs, steps"),
    ("training", "epochs = 4\nk = 3", "T519", "not for rule 'gradient'"),
    ("training", "epochs = 4\nmomentum = 0.5", "T519", "sgd"),
    ("training", 'epochs = 4\ntarget = "chip"\ntarget_options = { precision = 1 }', "T519", "itself"),
    ("training", 'epochs = 4\ntarget = "chip"\ntarget_options = { input_range = ["a", 1] }', "T303", "input_range"),
    ("training", 'epochs = 4\ntarget = "chip"\ntarget_options = { cores = 3, input_range = [0, 1] }', "T303", "cores"),
    ("network", 'file = "run.toml"\nT = 2.0', "T519", "layers that are made"),
    ("network", 'file = "run.toml"', "T50", "run.toml"),
    ("training", "batch = 4", "T519", "one of epochs, steps"),
    ("training", 'epochs = 4\nrule = "luck"', "T519", "gradient, contrastive"),
    ("training", 'epochs = 4\nrule = "contrastive_divergence"', "T519", "feed_forward is not for"),
    ("training", "epochs = 4\ncalibrate = 4", "T519", "is for a target"),
    ("training", "epochs = 4\ninput_noise = -0.1", "T519", "from 0 to"),
    ("training", "epochs = 4\nshift = 0.5", "T519", r"rows of numbers(.|\n)*\[8\](.|\n)*image = \[rows, columns\]"),
    ("training", "epochs = 4\nshift = 0.5\nimage = [3, 3]", "T519", "no images of this size"),
    ("training", "epochs = 4\nshift = 0.5\nimage = [8]", "T519", "rows and columns"),
    ("training", "epochs = 4\nimage = [2, 4]", "T519", "for shift alone"),
    ("training", 'epochs = 4\nlearning_rate_decay = "step"', "T519", "none, cosine"),
    ("training", 'epochs = 4\ntarget = "chip"', "T303", "how large"),
    ("training", 'epochs = 4\nmetric = "beauty"', "T519", "loss, accuracy"),
    ("data", 'file = "none.npz"', "T501", "none"),
    ("data", 'file = "data.npz"\ny = "labels"', "T519", "labels are missing(.|\n)*arrays are x, y"),
    ("data", 'file = "data.npz"\nvalidation = 0.6\ntest = 0.4', "T519", "nothing is left"),
    ("data", 'folder = "nowhere"', "T501", "x.npy"),
    ("network", "feed_forward = [6, 2]", "T403", "from 0 to 1"),
    ("network", "feed_forward = [6, 3]\nT = [1.0]", "T519", "2 layers"),
    ("network", "feed_forward = [6, 3]\nT = 0.0", "T519", "> 0"),
    ("network", "feed_forward = []", "T519", "one unit"),
    ("network", 'feed_forward = [6, 3]\nactivations = ["relu", "none"]', "T519", "thermal_relu"),
    ("network", 'file = "gone.thermo"', "T501", "gone"),
    ("loss", "free_energy = { layer9 = 1.0 }", "T519", "layer9.F"),
    ("loss", 'temperature_targets = { "layer0.T" = 1.0 }', "T519", "not trained"),
    ("loss", "reach = 0.1", "T519", "converters of a chip"),
    ("loss", "reach = -1.0", "T519", "from 0 to"),
    ("loss", 'task = "mse"', "T402", "do not fit"),
    ("output", "tensorboard = false", "T519", "folder is missing"),
    ("output", 'folder = "run"\n[outpt]', "T519", "'output'"),
    ("output", "folder = ", "T519", "not TOML"),
]


@pytest.mark.parametrize(("table", "text", "code", "says"), WRONG)
def test_mistakes_are_coded(folder: Path, table: str, text: str, code: str, says: str):
    with pytest.raises(tc.ThermocError, match=says) as caught:
        run(written(folder, **{table: text}))
    assert caught.value.code.startswith(code)
    assert not (folder / "run").exists(), "nothing is written"


@pytest.mark.parametrize(
    ("x", "code"), [(np.full((120, 8), np.nan), "T403"), (np.ones(120), "T402"), (np.ones((9, 8)), "T402")]
)
def test_data_that_cannot_be(folder: Path, x: Any, code: str):
    np.savez(folder / "data.npz", x=x, y=np.zeros(120, int))
    with pytest.raises(tc.ThermocError) as caught:
        run(written(folder))
    assert caught.value.code == code


def test_a_checkpoint_of_other_settings_is_refused(folder: Path):
    path = written(folder)
    with pytest.raises(tc.ThermocError, match=r"T420(.|\n)*--resume away"):
        run(path, resume=True)
    run(path)
    with pytest.raises(tc.ThermocError, match=r"T420(.|\n)*--overwrite"):
        run(path)
    before = contents(folder / "run")
    run(path, overwrite=True)
    assert contents(folder / "run") == before
    path.write_text(path.read_text().replace("batch = 16", "batch = 8"))
    with pytest.raises(tc.ThermocError, match=r"training\.batch: 16 in the checkpoint, 8 now"):
        run(path, resume=True)
    path.write_text(path.read_text().replace("batch = 8", "batch = 16"))
    np.savez(folder / "data.npz", x=np.zeros((120, 8)), y=np.zeros(120, int))
    with pytest.raises(tc.ThermocError, match="samples are others"):
        run(path, resume=True)
    (folder / "run" / CHECKPOINT).write_bytes(before[2][:-9])
    with pytest.raises(tc.ThermocError, match="T502"):
        run(path, resume=True)


def test_events_are_written_where_tensorboardx_is(folder: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("tensorboardX")
    run(written(folder, output='folder = "run"'))
    assert list((folder / "run" / "tensorboard").glob("events*"))
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(tc.ThermocError, match=r"T302(.|\n)*thermoc\[examples\]"):
        run(written(folder, "b", data='sklearn = "digits"'))
