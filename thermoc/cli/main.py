"""Put the commands together, and turn errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import Annotated, Any, NoReturn, cast

import typer

import thermoc
from thermoc.cli.commands import Commands
from thermoc.cli.exit_codes import INTERRUPTED, OK, TOOL, USER
from thermoc.cli.output import guard_streams, print_json, say, tell
from thermoc.support.errors import ThermocError, error

app = typer.Typer(
    name="thermoc",
    cls=Commands,
    help="Compile and run thermodynamic networks: one source, every target.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 ok, 1 a mistake of yours or a bound that does not hold, 2 a fault of thermoc.",
)


def _version(shown: bool) -> None:
    if shown:
        say(f"thermoc {thermoc.__version__}")
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
    guard_streams()
    try:
        code = _run()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except ThermocError as problem:  # the output itself cannot be written
        say(problem, err=True)
        code = USER
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:  # typer turns Ctrl-C into this code too
        _interrupted()
    sys.exit(code)


def _interrupted() -> NoReturn:
    """Leave at once: what was being written is cleared away by now, and no kernel is waited for."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        print("interrupted", file=sys.stderr, flush=True)
    # Not sys.exit: that waits for the threads of a kernel that may run for minutes.
    os._exit(INTERRUPTED)


def _run() -> int:
    """Run the command and return its exit code; what goes wrong is reported."""
    # Looked up by hand, for a wrong command line fails before typer has read the switch.
    as_json = "--json" in sys.argv[1:]
    try:
        # Standalone, typer would print errors in its own words and leave with its own exit codes.
        code = app(standalone_mode=False)
    except ThermocError as problem:
        tell(problem, as_json=as_json)
        return USER
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USER
    except WRONG_LINE as problem:
        if type(problem).__name__ == "NoArgsIsHelpError":
            say(cast(Any, problem).format_message(), err=True)
            return USER
        tell(_usage(problem), as_json=as_json)
        return USER
    except Exception as reason:
        traceback.print_exc()
        say("thermoc failed: a fault of thermoc, not of your input. Please report the lines above.", err=True)
        if as_json:
            row = {"code": None, "what": f"{type(reason).__name__}: {reason}", "where": None, "notes": [], "hint": ""}
            print_json({"errors": [row]})
        return TOOL
    return code if isinstance(code, int) else OK


WRONG_LINE = cast(
    type[Exception], next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
)
"""What typer raises for a wrong command line, from whichever click it carries."""


def _usage(problem: Any) -> ThermocError:
    """Return typer's complaint as an error of ours: what is wrong, how the command is called, where to read more."""
    context = getattr(problem, "ctx", None)
    if context is None:
        return error("T416", problem.format_message(), hint="thermoc --help")
    usage = " ".join(context.get_usage().split())
    notes = [*_given(problem), usage]
    return error("T416", problem.format_message(), notes=notes, hint=f"{context.command_path} --help")


def _given(problem: Any) -> list[str]:
    """Return what was given for an option that takes something else; typer's own words leave it out."""
    names = getattr(getattr(problem, "param", None), "opts", ())
    for number, word in enumerate(sys.argv[1:], 1):
        option, equals, value = word.partition("=")
        if option in names and (equals or sys.argv[number + 1 :]):
            return [f"{option} = {(value if equals else sys.argv[number + 1])!r}"]
    return []
