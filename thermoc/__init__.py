"""thermoc: write a thermodynamic network once, compile it to every target.

Ops are functions of this module (``tc.affine``, ``tc.boltzmann``, ...), one for each class in ``thermoc.ir.dialects``.
"""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

# For type checkers; when it runs, ``__getattr__`` imports each name where it is first used.
if TYPE_CHECKING:
    from thermoc.api import Executable, compile, lint, resume
    from thermoc.certificates import Certificate, SamplesCertificate, certify, certify_samples, effective_temperatures
    from thermoc.costs import cost
    from thermoc.devices import device
    from thermoc.equations import dynamics
    from thermoc.equilibrium import EquilibriumDistance, distance_to_equilibrium
    from thermoc.guard import GuardBand, guard_band
    from thermoc.network import (
        Network,
        connect,
        constant,
        from_brian2,
        from_torch,
        input,
        load,
        output,
        parameter,
        placeholder,
        probe,
    )
    from thermoc.recording import counts, events, every, extremes, last, mean
    from thermoc.reports.html import HtmlReport, report
    from thermoc.run import Interrupted, Run, open_run
    from thermoc.session import Session
    from thermoc.support.errors import ThermocError
    from thermoc.sweeps import sweep
    from thermoc.verification import Verification, verify

__version__ = "0.1.0"

_FROM = {
    "thermoc.api": ("Executable", "compile", "lint", "resume"),
    "thermoc.certificates": (
        "Certificate",
        "SamplesCertificate",
        "certify",
        "certify_samples",
        "effective_temperatures",
    ),
    "thermoc.costs": ("cost",),
    "thermoc.devices": ("device",),
    "thermoc.equations": ("dynamics",),
    "thermoc.equilibrium": ("EquilibriumDistance", "distance_to_equilibrium"),
    "thermoc.guard": ("GuardBand", "guard_band"),
    "thermoc.network": (
        "Network",
        "connect",
        "constant",
        "from_torch",
        "from_brian2",
        "input",
        "load",
        "output",
        "parameter",
        "placeholder",
        "probe",
    ),
    "thermoc.recording": ("counts", "events", "every", "extremes", "last", "mean"),
    "thermoc.reports.html": ("HtmlReport", "report"),
    "thermoc.run": ("Interrupted", "Run", "open_run"),
    "thermoc.session": ("Session",),
    "thermoc.support.errors": ("ThermocError",),
    "thermoc.sweeps": ("sweep",),
    "thermoc.verification": ("Verification", "verify"),
}
_HOMES = {name: module for module, names in _FROM.items() for name in names}
_MODULES = ("ir", "layers", "learning", "passes", "physics", "plot", "simulator", "sweeps")
_DIALECTS = ("loihi",)
"""Dialects whose ops are called by both names, ``tc.loihi.lif``: they repeat the names of others."""

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    "Certificate",
    "EquilibriumDistance",
    "Executable",
    "GuardBand",
    "HtmlReport",
    "Interrupted",
    "Network",
    "Run",
    "SamplesCertificate",
    "Session",
    "ThermocError",
    "Verification",
    "certify",
    "certify_samples",
    "compile",
    "connect",
    "constant",
    "cost",
    "counts",
    "device",
    "distance_to_equilibrium",
    "dynamics",
    "effective_temperatures",
    "events",
    "every",
    "extremes",
    "from_brian2",
    "from_torch",
    "guard_band",
    "input",
    "last",
    "lint",
    "load",
    "mean",
    "open_run",
    "output",
    "parameter",
    "placeholder",
    "probe",
    "report",
    "resume",
    "sweep",
    "verify",
]


def _ops() -> dict[str, Any]:
    from thermoc.ir.functions import FUNCTIONS

    # The functions of these names are those of network.py, equations.py and devices.py.
    hidden = {
        *("core.input", "core.output", "core.probe", "core.constant", "core.parameter"),
        *("thermo.ode", "thermo.sde", "thermo.device"),
    }
    shown = (name for name in FUNCTIONS if name not in hidden and name.split(".")[0] not in _DIALECTS)
    nouns: dict[str, Any] = {}
    for name in shown:
        # Ours come first: an op of another package cannot stand in the place of one.
        nouns.setdefault(FUNCTIONS[name].__name__, FUNCTIONS[name])
    return nouns


def _dialect(dialect: str) -> SimpleNamespace:
    from thermoc.ir.functions import FUNCTIONS

    return SimpleNamespace(**{f.__name__: f for name, f in FUNCTIONS.items() if name.split(".")[0] == dialect})


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"thermoc.{name}")
    elif name in _DIALECTS:
        value = _dialect(name)
    elif name.startswith("__") or name not in (ops := _ops()):
        raise AttributeError(f"module 'thermoc' has no attribute {name!r}")
    else:
        value = ops[name]
    # A module's __getattr__ is asked only for names that are not there (PEP 562): this one is not asked again.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES, *_DIALECTS, *_ops()})
