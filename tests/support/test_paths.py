"""What is no name of a file is refused as such, wherever one is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc


def _compiled() -> tc.Executable:
    with tc.Network("one") as net:
        tc.output("y", tc.input("x", (1,)))
    return tc.compile(net, "sim")


def _run(ticks: int) -> tc.Run:
    return _compiled().run({"x": np.zeros((ticks, 1, 1))}, record={"y": tc.every(10)})


CALLS: dict[str, Callable[[Any], object]] = {
    "load": tc.load,
    "open_run": tc.open_run,
    "run.save": lambda path: _run(3).save(path),
    "net.save": lambda path: tc.Network("n").save(path),
    "exe.save": lambda path: _compiled().save(path),
    "session.save": lambda path: _compiled().start().save(path),
    "load_session": lambda path: _compiled().load_session(path),
    "resume": tc.resume,
    "plot": tc.plot.format_of,
    "sweeps.open": tc.sweeps.open,
}


@pytest.mark.parametrize("given", [None, 3, b"run.npz"], ids=repr)
@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_name_of_a_file_is_refused(name: str, given: object):
    with pytest.raises(tc.ThermocError) as caught:
        CALLS[name](given)
    assert caught.value.code == "T111" and f"it is {given!r}" in str(caught.value)


def test_a_run_that_is_shorter_than_what_is_kept_of_it_warns(tmp_path: Path):
    run = _run(3)
    run.save(tmp_path / "run.zarr")
    stored = tc.open_run(tmp_path / "run.zarr")
    assert [finding.code for finding in stored.warnings] == ["W105"]
    assert [finding.code for finding in run.warnings] == ["W105"] and "every:10" in str(run)
    longer = _run(10)
    assert not longer.warnings and longer["y"].shape == (1, 1, 1)
