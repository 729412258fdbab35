"""Store a sample of each op, for every later version to read: python tests/ir/store_samples.py

Writes only what is missing. A stored sample is never written again.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cases import CASES, network

from thermoc.ir.serial import VERSION


def main() -> None:
    """Write a file and its text for each case of the table that has none."""
    folder = Path(__file__).parent / "samples" / f"v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        path = folder / f"{case.replace(', ', '-').replace(' ', '_')}.thermo"
        if ("," not in case and not path.exists()) or not any(folder.glob(f"{case.split(',')[0]}*.thermo")):
            net = network(case, "all vary")
            net.save(path)
            path.with_suffix(".txt").write_text(str(net.graph))


if __name__ == "__main__":
    main()
