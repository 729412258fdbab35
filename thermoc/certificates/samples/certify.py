"""Samples of any machine held against the law that they should follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thermoc
from thermoc import physics
from thermoc.certificates.document import digest
from thermoc.certificates.judging import FALSE_ALARMS, level_of, overall
from thermoc.certificates.law import CANNOT_TELL, HOLDS, LENGTH, Finding, json_number
from thermoc.certificates.samples import binary, chains, real
from thermoc.certificates.samples.blocks import LEAST_BLOCKS, Blocks, blocks_of
from thermoc.certificates.samples.formats import MachineSamples, samples_of
from thermoc.certificates.samples.models import BinaryLaw, RealLaw, law_of
from thermoc.certificates.samples.page import SamplesCertificate
from thermoc.physics.pseudolikelihood import TemperatureFit
from thermoc.support.errors import error

FORMAT, VERSION = "thermoc certificate of samples", 2
"""Since version 2 its laws are of the form of a run's."""
RESOLUTION = 0.05
"""The relative bias of the temperature that samples must show."""
MOST_KERNEL = 800
"""Samples that a Stein discrepancy is taken over, evenly spaced: its time grows with their cube."""


def certify_samples(
    samples: Any,
    model: Any,
    *,
    T: Any = None,
    output: str | None = None,
    independent: bool | None = None,
    format: str | None = None,
    kind: str | None = None,
    false_alarms: float = FALSE_ALARMS,
    resolution: float = RESOLUTION,
) -> SamplesCertificate:
    """Hold samples of any machine against exp(-E / T) of a model, as far as that goes without its Z (P12, P47 to P49).

    samples: a path (.npz, .csv, a sample set of dimod as .json or .bson), an array (steps, chains, units) or (steps,
    units), or a dimod sample set. model: a network, a problem, an Ising model, a binary quadratic model of dimod, or
    the path of a file of one. T: the temperature, default the network's own. independent: the draws stand alone,
    default for sample sets; else the memory of the chains is measured, and counted. false_alarms: how often right
    samples fail, over all laws. resolution: the relative bias in temperature that the samples must be able to show with
    99 %; where they are not, the verdict is "cannot tell".
    Errors: T404, T405, T426 (samples of another model), T427 (a model without a known energy), T501 to T523.
    """
    if not (0 < false_alarms < 0.1 and resolution > 0):
        notes = [f"false_alarms = {false_alarms}", f"resolution = {resolution}"]
        raise error("T404", "a rate of false alarms is below 0.1, a resolution above 0", notes=notes)
    law = law_of(model, T=T, output=output, kind=kind)
    fitted = _fitted(samples_of(samples, name=output, format=format, independent=independent), law)
    summaries = chains.summaries_of(fitted, law)
    blocks = blocks_of(fitted.values, summaries, fitted.independent)
    findings = [*_energies(fitted, law), *chains.laws(fitted, summaries, law.op), *_of_law(blocks, law, fitted)]
    level = level_of(findings, false_alarms)
    laws = [finding.at(level, resolution) for finding in findings]
    controls = [] if blocks is None else list(_controls(blocks, law, false_alarms / max(len(laws), 1), resolution))
    verdicts = [one.verdict for one in laws] + [HOLDS if item["caught"] else CANNOT_TELL for item in controls]
    document = {
        "format": FORMAT,
        "version": VERSION,
        "thermoc": thermoc.__version__,
        "samples": _about(fitted),
        "model": {"name": law.name, "op": law.op, "units": law.units, "levels": law.levels, "sha256": law.sha256}
        | {"T": law.T.tolist() if np.ptp(law.T) else float(law.T[0])},
        "false_alarms": false_alarms,
        "resolution": resolution,
        "laws": [one.to_json() for one in laws],
        "controls": controls,
        "skipped": list(_skipped(fitted, law, blocks)),
        "temperatures": _temperatures(blocks, law),
        "verdict": overall(verdicts),
    }
    return SamplesCertificate(document={**document, "sha256": digest(document)})


def _fitted(samples: MachineSamples, law: BinaryLaw | RealLaw) -> MachineSamples:
    """Return the samples in the order of the model's units, at its levels. Errors: T426."""
    units = samples.values.shape[2]
    if units != law.units:
        notes = [f"samples of {units} units", f"{law.op} has {law.units}"]
        raise error("T426", f"the samples are not of {law.name}", notes=notes)
    values = samples.values
    if samples.labels and law.labels:
        values = values[..., _order(samples.labels, law.labels, law.name)]
    if law.levels == "real":
        return replace(samples, values=values)
    if samples.levels == "real":
        levels = (-1, 1) if values.min() < 0 else (0, 1)
        bad = np.argwhere(~np.isin(values, levels))[0].tolist()
        notes = [f"sample {bad[0]}, chain {bad[1]}, unit {bad[2]} is {values[tuple(bad)]:g}", f"levels are {levels}"]
        raise error("T426", "a value is none of the units' levels", notes=notes)
    if samples.levels != law.levels:
        values = 2 * values - 1 if law.levels == "spin" else (values + 1) / 2
    return replace(samples, values=values, levels=law.levels)


def _order(labels: tuple[Any, ...], wanted: tuple[Any, ...], name: str) -> list[int]:
    index_of = {str(label): k for k, label in enumerate(labels)}
    missing = [label for label in wanted if str(label) not in index_of]
    if missing or len(index_of) != len(labels):
        notes = [f"it has no unit {missing[0]!r}" if missing else "two units have one name"]
        raise error("T426", f"the samples are not of {name}", notes=notes)
    return [index_of[str(label)] for label in wanted]


def _energies(samples: MachineSamples, law: BinaryLaw | RealLaw) -> Iterator[Finding]:
    """Yield that the energies that the machine states are the model's (P12): its samples are of this model."""
    if samples.energies is None or isinstance(law, RealLaw):
        return
    E = law.energy(samples.flat).reshape(samples.energies.shape)
    size = max(float(np.abs(E).max(initial=0.0)), 1e-300)
    gap = float(np.abs(samples.energies - E).max(initial=0.0)) / size
    yield Finding(
        law="P12",
        op=law.op,
        statement="energies stated with the samples are the model's",
        statistic="exact",
        measured=gap,
        bound=lambda _: 1e-6,
        samples=E.size,
    )


def _of_law(blocks: Blocks | None, law: BinaryLaw | RealLaw, samples: MachineSamples) -> Iterator[Finding]:
    if blocks is None:
        count = samples.values.shape[0] * samples.values.shape[1]
        yield Finding(
            law="P47",
            op=law.op,
            statement="stretches that do not remember each other, to take error bars from",
            statistic=LENGTH,
            measured=0.0,
            expected=float(LEAST_BLOCKS),
            bound=lambda _: 0.0,
            side="above",
            samples=count,
            needed=np.inf,
        )
        return
    yield from _without_stein(blocks, law)
    yield _stein(blocks, law)


def _without_stein(blocks: Blocks, law: BinaryLaw | RealLaw) -> Iterator[Finding]:
    yield from binary.laws(blocks, law) if isinstance(law, BinaryLaw) else real.laws(blocks, law)


def _stein(blocks: Blocks, law: BinaryLaw | RealLaw) -> Finding:
    """Return the Stein discrepancy of some samples, and its test by the wild bootstrap over blocks."""
    rows = _spaced(blocks)
    x = blocks.values[rows]
    if isinstance(law, BinaryLaw):
        sign = np.where(x > 0, 1.0, -1.0)
        # what flipping a unit costs, over T: its drive, along the level it is at
        matrix = physics.discrete_stein_matrix(x, sign * law.drive(x), 1.0)
    else:
        matrix = physics.kernel_stein_matrix(x, -law.gradient(x) / law.T)
    test = physics.stein_test(matrix, blocks.number[rows])
    return Finding(
        law="P12",
        op=law.op,
        statement="the Stein discrepancy of the samples is nil",
        statistic="wild bootstrap",
        measured=test.discrepancy,
        bound=test.limit,
        side="below",
        samples=len(rows),
        p=test.p,
        details={"blocks": float(test.blocks)},
    )


def _spaced(blocks: Blocks) -> NDArray:
    """Return rows for a kernel: of at most so many blocks, as many of each."""
    count = min(blocks.count, MOST_KERNEL)
    chosen = np.unique(np.linspace(0, blocks.count - 1, count).round().astype(int))
    spacing = max(1, min(blocks.length, MOST_KERNEL // len(chosen)))
    inner = np.unique(np.linspace(0, blocks.length - 1, spacing).round().astype(int))
    return (chosen[:, np.newaxis] * blocks.length + inner).reshape(-1)


def _controls(blocks: Blocks, law: BinaryLaw | RealLaw, level: float, resolution: float) -> Iterator[dict[str, Any]]:
    """Yield what becomes of the same samples held against laws that they are not of: each must be noticed."""
    wrong = {f"the temperature {100 * resolution:g} % higher": law.at(law.T * (1 + resolution))}
    order = np.random.default_rng(0).permutation(law.units)
    permuted = law.permuted(order)
    if not _same(law, permuted, blocks.values[: min(len(blocks.values), 64)]):
        wrong["units permuted"] = permuted
    for control, record in wrong.items():
        smallest = min((one.p for one in _without_stein(blocks, record) if one.p is not None), default=1.0)
        yield {"control": control, "p": float(smallest), "caught": bool(smallest < level)}


def _same(law: Any, other: Any, x: NDArray) -> bool:
    """Tell whether two laws are one, as those of units that are all alike are however they are permuted."""
    then, now = (law.drive(x), other.drive(x)) if isinstance(law, BinaryLaw) else (law.gradient(x), other.gradient(x))
    return bool(np.allclose(then, now, rtol=1e-9, atol=1e-12))


def _about(samples: MachineSamples) -> dict[str, Any]:
    steps, chains_, units = samples.values.shape
    return {
        "source": samples.source,
        "sha256": samples.sha256,
        "steps": steps,
        "chains": chains_,
        "units": units,
        "levels": samples.levels,
        "independent": samples.independent,
    }


def _skipped(samples: MachineSamples, law: BinaryLaw | RealLaw, blocks: Blocks | None) -> Iterator[dict[str, str]]:
    """Yield what samples alone do not tell."""
    yield {"law": "seed", "reason": "the machine's run cannot be repeated: only what it returned was looked at"}
    yield {"law": "P45, P46", "reason": "samples carry no heat and no work"}
    for note in samples.notes:
        yield {"law": "P49", "reason": note}
    if isinstance(law, RealLaw) or law.units > binary.MOST_ENUMERATED:
        reason = "Z is not known: weights of wells between which no sample lies are not seen"
        yield {"law": "P48", "reason": reason}
    if isinstance(law, BinaryLaw) and samples.energies is None:
        yield {"law": "P12", "reason": "no energies are stated with the samples"}
    if isinstance(law, BinaryLaw) and blocks is not None:
        p = physics.fermi_dirac(-law.drive(blocks.values), 1.0)
        frozen = int(((p * (1 - p)).mean(axis=0) * len(p) / (2 * blocks.tau) < binary.LEAST_EVENTS).sum())
        if frozen:
            yield {"law": "P47", "reason": f"{frozen} of {law.units} units change their mind too rarely to be judged"}


def _temperatures(blocks: Blocks | None, law: BinaryLaw | RealLaw) -> dict[str, list[float | str]]:
    if blocks is None:
        nothing: list[float | str] = [json_number(np.nan)] * law.units
        return {"T": nothing, "low": nothing, "high": nothing}
    fit = unit_temperatures(blocks, law)
    return {name: [json_number(v) for v in getattr(fit, name)] for name in ("T", "low", "high")}


def unit_temperatures(blocks: Blocks, law: BinaryLaw | RealLaw) -> TemperatureFit:
    """Return the temperature of each unit with its interval at 99 %."""
    if isinstance(law, BinaryLaw):
        return binary.unit_temperatures(blocks, law)
    return real.unit_temperatures(blocks, law)
