"""Read a list of passes from text, ``fuse,discretize{dt=0.1},legalize{target=onnx}``, and print it so."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from thermoc.passes.base import Pass
from thermoc.passes.option_text import WITHHELD, Targets, Unreadable, described, option_types, printed, value_of
from thermoc.passes.pipeline_syntax import Braces, Listed, PassSyntax, Syntax, Word, parse_syntax
from thermoc.passes.registry import pass_class
from thermoc.support.errors import ThermocError, error
from thermoc.support.suggestions import near


def print_pipeline(passes: Sequence[Pass]) -> str:
    """Return the text of a list of passes, which ``parse_pipeline`` reads."""
    return ",".join(map(str, passes))


def parse_pipeline(text: str, *, targets: Targets, defaults: Mapping[str, Any]) -> tuple[Pass, ...]:
    """Return the passes of a text.

    targets: gives a target's description by its name. defaults: what an option takes that the text leaves out and the
    pass has no default for: ``dt``, the network's, and ``target``, the one compiled for.
    Errors: T210 (no such pass), T211 (the text cannot be parsed), T212 (an option), and what a pass itself refuses.
    """
    return tuple(_made(syntax, targets, defaults) for syntax in parse_syntax(text))


def _made(syntax: PassSyntax, targets: Targets, defaults: Mapping[str, Any]) -> Pass:
    cls = pass_class(syntax.name)
    types = option_types(cls)
    for name in syntax.options:
        if name not in types:
            raise _unknown(syntax, name, types)
    options = {name: _value(syntax, name, types[name], item, targets) for name, item in syntax.options.items()}
    for field in dataclasses.fields(cls):
        if field.name not in options and _is_required(field):
            options[field.name] = _default(syntax, field.name, types[field.name], defaults)
    return cls(**options)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(syntax: PassSyntax, name: str, kind: Any, item: Syntax, targets: Targets) -> Any:
    expected = described(kind)
    if not expected or item == Word(text=WITHHELD):
        notes = ["it is a function, or arrays" if not expected else f"{WITHHELD} stands for what has no text"]
        hint = f"give the pass itself in Python: tc.compile(net, target, passes=[..., {syntax.name} with {name}=...])"
        raise _wrong(syntax, f"option {name!r} of pass {syntax.name} has no text", notes, hint)
    try:
        return value_of(kind, item, targets)
    except Unreadable:
        notes = [f"it takes {expected}", f"the text says {name}={shown(item)}"]
        raise _wrong(syntax, f"option {name!r} of pass {syntax.name} has a wrong value", notes) from None


def _default(syntax: PassSyntax, name: str, kind: Any, defaults: Mapping[str, Any]) -> Any:
    if defaults.get(name) is not None:
        return defaults[name]
    notes = [f"it takes {described(kind)}"]
    raise _wrong(syntax, f"pass {syntax.name} needs the option {name!r}", notes, f"{syntax.name}{{{name}=...}}")


def _unknown(syntax: PassSyntax, name: str, types: Mapping[str, Any]) -> ThermocError:
    notes = [f"its options are {', '.join(types)}" if types else "it has no options"]
    hint = near(name, types, "thermoc passes lists them")
    return _wrong(syntax, f"pass {syntax.name} has no option {name!r}", notes, hint)


def _wrong(syntax: PassSyntax, what: str, notes: list[str], hint: str = "") -> ThermocError:
    return error("T212", what, notes=[*notes, f"character {syntax.position} of the pipeline's text"], hint=hint)


def shown(item: Syntax) -> str:
    """Return a value of the text as it was written, but for spaces."""
    match item:
        case Word(text=text, quoted=quoted):
            return printed(text) if quoted else text
        case Listed(items=items):
            return f"({', '.join(map(shown, items))})"
        case Braces(options=options):
            return f"{{{', '.join(f'{name}={shown(value)}' for name, value in options.items())}}}"
