"""The reservoir of memristors learns what a linear memory cannot."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "memristor_reservoir.py"


@pytest.mark.slow
def test_the_reservoir_computes_a_product_of_the_past():
    """Verified, certified, and its error below a fifth of the variance: the example asserts it."""
    errors = runpy.run_path(str(EXAMPLE))["main"]()
    assert errors["reservoir"] < 0.2 < 0.9 < errors["signal alone"]
