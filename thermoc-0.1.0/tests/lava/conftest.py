"""Lava's own Python, made once."""

import pytest

from thermoc.backends.lava import interpreter


@pytest.fixture(scope="session", autouse=True)
def lava():
    """The interpreter; these tests are about what runs in it, and none is skipped."""
    return interpreter.install()
