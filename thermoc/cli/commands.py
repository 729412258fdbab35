"""The commands by name: each is imported where it is called, so that help and version load none of them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from thermoc.cli.examples import examples
from thermoc.support.errors import error
from thermoc.support.suggestions import near

COMMANDS: Mapping[str, str] = {
    "demo": "Compile a trained network for every target, run it on digits it never saw, compare with the reference.",
    "compile": "Compile a network for a target and write the artefact; with --passes by these, not by the target's "
    "own.",
    "run": "Compile a network for a target, run it, and show or write what it gives.",
    "resume": "Go on with a run that was stopped or killed: the same bytes at the end as without.",
    "certify": "Check a certificate again, offline: its run is repeated, and laws, bounds and verdicts are derived "
    "anew.",
    "verify": "Compare a network with its lowered graph, and that with each target; exit with 0 only if all bounds "
    "hold.",
    "anneal": "Look for the best answer to a problem of optimisation: MaxCut, QUBO, Ising, max-SAT, graphs, tours.",
    "train": "Train a network as a file describes it; stopped and resumed, it gives the same bytes.",
    "sweep": "Run a network at many points, on this machine or a cluster; stopped and given again, it goes on.",
    "cost": "Show what an inference costs on each machine: joules, seconds, kelvins, error, and how sure each "
    "number is.",
    "guard": "Show how fast a chip may sample before its own heat spoils the law of its draws.",
    "report": "Write one page that shows a run, or two side by side; it opens in any browser and needs no network.",
    "check": "Work out each answer's objective and feasibility anew, from the problem's file and the bit string alone.",
    "show": "Print a network's graph as text, or draw it; with --passes as these leave it.",
    "targets": "Show which op each target holds: itself, by expansion into others, or not.",
    "passes": "List the passes that --passes can name, each with its options, their types and defaults.",
    "formats": "List the formats that are read and written: what of each, what is repaired, what is refused, and its "
    "options.",
    "doctor": "Say what is installed, what is missing, and the line that installs it.",
    "new": "Write a small project: a network, its test, how to train it, and what to do next.",
    "schema": "Print the JSON Schema of what a command prints with --json.",
}
"""By name, in the order of the help: the first line of what each says of itself. Its file has its name."""


class Commands(TyperGroup):
    """The group of all commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return their names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; None where there is no such one."""
        return command(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that arguments begin with. Errors: T416 where there is no such one."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            notes, hint = [f"there are {', '.join(COMMANDS)}"], near(args[0], COMMANDS, "thermoc --help")
            raise error("T416", f"there is no command {args[0]!r}", notes=notes, hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a line for each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def command(name: str) -> Any:
    """Import a command; return it as typer runs it."""
    module = importlib.import_module(f"thermoc.cli.{name}")
    alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    alone.command(name, epilog=getattr(module, "EXAMPLE", "") or examples(name))(getattr(module, name))
    return get_command(alone)
