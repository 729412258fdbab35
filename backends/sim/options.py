"""What ``tc.compile(net, "sim", ...)`` takes, checked."""

from __future__ import annotations

from dataclasses import dataclass

from thermoc.support.errors import error
from thermoc.support.suggestions import near

PRECISIONS = ("float64", "float32")


DEVICES = ("cpu", "cuda", "auto")


@dataclass(frozen=True, kw_only=True)
class SimOptions:
    """precision: float64 or float32. threads: at most so many, default one a core. Errors: T303.

    device: "cpu"; "cuda", a GPU of NVIDIA's; or "auto", a GPU where there is one.
    """

    precision: str = "float64"
    threads: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        check_engine(self.precision, self.threads)
        if self.device not in DEVICES:
            notes, hint = [f"device = {self.device!r}"], near(self.device, DEVICES)
            raise error("T303", f"device must be one of {', '.join(DEVICES)}", notes=notes, hint=hint)
        if self.device == "auto":
            from thermoc.simulator.processors import best_device

            # what is chosen is what a run's record and a checkpoint say
            object.__setattr__(self, "device", best_device())


def check_engine(precision: object, threads: object) -> None:
    """Refuse a float format or a number of threads that the engine does not have. Errors: T303."""
    if precision not in PRECISIONS:
        notes, hint = [f"precision = {precision!r}"], near(precision, PRECISIONS)
        raise error("T303", f"precision must be one of {', '.join(PRECISIONS)}", notes=notes, hint=hint)
    if threads is not None and (type(threads) is not int or threads < 1):
        raise error("T303", "threads must be an integer >= 1", notes=[f"threads = {threads!r}"])
