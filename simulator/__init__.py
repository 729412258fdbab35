"""The simulator: runs a ``Program`` of flat arrays in Numba. It knows nothing of graphs, and can be used alone."""

from thermoc.simulator.program import Bank, Program, ProgramPort, ProgramState
from thermoc.simulator.program_file import load

__all__ = ["Bank", "Program", "ProgramPort", "ProgramState", "load", "run"]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str):
    if name == "run":  # numba loads with the engine, not with the description of a program
        from thermoc.simulator.session import run

        globals()[name] = run
        return run
    raise AttributeError(f"module 'thermoc.simulator' has no attribute {name!r}")
