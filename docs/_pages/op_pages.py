"""A page for each op: equation, call, shapes, units, order, targets, sources, a figure; nothing of it is written twice.

What an op is comes from its class, its meaning from ``ir/reference``, the order of its step from docs/physics.md, what
each target makes of it from docs/support.md; only the equation in LaTeX stands here, in equations.toml.
"""

from __future__ import annotations

import dataclasses
import html
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from op_figures import FIGURES

from thermoc.ir.functions import FUNCTIONS
from thermoc.ir.ops import CONTINUOUS, REGISTRY, STATEFUL, AttrSpec, Op, OperandSpec, ResultSpec
from thermoc.ir.reference.meaning import MEANINGS

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
SOURCE = "https://github.com/thermoc/thermoc/blob/main/"
OPS = [name for name, cls in REGISTRY.items() if cls.__module__.startswith("thermoc.ir.dialects")]
"""Ours: an op of a plugin is described where the plugin is."""
DIALECTS = {
    "core": "Numbers, shapes, delays: what every network needs.",
    "thermo": "Units with energy, entropy and temperature; noise, sampling, heat, motion.",
    "spiking": "NIR's neurons, each the equation that it is, and the steps that passes make of them.",
    "loihi": "The integers of Loihi 2, bit for bit. Passes write these; a network may too.",
    "crossbar": "Products on cells of memristors.",
}
UNITS = {
    "temperature": "energy / k_B",
    "energy": "energy",
    "probability": "1",
    "spike": "1",
}
INTEGERS = "integers, as Loihi 2 has them; no rounding but the shifts above"


@cache
def equations() -> dict[str, str]:
    """Return the equation of each op in LaTeX."""
    tables = tomllib.loads((Path(__file__).parent / "equations.toml").read_text())
    return {f"{dialect}.{noun}": text for dialect, nouns in tables.items() for noun, text in nouns.items()}


@cache
def orders() -> dict[str, str]:
    """Return the step of each op that the tables of docs/physics.md name."""
    text = (DOCS / "physics.md").read_text().partition("## Certificates")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*`.*\|$", text, re.M)]
    return {noun.rstrip("_"): row[-1] for row in rows for noun in re.findall(r"`(\w+)`", row[0])}


@cache
def support() -> dict[str, dict[str, str]]:
    """Return how each target holds each op, from docs/support.md."""
    rows = re.findall(r"^\| (.*) \|$", (DOCS / "support.md").read_text(), re.M)
    targets = next(row for row in rows if row.startswith("op | ")).split(" | ")[1:]
    cells = [row.split(" | ") for row in rows if re.match(r"`\w+\.\w+` \| ", row)]
    return {op.strip("`"): dict(zip(targets, found)) for op, *found in cells}


def op_pages() -> dict[str, str]:
    """Return the Markdown of each page by its path."""
    pages = {f"ops/{name}.md": op_page(name) for name in OPS}
    return {"ops/index.md": index(), **pages}


def index() -> str:
    """Return the page that lists all ops, a line each."""
    parts = [
        "# Ops",
        "",
        "Every op of the language, a page each: its equation, shapes and units, the order of its step, where it runs,",
        "and a small figure of what the reference makes of it. One table of all is [support](../support.md).",
        "",
    ]
    for dialect, says in DIALECTS.items():
        parts += [f"## {dialect}", "", says, "", "| op | call | |", "|---|---|---|"]
        names = [name for name in OPS if name.startswith(f"{dialect}.")]
        parts += [f"| [`{name}`]({name}.md) | `{callee(name)}` | {first_line(REGISTRY[name])} |" for name in names]
        parts.append("")
    return "\n".join(parts)


def op_page(name: str) -> str:
    """Return the page of an op."""
    cls = REGISTRY[name]
    parts = [
        f"# {name}",
        "",
        f'<div class="equation">{convert(equations()[name], display="block")}</div>',
        "",
        *documented(cls),
        "",
        f"```{{.python .call}}\n{callee(name)}{signature(name)}\n```",
        "",
        f"<figure markdown=0>{FIGURES[name]()}<figcaption>Drawn from the reference interpreter.</figcaption></figure>",
        "",
        "## Takes and gives",
        "",
        *shapes(cls),
        "",
        f"**Step.** {order(cls)}",
        "",
        "## Targets",
        "",
        "| target | how |",
        "|---|---|",
        *(f"| `{target}` | {cell} |" for target, cell in support().get(name, {}).items()),
        "",
        "The number is that of small networks with this op that hold their bounds ([support](../support.md)).",
        "",
        "## Meaning",
        "",
        *meaning(cls),
    ]
    return "\n".join(parts) + "\n"


def callee(name: str) -> str:
    """Return the Python function of an op as users call it."""
    dialect, _, _ = name.partition(".")
    function = FUNCTIONS[name].__name__
    return f"tc.loihi.{function}" if dialect == "loihi" else f"tc.{function}"


def signature(name: str) -> str:
    """Return the parameters of an op's function, each on a line where they are many."""
    text = str(inspect.signature(FUNCTIONS[name]))
    if len(text) < 70:
        return text
    return "(\n" + textwrap.fill(text[1:-1], 88, initial_indent="    ", subsequent_indent="    ") + ",\n)"


def first_line(cls: type[Op]) -> str:
    """Return the first paragraph of an op's docstring, for a cell of a table."""
    text = " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())
    return plain(text).replace("|", "\\|")


def documented(cls: type[Op]) -> Iterator[str]:
    """Yield the paragraphs of an op's docstring; formulas of docs/physics.md become links."""
    for paragraph in (inspect.getdoc(cls) or "").split("\n\n"):
        yield linked(plain(" ".join(paragraph.split())), "../")
        yield ""


def linked(text: str, up: str = "") -> str:
    """Return a text in which the numbers of formulas lead to docs/physics.md."""
    return re.sub(r"\bP([1-9]\d?)\b", rf"[P\1]({up}physics.md#p\1)", text)


def plain(text: str) -> str:
    """Return a docstring's text as Markdown in which nothing but its code is markup."""
    pieces = re.split(r"(``.+?``)", text)
    return "".join(piece[1:-1] if piece.startswith("``") else _escaped(piece) for piece in pieces)


def _escaped(text: str) -> str:
    return html.escape(re.sub(r"([*_\[\]\\`])", r"\\\1", text), quote=False)


def shapes(cls: type[Op]) -> Iterator[str]:
    """Yield the table of an op's operands, attributes and results."""
    yield "| | name | shape | unit | |"
    yield "|---|---|---|---|---|"
    defaults = {item.name: item.default for item in dataclasses.fields(cls)}
    for key, spec in cls.operand_specs.items():
        yield f"| operand | `{key}` | {shape(spec)} | {unit(spec)} | {'; '.join(conditions(spec))} |"
    for key, spec in cls.attr_specs.items():
        yield f"| attribute | `{key}` | | {spec.unit} | {'; '.join(attribute(spec, defaults[key]))} |"
    for key, spec in cls.result_specs.items():
        yield f"| result | `{key}` | {shape(spec)} | {unit(spec)} | |"
    yield ""
    yield "Letters are lengths, equal letters equal lengths; `*s` is any shape, `~s` one that broadcasts into it. The"
    yield "batch axis comes in front and is not written."


def shape(spec: OperandSpec | ResultSpec) -> str:
    """Return the shape of a value in letters."""
    return f"`[{', '.join(spec.shape.split())}]`" if spec.shape else "one number"


def unit(spec: OperandSpec | ResultSpec) -> str:
    """Return what a value's role says of its unit."""
    return UNITS.get(spec.role.value, "") if spec.role else ""


def conditions(spec: OperandSpec) -> Iterator[str]:
    """Yield what an operand must be."""
    if spec.kind != "float":
        yield spec.kind
    if spec.constant:
        yield "known when it is compiled"
    if spec.uniform:
        yield "the same for every sample"
    if spec.variadic:
        yield "one or more"
    if spec.default is not None:
        yield f"default {spec.default:g}"
    elif spec.optional:
        yield "may be left out"


def attribute(spec: AttrSpec, default: Any) -> Iterator[str]:
    """Yield what an attribute must be."""
    if spec.check:
        yield spec.check.text
    if default is not dataclasses.MISSING:
        yield f"default `{default!r}`" if not hasattr(default, "value") else f"default `{default.value}`"


def order(cls: type[Op]) -> str:
    """Return the order of an op's step, or that there is none."""
    dialect, _, noun = cls.opname.partition(".")
    if dialect == "loihi":
        return INTEGERS + "."
    if not cls.pure() and dialect in ("thermo", "spiking") and orders().get(noun):
        return f"{orders()[noun]} ([physics](../physics.md))."
    if CONTINUOUS in cls.traits:
        return "continuous in time: the text above says how `discretize` advances it."
    return "one tick, exactly as written." if STATEFUL in cls.traits else "none: it has no time in it."


def meaning(cls: type[Op]) -> Iterator[str]:
    """Yield where an op is declared, and the code of the reference that is its meaning."""
    found = MEANINGS.get(cls)
    if found is None:
        yield f"Declared in {link(cls)}; the interpreter itself hands it over."
        return
    yield f"Declared in {link(cls)}. What it means, in the reference interpreter:"
    yield ""
    seen: set[Any] = set()
    for item in dataclasses.fields(found):
        function = inspect.unwrap(getattr(found, item.name))
        if function in seen or not inspect.isfunction(function):
            continue
        seen.add(function)
        yield f"```python\n{textwrap.dedent(inspect.getsource(function)).rstrip()}\n```"
        yield ""


def link(thing: Any) -> str:
    """Return a link to the lines of a class; of one that a call made, to its file."""
    path = Path(inspect.getfile(thing)).resolve().relative_to(ROOT)
    try:
        line = f"#L{inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):
        line = ""
    return f"[`{path}`]({SOURCE}{path}{line})"
