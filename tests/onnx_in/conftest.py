"""Every test draws the same numbers, whichever others ran before."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_in.cases import RNG


@pytest.fixture(autouse=True)
def same_draws() -> None:
    RNG.bit_generator.state = np.random.default_rng(11).bit_generator.state
