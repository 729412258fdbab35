"""``thermoc sweep``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thermoc.cli.exit_codes import INTERRUPTED
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.support import memory
from thermoc.support.plurals import counted
from thermoc.support.tables import table

if TYPE_CHECKING:
    from thermoc.sweeps.plan import Sweep
    from thermoc.sweeps.result import SweepResult

SHOWN = 12
EXAMPLE = """\
A file to begin with; `thermoc sweep ising.toml` runs it on all cores:

\b
[model]
file = "ising.py:net"    # or "net.thermo"

\b
[run]
ticks = 400
batch = 8
record = { s = "every:4" }

\b
[parameters]
T = { from = 1.5, to = 3.5, steps = 9 }   # or a list

\b
[points]
method = "grid"          # or random, sobol, latin_hypercube, with count
seeds = 4

\b
[output]
store = "ising.zarr"
"""


def sweep(
    config: Annotated[
        Path, typer.Argument(metavar="SWEEP", help="A TOML file: model, run, points, parameters, options, output.")
    ],
    to: Annotated[Path | None, typer.Option("--to", help="The store, in the place of the file's.")] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster: tcp://host:port.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes on this machine; 0: this one alone.", show_default="one a core"),
    ] = None,
    retries: Annotated[int, typer.Option(help="How often a point that fails is tried again.")] = 2,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over the sweep in the store.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the points and the memory; run nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Run a network at many points, on this machine or a cluster; stopped and given again, it goes on."""
    from thermoc.sweeps.config import read_sweep
    from thermoc.sweeps.front import Where, carry_out

    progress = False if as_json else None
    where = Where(scheduler=scheduler, workers=workers, retries=retries, overwrite=overwrite, progress=progress)
    plan, path = read_sweep(config)
    path = path if to is None else to
    if dry_run:
        _foretell(plan, where.processes, as_json=as_json)
        return
    try:
        result = carry_out(plan, path, where)
    except KeyboardInterrupt:
        say(f"stopped; what is done is in {path}; to go on, give the same command", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(_document(result))
        return
    say(result)
    if result.objective is not None:
        say(table("the best", [result.best]))
    say(f"wrote {path}")


def _document(result: SweepResult) -> dict[str, Any]:
    best = {} if result.objective is None else {"best": result.best}
    attrs = {**result.attrs, "axes": json.loads(result.attrs["axes"])}
    about = {name: attrs[name] for name in ("network", "target", "method", "axes", "sweep_sha256")}
    done = {"points": result.store.count, "complete": result.complete}
    return {**about, **done, "results": result.names, **best, "path": str(result.path)}


def _foretell(made: Sweep, processes: int, *, as_json: bool) -> None:
    """Print the first points, and what a worker and the store will hold."""
    from thermoc.sweeps.front import first_point, stored_bytes

    _, parts = first_point(made)
    sizes = {"a worker": sum(parts.values()), "all workers": processes * sum(parts.values())}
    sizes["the store, before it is compressed"] = made.size * stored_bytes(made)
    points = [dict(zip(made.names, point)) for point in made.points[:SHOWN]]
    if as_json:
        print_json({"points": made.size, "first": points, "bytes": sizes})
        return
    rows = [{"point": str(number), **point} for number, point in enumerate(points)]
    kind = "searched for" if made.objective is not None else made.method
    say(table(f"{made.setup.network.name} on {made.setup.target}: {counted(made.size, 'point')}, {kind}", rows))
    if made.size > SHOWN and points:
        say(f"... and {counted(made.size - SHOWN, 'more point')}")
    say(table("memory", [{"what": n, "bytes": size, "is": memory.readable(size)} for n, size in sizes.items()]))
