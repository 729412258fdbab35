"""Pass options as text: how a value of each type prints, and how it is read back."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from thermoc.ir.target import TargetDescription
from thermoc.passes.pipeline_syntax import Braces, Listed, Syntax, Word

WITHHELD = "..."
"""What stands in a pass's text for an option that has no text: a function, or arrays to calibrate on."""
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_.+-]*")
_NAMES: Mapping[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text",
    TargetDescription: "a target",
}

Targets = Callable[[str], TargetDescription]


class Unreadable(Exception):
    """A piece of text is no value of the type that the option has."""


def printed(value: Any) -> str:
    """Return the text of an option's value; ``...`` where it has none."""
    match value:
        # bool before int, for it is one.
        case None | bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case str():
            return value if _BARE.fullmatch(value) and value != "none" else json.dumps(value)
        case int() | float():
            return repr(value)
        case TargetDescription():
            return printed(value.name)
        case tuple():
            return f"({', '.join(map(printed, cast('tuple[Any, ...]', value)))})"
        case _:
            return f"{{{stated(value)}}}" if dataclasses.is_dataclass(value) else WITHHELD


def stated(item: Any) -> str:
    """Return the fields of a dataclass as ``name=value`` pairs: those that are not at their defaults."""
    # Only what differs is printed, so that texts stay short and a new default shows.
    pairs = ((field, getattr(item, field.name)) for field in dataclasses.fields(item))
    return ", ".join(f"{field.name}={printed(value)}" for field, value in pairs if not _is_default(field, value))


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    # 1 == 1.0 == True in Python: a value of another type is not the default, and must print.
    return value is field.default or (type(value) is type(field.default) and value == field.default)


def option_types(item: type[Any]) -> Mapping[str, Any]:
    """Return the type of each option of a pass, or of each field of an option that is a dataclass."""
    hints = get_type_hints(item)
    return {field.name: hints[field.name] for field in dataclasses.fields(item)}


def described(kind: Any) -> str:
    """Return what an option of this type takes, in words; '' where it has no text."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(map(printed, inner))
    if origin in (Union, UnionType, tuple):
        texts = ["none" if inner_kind is NoneType else described(inner_kind) for inner_kind in inner]
        return "" if "" in texts else f"({', '.join(texts)})" if origin is tuple else " or ".join(texts)
    if kind in _NAMES:
        return _NAMES[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(str(member.value) for member in kind)
    return "options in braces" if dataclasses.is_dataclass(kind) else ""  # pyright: ignore[reportUnknownArgumentType]


def value_of(kind: Any, syntax: Syntax, targets: Targets) -> Any:
    """Return the value that a piece of text has as an option of this type.

    Raises Unreadable where it has none; what targets and dataclasses themselves refuse passes through.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        # A quoted "none" is a text, not the absence of a value.
        if syntax == Word(text="none") and NoneType in inner:
            return None
        return value_of(next(inner_kind for inner_kind in inner if inner_kind is not NoneType), syntax, targets)
    match syntax:
        case Listed(items=items) if origin is tuple and len(items) == len(inner):
            return tuple(value_of(inner_kind, item, targets) for inner_kind, item in zip(inner, items))
        case Braces(options=options) if dataclasses.is_dataclass(kind) and kind != TargetDescription:  # pyright: ignore[reportUnnecessaryComparison]
            dataclass_: Any = kind
            kinds = option_types(dataclass_)
            if options.keys() <= kinds.keys():
                return dataclass_(**{name: value_of(kinds[name], item, targets) for name, item in options.items()})
        case Word():
            return _of_word(kind, syntax, targets)
        case _:
            pass
    raise Unreadable


def _of_word(kind: Any, word: Word, targets: Targets) -> Any:
    if get_origin(kind) is Literal and word.text in get_args(kind):
        return word.text
    if kind is str:
        return word.text
    if kind is TargetDescription:
        return targets(word.text)
    if kind is bool and word.text in ("true", "false"):
        return word.text == "true"
    if kind in (int, float) or (isinstance(kind, type) and issubclass(kind, Enum)):
        try:
            value: Any = kind(word.text)
        except ValueError:
            raise Unreadable from None
        # inf and nan parse as floats, but no option can mean them.
        if kind is not float or math.isfinite(value):
            return value
    raise Unreadable
