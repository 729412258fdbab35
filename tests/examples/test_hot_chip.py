"""The example of a chip that heats up, run as a user would."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_hot_die_samples_wrong_and_placement_mends_it(tmp_path):
    """By wires the p-bits draw above 4 standard errors too warm, by temperature within 4; seeds are fixed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/hot_chip.py"), "hot", "12"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"(\S[\w ]+\S) +draws at T = ([\d.]+) \+- ([\d.]+)", done.stdout)
    draws = {name: (float(T), float(error)) for name, T, error in found}
    assert set(draws) == {"asked for", "placed by wire", "placed by temperature"}, done.stdout
    for name, (T, error) in draws.items():
        assert (4 * error < T - 1) if name == "placed by wire" else (abs(T - 1) < 4 * error), done.stdout
    for name in ("floorplan-wire", "heat-wire", "floorplan-thermal", "heat-thermal"):
        assert (tmp_path / "hot" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "hot" / "frames").glob("*.png"))) == 8
