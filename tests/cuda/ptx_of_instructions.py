"""Compiles every instruction's points, and kernels of devices and chips, to PTX, with no GPU; prints JSON of each.

Run by ``test_ptx``.

Usage: python ptx_of_instructions.py PRECISION CAPABILITY...; a capability is "9.0".
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from types import SimpleNamespace

from cases import network
from instruction_samples import SAMPLES
from numba.cuda import dispatcher

import thermoc as tc
from thermoc.simulator.cuda import compiler, cosines, crossbar, lattice
from thermoc.simulator.cuda.source import text_of
from thermoc.simulator.cuda.stages import Stage, stages
from thermoc.simulator.instructions.registry import BY_NAME
from thermoc.simulator.wanted_outputs import with_outputs


def kernels(precision: str) -> Iterator[tuple[list[str], compiler.Kernel]]:
    """Yield kernels that have every instruction once, and their names."""
    known = set[str]()
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


def main(precision: str, *capabilities: str) -> None:
    pairs = [(int(one.split(".")[0]), int(one.split(".")[1])) for one in capabilities]
    # functions that kernels call ask the driver for a device, which is not there
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=pairs[0])
    for names, kernel in kernels(precision):
        codes = {one: compiler.ptx(kernel, pair) for one, pair in zip(capabilities, pairs)}
        targets = {one: re.findall(r"^\.target sm_\d+", code, re.MULTILINE)[0] for one, code in codes.items()}
        inexact = sorted({name for code in codes.values() for name in re.findall(r"\w+\.approx\S*|\w+\.ftz\S*", code)})
        print(json.dumps({"names": names, "targets": targets, "inexact": inexact}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
