"""Devices as units of a network: ``tc.device``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, issparse, triu

from thermoc.ir.device_library import STATES
from thermoc.ir.dialects.devices import METHODS
from thermoc.ir.functions import FUNCTIONS as OPS
from thermoc.ir.functions import current
from thermoc.ir.handle import Handle
from thermoc.support import philox
from thermoc.support.errors import caller, error
from thermoc.support.suggestions import near

if TYPE_CHECKING:
    from thermoc.simulator.devices.device import Device

OPEN = 1e38
"""Stands for infinity in a graph, whose numbers are finite in every format: an open path, a state without an end."""
RESULTS = ("T", "state", "node", "current", "voltage", "work", "heat")


def device(
    model: str,
    voltage: Handle | ArrayLike,
    *,
    n: int | None = None,
    T_ambient: Handle | ArrayLike | None = None,
    conductance: ArrayLike | None = None,
    method: str = "sdirk",
    steps: int = 1,
    tolerance: float = 1e-8,
    noise: bool = False,
    seconds: float = 1.0,
    spread: Mapping[str, float] | None = None,
    seed: int = 0,
    T: ArrayLike | None = None,
    state: ArrayLike | None = None,
    node: ArrayLike | None = None,
    path: str | None = None,
    name: str | None = None,
    **values: ArrayLike,
) -> dict[str, Handle]:
    """Add n devices of a model (docs/devices.md), each with its circuit; return what they show by name.

    voltage: of the sources, V, held over the tick; a number or (n,). T_ambient: K, by default the data file's.
    conductance: (n, n) W/K, symmetric, dense or sparse: heat that flows between the devices. T, state, node: where they
    start; a start that is not given is the data file's. values: of the data file by name, in SI, a number or (n,) of
    them (``circuit_load=6e3``); spread: relative deviations by name, log-normal with the mean kept, by ``seed``.
    path: a data file of one's own. seconds: in a unit of the network's time; a tick of dt is ``steps`` steps of
    ``method``: sdirk (its own steps, to ``tolerance``), midpoint (Stratonovich) or euler (Ito). noise: P27 and P28.

    Returns T (K), state, node (V), current (A), voltage across the device (V), work from the source and heat to the
    ambient in the tick (J), (n,) each, after the tick. Errors: T404 (no such model, value or method), T405 (a value out
    of the model's range), T402 (rows that differ in number), T214 (a step too long for the circuit, the heat path or
    the links), T513, T111; in a run T410 (too hot) and T411 (no solution).
    """
    from thermoc.simulator.devices import device as library  # Numba loads where there are devices

    network = current("device")
    built = library.load(model, path=path, **values)
    if spread:
        built = library.load(model, path=path, **{**values, **_spread(built, spread, seed, n or built.count)})
    built = library.starting(built, T=T, state=state, node=node)
    drive = _numbers(model, "voltage", voltage)
    ends, link = _links(model, conductance)
    count = _count(model, n, built, drive, conductance)
    ambient = built.ambient if T_ambient is None else _numbers(model, "T_ambient", T_ambient)
    if not isinstance(ambient, Handle):
        library.check_ambient(built, np.atleast_2d(ambient))
    _possible(built, method, noise, link)
    dt = getattr(network, "dt", None)
    if dt is not None:
        _short_enough(built, method, dt * seconds / steps, count, ends, link)
    uniform = len(np.atleast_1d(ambient)) == 1 if not isinstance(ambient, Handle) else False
    results = OPS["thermo.device"](
        drive,
        np.reshape(ambient, ()) if uniform else ambient,
        _start(built, count),
        built.parameters,
        np.clip(built.circuit, 0, OPEN),
        np.clip(built.domain, -OPEN, OPEN),
        built.scale,
        ends,
        link,
        model=model,
        method=method,
        steps=int(steps),
        tolerance=float(tolerance),
        seconds=float(seconds),
        noise=bool(noise),
        name=name,
    )
    return dict(zip(RESULTS, results))


def _numbers(model: str, what: str, value: Handle | ArrayLike) -> Any:
    """Return a value of the network as it is, numbers as an array. Errors: T403."""
    if isinstance(value, Handle):
        return value
    array = np.asarray(value, float)
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0].tolist()
        raise error("T403", f"{model}: {what} is not finite", where=caller(), notes=[f"at {where}"])
    return array


def _spread(built: Device, spread: Mapping[str, float], seed: int, n: int) -> dict[str, np.ndarray]:
    """Return values (n,) about those of the device, by their relative deviations. Errors: T404, T405."""
    names = {key.replace(".", "_"): key for key in built.quantities}
    varied: dict[str, np.ndarray] = {}
    for key, deviation in spread.items():
        if key not in names:
            hint = f"it has {', '.join(names)}"
            raise error("T404", f"{built.name} has no value {key!r}", where=caller(), hint=hint)
        if not 0 <= deviation < 1:
            raise error("T405", f"{built.name}: the spread of {key} is {deviation}", where=caller(), hint="0 to 1")
        draw = list(names).index(key)
        words = philox.words(np.arange(n, dtype=np.uint64), tick=0, draw=draw, stream=0, seed=seed)
        z = philox.normal(words, np.dtype(np.float64))
        width = np.sqrt(np.log1p(deviation**2))
        varied[key] = float(built.quantities[names[key]]) * np.exp(width * z - width**2 / 2)
    return varied


def _links(model: str, conductance: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return ends (E, 2) and W/K (E,) of a symmetric matrix. Errors: T402, T405."""
    if conductance is None:
        return np.zeros((0, 2), np.int64), np.zeros(0)
    G: Any = coo_array(conductance) if issparse(conductance) else coo_array(np.asarray(conductance, float))
    if G.ndim != 2 or G.shape[0] != G.shape[1]:
        raise error("T402", f"{model}: conductance has the shape {list(G.shape)}", where=caller(), hint="give (n, n)")
    if not (np.isfinite(G.data).all() and (G.data >= 0).all()) or (G - G.T).count_nonzero():
        hint = "heat that leaves one end enters the other: G[i, j] = G[j, i] >= 0"
        raise error("T405", f"{model}: conductance is not symmetric, finite and >= 0", where=caller(), hint=hint)
    upper = coo_array(triu(G, 1))
    keep = upper.data > 0
    ends = np.stack([upper.coords[0][keep], upper.coords[1][keep]], axis=1).astype(np.int64)
    return ends, np.asarray(upper.data[keep], float)


def _count(model: str, n: int | None, built: Device, drive: Any, conductance: Any) -> int:
    """Return how many units there are. Errors: T402 where counts differ."""
    shape = np.shape(drive) if not isinstance(drive, Handle) else drive.shape or ()
    coupled = () if conductance is None else np.shape(conductance)[:1]
    counts = {"n": n, "values": built.count, "voltage": shape[0] if shape else 1, "conductance": (*coupled, None)[0]}
    largest = max(count for count in counts.values() if count is not None)
    wrong = {key: count for key, count in counts.items() if count not in (None, 1, largest)}
    if n is not None and n != largest:
        wrong["n"] = n
    if wrong or len(shape) > 1:
        notes = [f"{key}: {count}" for key, count in {**counts, **wrong}.items() if count is not None]
        raise error("T402", f"{model}: numbers of units differ", where=caller(), notes=notes, hint="voltage is (n,)")
    return largest


def _possible(built: Device, method: str, noise: bool, link: np.ndarray) -> None:
    if method not in METHODS:
        hint = near(method, METHODS, f"choose one of {', '.join(METHODS)}")
        raise error("T404", f"there is no method {method!r}", where=caller(), hint=hint)
    if noise and built.model.noiseless:
        notes = [built.model.noiseless]
        raise error("T404", f"{built.name} takes no noise", where=caller(), notes=notes, hint="choose stanford")
    if noise and method == "sdirk":
        hint = "choose method='midpoint' (Stratonovich) or 'euler' (Ito)"
        raise error("T404", "sdirk takes no noise", where=caller(), hint=hint)
    if link.size and not built.heated:
        notes = [f"its temperature is {built.model.temperature}"]
        raise error("T405", f"{built.name} has no temperature that heat could change", where=caller(), notes=notes)


def _short_enough(built: Device, method: str, h: float, n: int, ends: np.ndarray, link: np.ndarray) -> None:
    """Refuse a step beyond which an explicit path grows: h rate <= 2 (Gershgorin for links). Errors: T214."""
    load, _, capacitance, conductance, capacity = np.broadcast_to(built.circuit, (n, 5)).T
    joined = np.bincount(ends.reshape(-1), np.repeat(link, 2), minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = {"heat over links": np.where(capacity > 0, 2 * joined / capacity, 0.0)}
        if method == "euler":
            rates["the heat path"] = np.where(capacity > 0, (conductance + 2 * joined) / capacity, 0.0)
            rates["the circuit"] = np.where(capacitance > 0, 1 / (load * capacitance), 0.0)
    for what, rate in rates.items():
        if h * rate.max(initial=0.0) > 2:
            notes = [f"a step is {h:g} s", f"{what} relaxes in {1 / rate.max():.4g} s"]
            hint = f"at most {2 / rate.max():.4g} s a step: a smaller dt, or more steps a tick"
            hint += ", or method='midpoint'" if what != "heat over links" else ""
            raise error("T214", f"{built.name}: a step too long for {what}", where=caller(), notes=notes, hint=hint)


def _start(built: Device, n: int) -> np.ndarray:
    """Return (n, 9): temperature, internal state, node voltage, memory, and 0 for the step to try next."""
    from thermoc.simulator.devices.device import memories

    start = np.zeros((n, STATES))
    spread = replace(built, start=np.ascontiguousarray(np.broadcast_to(built.start, (n, 3))))
    start[:, :3], start[:, 3:8] = spread.start, memories(spread, n)
    return start
