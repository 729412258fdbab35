"""Brian2's own preparation of a network: its checks, its schedule, the code of each object with all names resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from thermoc.support.errors import Location, ThermocError, error
from thermoc.support.loading import cut


def prepared(network: Any, namespace: dict[str, Any], source: str) -> tuple[list[Any], float]:
    """Return the objects in the order in which a step runs them, and the shortest step in seconds.

    Errors: T506 (no network, or an empty one), T524, T525.
    """
    brian2 = imported()
    if not isinstance(network, brian2.Network):
        what = f"{source or 'this'} is a {type(network).__name__}, not a brian2.Network"
        raise error("T506", what, hint="brian2.Network(brian2.collect())")
    check_device()
    objects = list(network.sorted_objects)
    if not objects:
        raise error("T506", f"{source} holds no objects", hint="add them: net.add(...)")
    _check_fresh(network, objects, source)
    for name, count in Counter(item.name for item in objects).items():
        if count > 1:
            raise error("T524", f"Brian2 refuses {source}", notes=[f"{count} objects are called {name!r}"])
    with _numpy_code(brian2):
        network.check_dependencies()
        for item in objects:
            _prepare(item, namespace, source)
    return objects, min(float(item.clock.dt_) for item in objects if item.active)


def imported() -> Any:
    """Return Brian2. Errors: T510."""
    try:
        import brian2  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as reason:
        hint = 'pip install "thermoc[brian2]"'
        raise error("T510", "Brian2 is not installed", notes=[str(reason)], hint=hint) from None
    return brian2


def check_device() -> None:
    """Refuse objects of a device that keeps no numbers. Errors: T524."""
    from brian2.devices.device import get_device  # pyright: ignore[reportMissingTypeStubs]

    name = type(get_device()).__name__
    if name != "RuntimeDevice":
        hint = 'read it without set_device("cpp_standalone")'
        raise error("T524", f"Brian2's device is {name}, which has made no numbers yet", hint=hint)


def _check_fresh(network: Any, objects: list[Any], source: str) -> None:
    """Refuse a network that has run: spikes on their way stand in no variable. Errors: T525."""
    # A network of all that a script made marks its objects before it runs.
    before = [item.name for item in objects if item._network not in (None, network.id)]
    if before or float(network.t_) > 0:
        notes = [f"its time is {network.t_:g} s", *([f"{before[0]!r} was part of a run"] if before else [])]
        hint = "read it before net.run(...); states set in its objects are taken as they are"
        raise error("T525", f"{source} has run already", notes=notes, hint=hint)
    # One clock serves many networks, and may stand where another's run ended.
    for clock in {item.clock for item in objects}:
        clock.set_interval(network.t, network.t)


@contextmanager
def _numpy_code(brian2: Any) -> Iterator[None]:
    """Let Brian2 make its code in NumPy, which compiles nothing."""
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    try:
        yield
    finally:
        brian2.prefs.codegen.target = before


def _prepare(item: Any, namespace: dict[str, Any], source: str) -> None:
    if not item.active:
        return
    location = Location.of_node(source, f"object {cut(item.name, 80)!r}")
    try:
        item.before_run(namespace)
    except ThermocError:
        raise
    except Exception as reason:  # of Brian2's own: units, names, equations that it cannot integrate
        causes, current = [], reason
        while current is not None:
            causes.append(cut(f"{type(current).__name__}: {current}".strip()))
            current = current.__cause__
        what = f"Brian2 refuses {type(item).__name__} {item.name!r}"
        raise error("T524", what, where=location, notes=causes[:3]) from reason
