"""MODEL, which most commands take: a file with the options of its reader, or a network in a Python file."""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from thermoc.cli.output import say
from thermoc.frontends.format import Format
from thermoc.frontends.formats import FORMATS, options_of
from thermoc.network import Network, load
from thermoc.python_model import network_in
from thermoc.support.errors import Finding, ThermocError, error

DEMO = "demo"
"""The model that comes with thermoc: the digits network of ``thermoc demo``."""
PREFIX = "reader_"
"""What stands before the name of a reader's option where it is a parameter of a command."""


@dataclass(frozen=True, kw_only=True)
class ModelArgument:
    """What a command line names as its model, not yet read."""

    name: str
    options: Mapping[str, Any]

    def load(self) -> Network:
        """Return the network, and print what the reader of its file repaired or assumed.

        Errors: T501 to T508, T111 (an option that the reader does not have), and whatever building it finds (T1xx).
        """
        if self.name == DEMO and not self.options and not Path(DEMO).exists():
            from thermoc.demo import network as demo_network

            return demo_network()
        # From the right, for a path of Windows has a colon too.
        path, colon, name = self.name.rpartition(":")
        if "format" in self.options:
            return _repaired(load(self.name, **self.options))
        if colon and path.endswith(".py"):
            if self.options:
                notes = [f"{next(iter(self.options))} is an option of a file's reader"]
                hint = f"say it in {path}: tc.Network({name!r}, dt=...)" if "dt" in self.options else ""
                raise error("T111", f"{path} is Python, which has no reader's options", notes=notes, hint=hint)
            return network_in(Path(path), name)
        if self.name.endswith(".py"):
            hint = f"name it: {self.name}:NAME; of a script of Brian2: -R format=brian2"
            raise error("T506", f"{self.name}: which network?", hint=hint)
        return _repaired(load(self.name, **self.options))


def _repaired(net: Network) -> Network:
    """Return a network, and print what its reader repaired or assumed."""
    for repair in net.repairs:
        say(_for_the_shell(repair), err=True)
    return net


def _for_the_shell(repair: Finding) -> str:
    return re.sub(r"tc\.load\(path, (\w+)=\.\.\.\)", lambda found: f"{_flag(found[1])} VALUE", str(repair))


def takes_model(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, whose first parameter is a ``ModelArgument``, the argument MODEL and the options of every reader.

    Each keyword of each reader of thermoc.frontends is ``--NAME VALUE`` of the command, where the command has no such
    option of its own, and ``-R NAME=VALUE`` always.
    """
    signature = inspect.signature(command, eval_str=True)
    model, *options_of_command = signature.parameters.values()
    readers = [
        _reader_option(name, kinds) for name, kinds in _known().items() if _flag(name) not in _flags(options_of_command)
    ]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        pairs = values.pop("reader") or []
        flags = {parameter.name: values.pop(parameter.name) for parameter in readers}
        named = {name.removeprefix(PREFIX): _value(text) for name, text in flags.items() if text is not None}
        options = reader_options(pairs)
        twice = [name for name in named if name in options and options[name] != named[name]]
        if twice:
            raise error("T303", f"{twice[0]} is given twice", notes=[f"-R {twice[0]}=..., and {_flag(twice[0])}"])
        values[model.name] = ModelArgument(name=values[model.name], options=options | named)
        command(**values)

    parameters = [model.replace(annotation=_ARGUMENT), *options_of_command, _pairs(), *readers]
    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    run.__signature__ = signature.replace(parameters=keyword)  # type: ignore[attr-defined]
    # typer reads types from here and everything else from the signature.
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in keyword}
    return run


_ARGUMENT = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A .thermo, .nir, .onnx or .net file, file.py:NAME for a network, or demo."),
]


def reader_options(pairs: list[str]) -> dict[str, Any]:
    """Return NAME=VALUE pairs as options of a reader. Errors: T303."""
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise error("T303", f"option {pair!r} is not NAME=VALUE", hint="e.g. -R dt=1e-4")
        options[name.lstrip("-").replace("-", "_")] = _value(text)
    return options


def _value(text: str) -> Any:
    """Return a value as JSON where it reads as such, several with commas between as a tuple, else as text."""
    try:
        value = json.loads(f"[{text}]" if "," in text and not text.startswith(("[", "{", '"')) else text)
    except ValueError:
        return text
    return tuple(value) if isinstance(value, list) else value


def _known() -> dict[str, dict[str, str]]:
    """Return what each reader says of each option: by option, then by format."""
    options: dict[str, dict[str, str]] = {"format": {"All": "the format by its name, where no suffix tells it"}}
    for name, format in FORMATS.items():
        if format.options_from:
            continue
        for option, help_text in _options(format).items():
            options.setdefault(option, {})[format.suffixes[0] if format.suffixes else name] = help_text
    return options


def _options(format: Format) -> Mapping[str, str]:
    try:
        return options_of(format)
    except ThermocError:  # a package's reader that does not load: told by thermoc formats, and where it is used
        return {}


def _reader_option(name: str, kinds: Mapping[str, str]) -> inspect.Parameter:
    help_text = "; ".join(f"{kind} files: {text}" if text else f"Of {kind} files" for kind, text in kinds.items())
    option = typer.Option(_flag(name), metavar="VALUE", help=f"{help_text}.", rich_help_panel="Readers of files")
    return _parameter(f"{PREFIX}{name}", Annotated[str | None, option])


def _pairs() -> inspect.Parameter:
    names = ", ".join(_known())
    text = f"An option of the file's reader by its name; may be repeated: {names}."
    option = typer.Option("--reader", "-R", metavar="NAME=VALUE", help=text)
    return _parameter("reader", Annotated[list[str] | None, option])


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _flags(parameters: list[inspect.Parameter]) -> set[str]:
    """Return the options that a command has of its own."""
    flags = {_flag(parameter.name) for parameter in parameters}
    for parameter in parameters:
        for extra in getattr(parameter.annotation, "__metadata__", ()):
            flags.update(getattr(extra, "param_decls", None) or ())
    return flags
