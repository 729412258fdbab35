"""Compiles every instruction's points, and kernels of devices and chips, to PTX, with no GPU; prints JSON of each.

Run by ``test_ptx``.

Usage: python ptx_of_instructions.py CAPABILITY...; a capability is "9.0".
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from itertools import chain
from types import SimpleNamespace

from cases import network
from instruction_samples import SAMPLES
from numba.cuda import dispatcher

import thermoc as tc
from thermoc.simulator.cuda import compiler, cosines, crossbar, lattice
from thermoc.simulator.cuda.arguments import asks
from thermoc.simulator.cuda.ports import COPIES
from thermoc.simulator.cuda.source import text_of
from thermoc.simulator.cuda.stages import Stage, stages
from thermoc.simulator.instructions.declaration import Instruction
from thermoc.simulator.instructions.registry import BY_NAME
from thermoc.simulator.wanted_outputs import with_outputs

FLOATS = {"like", "constants", "float_scratch", "float_states"}
"""What a point may ask for beside its operands that has the format of floats."""
IN_FLOAT64 = {"DEVICES"}
"""Computed in float64 whatever the format."""
APPROXIMATE, EXTREME = r"\b\w+\.(?:approx|ftz)\S*", r"\b(?:min|max)\.f\d+"
"""A GPU's own approximations; its minimum of a number and NaN is the number, where the CPU's is NaN."""


def reads_floats(instruction: Instruction) -> bool:
    """Whether an instruction's point is compiled anew for each format of floats."""
    kinds = (instruction.result, *instruction.operands)
    asked = set[str]() if instruction.opcode in COPIES else {*asks(instruction)}
    return any(kind is not None and kind.real for kind in kinds) or bool(asked & FLOATS)


def kernels(precision: str) -> Iterator[tuple[list[str], compiler.Kernel]]:
    """Yield kernels that have every instruction once, and their names; of float32 those that float64 leaves out."""
    known = (
        set[str]()
        if precision == "float64"
        else IN_FLOAT64 | {one.name for one in BY_NAME.values() if not reads_floats(one)}
    )
    for sample in SAMPLES.values():
        net = network(sample.network, "all vary") if isinstance(sample.network, str) else sample.network()
        program = with_outputs(tc.compile(net, "sim", precision=precision).artefact.program, sample.wanted)
        steps = {step.instruction.name: step for stage in stages(program) for step in stage.steps}
        new = {name: Stage([step]) for name, step in steps.items() if name not in known}
        if new:
            known |= new.keys()
            yield [*new], compiler.kernel_of(program, text_of(program, tuple(new.values())))
    assert known == BY_NAME.keys(), f"no sample has {BY_NAME.keys() - known}"
    if precision == "float64":
        for module in (cosines, crossbar, lattice):
            yield [module.__name__], module.kernel()


def main(*capabilities: str) -> None:
    pairs = [(int(one.split(".")[0]), int(one.split(".")[1])) for one in capabilities]
    # functions that kernels call ask the driver for a device, which is not there
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=pairs[0])
    # one process for both formats: what both call is lowered once
    for names, kernel in chain(kernels("float64"), kernels("float32")):
        # elsewhere a minimum may be of what is known to be a number
        elementwise = any(name in BY_NAME and BY_NAME[name].rule is not None for name in names)
        inexact = f"{APPROXIMATE}|{EXTREME}" if elementwise else APPROXIMATE
        codes = {one: compiler.ptx(kernel, pair) for one, pair in zip(capabilities, pairs)}
        targets = {one: re.findall(r"^\.target sm_\d+", code, re.MULTILINE)[0] for one, code in codes.items()}
        named = sorted({name for code in codes.values() for name in re.findall(inexact, code)})
        longest = max(map(len, codes.values()))
        print(json.dumps({"names": names, "targets": targets, "inexact": named, "bytes": longest}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
