"""docs/program.md is what the declarations say: ``pytest tests/simulator --update-golden`` writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from thermoc.simulator import Bank
from thermoc.simulator.instructions.declaration import OPERANDS, PARAMETERS, Instruction, Trait
from thermoc.simulator.instructions.registry import INSTRUCTIONS
from thermoc.simulator.program import KIND, VERSION

PAGE = Path(__file__).parents[2] / "docs" / "program.md"
HEAD = """# The program format

For those who write another engine for the simulator's programs, read one by hand, or add an instruction: what a
`.program` file says, and the meaning of every row. Whoever compiles and runs networks needs none of it. This page is
generated from the declarations in `simulator/instructions`; `pytest tests/simulator --update-golden` writes it.

A file is a bundle ([security.md](security.md)) of kind "{kind}", version {version}. Its document holds the name, `dt`,
the precision (float64 or float32), the working memory of a sample (`work`: floats, integers), and the inputs, outputs
and states with their shapes and offsets. Its arrays are `code`, `slots`, `floats` and `ints` (constants), `table`
(places and offsets, integers) and `state.0`, `state.1`, ... (where each state starts). Integers have 64 bits. Where
`parameters` are named, each is a stretch of the constants (`offset`, among the integers or floats) that holds an array of
that name and shape, in order or those of its elements that `parameter.0.places` names, 0 where that is -1; what is
computed of others has a name that begins with %.

A row of `slots` is (bank, offset, elements):

| bank | what lies there |
|---|---|
{banks}

A row of `code` is (opcode, slot of the result r, slots of the operands x, y, z, six parameters); a slot that is absent
is -1, a parameter that an instruction does not have is 0. Rows run in order for each sample, once a tick. What follows
are the rows that exist. In an equation `table[...]` is the table, and a state stands where a parameter says.

| trait | what an engine must know of such a row |
|---|---|
{traits}
"""


def bank_row(bank: Bank) -> str:
    owner = {0: "constants, one for all samples", 2: "work of a sample", 4: "states of a sample, which last"}[
        bank // 2 * 2
    ]
    return f"| {int(bank)} | {'integers' if bank % 2 else 'floats'}: {owner} |"


def instruction_row(one: Instruction) -> str:
    operands = ", ".join(f"{name}: {kind}" for name, kind in zip("xyz", one.operands))
    parameters = "; ".join(f"`{name}`: {meaning}" for name, meaning in one.parameters.items())
    traits = ", ".join(sorted(one.traits))
    cells = (one.opcode, f"`{one.name}`", one.result or "", operands, parameters, one.equation, traits)
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def page() -> str:
    columns = ("opcode", "name", "result", "operands", "parameters", "what it does", "traits")
    table = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *map(instruction_row, INSTRUCTIONS.values())]
    assert (OPERANDS, PARAMETERS) == (3, 6), "the page says so"
    traits = "\n".join(f"| {trait} | {trait.meaning} |" for trait in Trait)
    head = HEAD.format(kind=KIND, version=VERSION, banks="\n".join(map(bank_row, Bank)), traits=traits)
    return f"{head}\n" + "\n".join(table) + "\n"


def test_the_page_says_what_the_declarations_say(request: pytest.FixtureRequest):
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page())
    assert page() == PAGE.read_text(), "run pytest tests/simulator/test_program_page.py --update-golden"
