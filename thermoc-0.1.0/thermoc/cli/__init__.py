"""The command line: one file a command. Exit codes: 0 ok, 1 the user's mistake, 2 the tool's."""

from thermoc.cli.main import main

__all__ = ["main"]
