"""Put the commands together, and turn errors into messages and exit codes."""

from __future__ import annotations

import json
import os
import sys
import traceback
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

import thermoc
from thermoc.cli import certify, demo, doctor, run, show, targets, verify
from thermoc.cli import compile as compile_
from thermoc.support.errors import ThermocError

OK, USER, TOOL = 0, 1, 2
INTERRUPTED = 130
"""128 and the number of the signal, as shells have it."""

app = typer.Typer(
    name="thermoc",
    help="Compile and run thermodynamic networks: one source, every target.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("compile")(compile_.compile)
app.command("run")(run.run)
app.command("certify")(certify.certify)
app.command("verify")(verify.verify)
app.command("show")(show.show)
app.command("targets")(targets.targets)
app.command("doctor")(doctor.doctor)


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"thermoc {thermoc.__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Compile and run thermodynamic networks: one source, every target."""


def main() -> NoReturn:
    """Run the command line and exit: 0 ok, 1 the user's mistake, 2 the tool's, 130 for Ctrl-C."""
    try:
        app()
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as stop:  # typer's own: 2 where the command line itself is wrong, 130 for Ctrl-C
        if stop.code == INTERRUPTED:
            _interrupted()
        sys.exit(USER if stop.code == 2 else stop.code)
    except ThermocError as problem:
        _tell(problem)
        sys.exit(USER)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(OK)
    except Exception:
        traceback.print_exc()
        typer.echo("thermoc failed: a fault of thermoc, not of your input. Please report the lines above.", err=True)
        sys.exit(TOOL)
    sys.exit(OK)


def _interrupted() -> NoReturn:
    """Leave at once: what was being written is cleared away by now, and no kernel is waited for."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        print("interrupted", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)


def _tell(problem: ThermocError) -> None:
    """Print the findings: on stderr for people, with --json also on stdout as a document."""
    typer.echo(str(problem), err=True)
    if "--json" in sys.argv:
        rows = [
            {
                "code": f.code,
                "what": f.what,
                "where": str(f.where) if f.where else None,
                "notes": f.notes,
                "hint": f.hint,
            }
            for f in problem.findings
        ]
        typer.echo(json.dumps({"errors": rows}, indent=2))
