"""Every node test of the ONNX standard: read and right, or refused by name; docs/onnx-in.md says which."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx_in import cases

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "onnx-in.md"


def test_no_case_is_read_wrongly():
    """Within the tolerances of ONNX's own runner; 1e-3 and 1e-7 unless a case says otherwise."""
    wrong = {outcome.name: outcome.wrong for outcome in cases.outcomes() if outcome.wrong}
    assert not wrong


def test_all_cases_of_many_operators_pass():
    assert len(cases.complete()) >= 130


def test_what_is_refused_is_refused_for_a_stated_reason():
    unclear = [o.name for o in cases.outcomes() if "cannot be read" in o.refused]
    assert not unclear


def test_the_page_tells_what_passes():
    table = "\n".join(cases.page())
    assert table in PAGE.read_text(), "put in docs/onnx-in.md what python -m onnx_in.cases prints"
