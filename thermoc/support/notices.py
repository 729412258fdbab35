"""Notices on stderr of work that takes long, before it starts."""

from __future__ import annotations

import sys


def notify(text: str) -> None:
    """Print one line on stderr at once. Callers say ``notices.notify``, so that a host can replace it."""
    print(text, file=sys.stderr, flush=True)
