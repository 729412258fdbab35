"""Packages that only some uses need."""

from __future__ import annotations

import importlib
from typing import Any

from thermoc.support.errors import error


def need(package: str, extra: str, what: str) -> Any:
    """Return a package that one of the extras brings. Errors: T302 where it is not installed.

    what: the use, as the error begins: "zarr stores".
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        hint = f'pip install "thermoc[{extra}]"'
        name = package.partition(".")[0]
        raise error("T302", f"{what} need {name}, which is not installed", hint=hint) from None
