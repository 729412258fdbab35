"""Random networks on every target for as long as told; what breaks is shrunk and written to a folder.

    make fuzz TIME=600 TARGETS=sim,onnx

For each fault: NAME.thermo and NAME.npz, the network as hypothesis shrank it and its inputs; NAME.small.thermo and
NAME.small.npz, cut down at the op that is wrong; NAME.txt, the report and the graph's text. Exit code 1 if there are any.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from conformity import OPTIONS
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from strategies import given_inputs, networks

import thermoc as tc
from thermoc import plugins
from thermoc.ir.text import parse_graph, print_graph

SEED = 5
A_ROUND = 100


def options(targets: Sequence[str], precision: str) -> dict[str, dict[str, Any]]:
    """The suite's options, and the precision for each target that has one."""
    precise = [name for name in targets if "precision" in plugins.backend(name).Options.__dataclass_fields__]
    return {name: OPTIONS.get(name, {}) | ({"precision": precision} if name in precise else {}) for name in targets}


def check(net: tc.Network, targets: Sequence[str], precision: str, **more: Any) -> None:
    """Fail where the text does not give the graph back, or a target does not hold its bounds.

    A target may refuse a network (T301); which it may is the matter of the conformance suite.
    """
    text = print_graph(net.graph)
    assert parse_graph(text) == net.graph
    assert print_graph(parse_graph(text)) == text
    for target in targets:
        try:
            chosen = options([target], precision)
            found = tc.verify(net, [target], inputs=given_inputs(net), seed=SEED, options=chosen, **more)
        except tc.ThermocError as refusal:
            if refusal.code != "T301":
                raise
            continue
        assert found.ok, f"{found}\n{text}"


def hunt(targets: Sequence[str], number: int, examples: int) -> tuple[tc.Network, str, str] | None:
    """Try many networks; return the smallest that breaks, its precision, and the report."""
    last: dict[str, tuple[tc.Network, str, str]] = {}

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(net=networks(most=12), precision=st.sampled_from(["float64", "float32"]))
    def attempt(net: tc.Network, precision: str) -> None:
        try:
            check(net, targets, precision)
        except Exception:
            last["found"] = net, precision, traceback.format_exc()
            raise

    try:
        attempt()
    except BaseException as reason:  # whatever breaks, assertion or crash, is what is looked for
        if isinstance(reason, KeyboardInterrupt):
            raise
    return last.get("found")


def keep(folder: Path, name: str, targets: Sequence[str], found: tuple[tc.Network, str, str]) -> None:
    """Write what was found."""
    net, precision, report = found
    folder.mkdir(parents=True, exist_ok=True)
    net.save(folder / f"{name}.thermo")
    np.savez_compressed(folder / f"{name}.npz", **given_inputs(net))  # pyright: ignore[reportArgumentType]
    try:
        check(net, targets, precision, reduce=folder / f"{name}.small")
    except Exception as reason:
        report += f"\n{reason}"
    (folder / f"{name}.txt").write_text(f"precision {precision}, seed {SEED}\n{report}\n{print_graph(net.graph)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--time", type=float, default=60, help="seconds")
    parser.add_argument("--targets", default="sim,onnx")
    parser.add_argument("--found", type=Path, default=Path("out/fuzz"))
    parser.add_argument("--seed", type=int, default=None, help="of the first round; default: any")
    given_ = parser.parse_args()
    targets, faults, rounds = given_.targets.split(","), 0, 0
    first = random.randrange(2**31) if given_.seed is None else given_.seed
    end = time.monotonic() + given_.time
    while time.monotonic() < end:
        found = hunt(targets, first + rounds, A_ROUND)
        rounds += 1
        if found is not None:
            faults += 1
            keep(given_.found, f"fault-{first + rounds - 1}", targets, found)
            print(f"round {rounds}: a fault, in {given_.found}/fault-{first + rounds - 1}.txt", flush=True)
    print(f"{rounds} rounds of {A_ROUND} networks from seed {first} on {', '.join(targets)}: {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
