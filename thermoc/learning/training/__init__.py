"""Training as a file describes it: data, a network, a rule, and a folder that the results go to."""

from __future__ import annotations

from thermoc.learning.training.config import Config, read_config
from thermoc.learning.training.loop import Summary, train

__all__ = ["Config", "Summary", "read_config", "train"]
