"""A network in a Python file: ``file.py:NAME`` is run, and what goes wrong in it is reported with the user's line."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from thermoc.network import Network
from thermoc.support.errors import Location, ThermocError, error


def network_in(path: Path, name: str) -> Network:
    """Return the network NAME of a Python file, or what its function NAME returns.

    What the file prints goes to the standard error, so that the command's own output can be read by a program.
    Errors: T501, T506 (whatever the file raises, at its line), T1xx.
    """
    if not os.path.isfile(path):
        raise error("T501", f"{path} cannot be read", notes=["there is no such file"], hint="check the path")
    with _importing(path), contextlib.redirect_stdout(sys.stderr):
        module = _module(path)
        item = getattr(module, name, None)
        if callable(item) and not isinstance(item, Network):
            _takes_nothing(path, name, item)
            item = _guarded(path, f"{name}() of {path}", item)
    if not isinstance(item, Network):
        kind = "is missing" if not hasattr(module, name) else f"is a {type(item).__name__}"
        networks = [key for key, value in vars(module).items() if isinstance(value, Network)]
        notes = [f"{name} {kind}", *([f"its networks are {', '.join(networks)}"] if networks else [])]
        hint = "a tc.Network, or a function that returns one"
        raise error("T506", f"{path} holds no network {name!r}", notes=notes, hint=hint)
    return item


@contextlib.contextmanager
def _importing(path: Path) -> Iterator[None]:
    """Let the file import what stands beside it."""
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _module(path: Path) -> ModuleType:
    # A model called numpy.py must not replace the module of that name.
    name = path.stem if path.stem not in sys.modules else f"_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    loader = spec.loader
    _guarded(path, str(path), lambda: loader.exec_module(module))
    return module


def _takes_nothing(path: Path, name: str, function: Callable[..., Any]) -> None:
    try:
        inspect.signature(function).bind()
    except TypeError as reason:
        hint = "write a function without arguments that calls it"
        raise error("T506", f"{name} of {path} cannot be called", notes=[str(reason)], hint=hint) from None
    except ValueError:
        return  # a builtin that does not tell


def _guarded(path: Path, what: str, run: Callable[[], Any]) -> Any:
    """Run the user's code; what it raises is theirs, unless it comes out of thermoc. Errors: T506."""
    try:
        return run()
    except ThermocError:
        raise
    except SystemExit as stop:
        notes = [f"it calls sys.exit({stop.code!r})"]
        raise error("T506", f"{what} ends the program", where=_line(stop, path), notes=notes) from None
    except Exception as reason:
        if _is_ours(reason):
            raise
        notes = [f"{type(reason).__name__}: {reason}" if str(reason) else type(reason).__name__]
        raise error("T506", f"{what} does not run", where=_line(reason, path), notes=notes) from reason


def _is_ours(reason: BaseException) -> bool:
    """Tell whether an exception comes out of thermoc, and not out of the user's code or what that called."""
    inside = False
    for frame, _ in traceback.walk_tb(reason.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if not module.startswith((__name__, "thermoc.cli", "importlib", "_frozen_importlib")):
            inside = module == "thermoc" or module.startswith("thermoc.") or (inside and _installed(frame))
    return inside


def _installed(frame: Any) -> bool:
    """Tell whether a frame is of a library: of Python's, or of an installed package."""
    file = frame.f_code.co_filename
    return "site-packages" in file or file.startswith(("<", sys.base_prefix))


def _line(reason: BaseException, path: Path) -> Location | None:
    """Return the innermost line of the user's file, else of what it imported; of a SyntaxError its own."""
    if isinstance(reason, SyntaxError) and reason.filename and reason.lineno:
        return Location.of_line(reason.filename, reason.lineno)
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(reason.__traceback__)]
    users = [frame_line for frame_line in lines if Path(frame_line[0]).resolve().parent == path.resolve().parent]
    return Location.of_line(*users[-1]) if users else None
