"""Run every benchmark, each in a process of its own, and write what came out beside its goals to RESULTS.md.

    python benchmarks/run.py [--quick] [NAME ...]      default: all of them, on an idle machine

Rows are what scripts give to ``timing.report``. They are kept in ``cpu.json``, so that a benchmark that is run again by
its name replaces its own rows alone. ``--quick`` shows a table and writes nothing: its figures are rough. A script that
fails, takes too long or reports nothing is a row that says so, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from results_page import CPU, FOLDER, machine, page, rows_of, versions
from timing import beside_goal, show

LIMIT, QUICK_LIMIT = 3600.0, 60.0
"""Seconds that one script may take."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", help="of benchmarks, without .py; default all")
    parser.add_argument("--quick", action="store_true", help="fewer rounds; nothing is written")
    options = parser.parse_args()
    stored: dict[str, Any] = json.loads(CPU.read_text()) if CPU.exists() and options.names else {"results": {}}
    results, failed = {}, list[str]()
    for script in scripts(options.names):
        print(f"== {script.stem}", flush=True)
        results[script.stem] = result = measured(script, quick=options.quick)
        failed += [script.stem] if result["failure"] else []
        if not options.quick:
            # after each: an hour's figures are not lost where it is interrupted
            stored |= {"machine": machine(), "versions": versions(), "results": stored["results"] | results}
            CPU.write_text(json.dumps(stored, indent=1) + "\n")
            (FOLDER / "RESULTS.md").write_text(page())
    show("all results", [beside_goal(row) for row in rows_of(results)])
    show("how long they took", [{"benchmark": name, "seconds": result["seconds"]} for name, result in results.items()])
    if failed:
        print(f"without a figure: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def scripts(names: list[str]) -> list[Path]:
    """Return the benchmarks of these names, or all but those of a GPU."""
    runnable = {
        path.stem: path for path in sorted(FOLDER.glob("*.py")) if '\nif __name__ == "__main__":' in path.read_text()
    }
    known = {name: path for name, path in runnable.items() if name != "run" and not name.startswith("gpu")}
    if unknown := set(names) - known.keys():
        sys.exit(f"there is no benchmark {min(unknown)!r}: {', '.join(known)}")
    return [known[name] for name in names or known]


def measured(script: Path, *, quick: bool) -> dict[str, Any]:
    """Return what a script reports: ``rows``, ``seconds``, ``date``, and ``failure``, empty where there is none."""
    words = ["--quick"] if quick else []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "rows"
        report.touch()
        failure = run([sys.executable, str(script), *words], report, QUICK_LIMIT if quick else LIMIT)
        # JSON has no NaN
        rows = [json.loads(line, parse_constant=lambda _: None) for line in report.read_text().splitlines()]
    if not rows and not failure:
        failure = "it reports no figure"
    if failure:
        rows.append(
            {"work": script.stem, "anchor": "", "ratio": None, "goal": None, "better": "higher", "note": failure}
        )
    seconds = round(time.perf_counter() - start, 1)
    return {"rows": rows, "seconds": seconds, "date": time.strftime("%Y-%m-%d"), "failure": failure}


def run(command: list[str], report: Path, limit: float) -> str:
    """Run a script whose rows go to ``report``; return what went wrong, if anything."""
    environment = {**os.environ, "THERMOC_BENCH_JSON": str(report)}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        return f"it took more than {limit:.0f} s"
    finally:
        # a script may have started others
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return f"it ended with exit code {code}" if code else ""


if __name__ == "__main__":
    sys.exit(main())
