"""The instructions of a program, each stated once: opcode, kinds, named parameters, size check, rule or kernel.

``bounds`` (what a file may say), ``row_functions`` (what is compiled), ``feed_forward_split`` (what may run for many
ticks at once) and docs/program.md follow from the declarations.

To add an elementwise instruction, write its rule and one line into ``elementwise``. To add another one:

1. declare it in the file of its family, or in a new file here: an unused opcode (numbers are the file format: none is
   ever reused), its equation, kinds and parameters, and ``fits``, which must refuse whatever would lead the kernel
   outside its arrays. ``kernel`` names a function in ``simulator/kernels``; the names of its arguments say what it is
   handed: ``r x y z`` (operands), a parameter by its name, or what ``kernels/adapter.py`` lists. ``points`` names what
   one thread of a GPU does, in ``simulator/kernels/points``, with the same bits: sums run in the kernel's order, and
   products enter them by ``fma`` where they do so there. Its arguments are those of ``cuda/arguments.py``;
2. add its sample to ``tests/instruction_samples.py``: a network whose program has such a row, and for each
   parameter a value that must be refused.

What writes such rows is in ``backends/sim/rows``. ``pytest tests/simulator --update-golden`` writes docs/program.md.
"""

from thermoc.simulator.instructions.declaration import Instruction, RowSizes, SlotKind, Trait

__all__ = ["Instruction", "RowSizes", "SlotKind", "Trait"]
