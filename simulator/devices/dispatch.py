"""Device functions that call the rule of whichever model a number stands for, with its parameters by name.

Kernels hold a model as a number and its parameters as a row of floats, so that one compiled kernel serves all models.
The function that goes from there to the model's rule is written here, as text, from the declarations: Numba can loop
neither over functions nor over records of different types.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.simulator.devices.models import MODELS
from thermoc.simulator.devices.rule import rule


def by_model(rules: dict[str, Any], arguments: str, default: str) -> Any:
    """Return a device function (model, *arguments, row) that calls the rule of that model, of those that have one.

    rules: by the model's name. default: the expression that stands for the others, of the same type.
    """
    scope: dict[str, Any] = {"nan": math.nan}
    lines = [f"def dispatch(model, {arguments}, row):"]
    for number, (name, model) in enumerate(MODELS.items()):
        if rules.get(name) is not None:
            scope |= {name: rules[name], f"{name}_parameters": model.parameters}
            fields = ", ".join(f"row[{k}]" for k in range(len(model.units)))
            call = f"{name}({arguments}, {name}_parameters({fields}))"
            lines += [f"    if model == {number}:", f"        return {call}"]
    # the text holds declared names and whole numbers alone, nothing that a user has given
    exec("\n".join([*lines, f"    return {default}"]), scope)
    return rule(scope["dispatch"])


def hook(name: str, arguments: str, default: str) -> Any:
    """Return ``by_model`` of the rules that models declare as ``name``."""
    return by_model({key: getattr(model, name) for key, model in MODELS.items()}, arguments, default)


def hysteresis(name: str, arguments: str, default: str = "None") -> Any:
    """Return ``by_model`` of a rule of hysteretic models; the others do nothing."""
    rules = {key: getattr(model.hysteresis, name) for key, model in MODELS.items() if model.hysteresis}
    return by_model(rules, arguments, default)


def those_with(name: str) -> np.ndarray:
    """Return, by a model's number, whether it declares ``name``: a constant of kernels."""
    return np.array([bool(getattr(model, name)) for model in MODELS.values()])
