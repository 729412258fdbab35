"""Every op on every target: ``tc.verify`` itself is the suite, and the page of the documentation comes from it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cases import CASES
from conformity import ABSENT, HOLDS, ONLY, REFUSED, came, support_page, tried

from thermoc import plugins
from thermoc.ir.ops import REGISTRY
from thermoc.reports.support import how

PAGE = Path(__file__).parents[2] / "docs" / "support.md"


def test_every_case_is_named_after_an_op_and_every_op_has_one():
    tested = {name.split(",")[0] for name in CASES}
    missing = sorted(REGISTRY.keys() - tested)
    assert not missing, f"add a case to CASES in tests/cases.py for {missing}"
    assert tested == set(REGISTRY)


@pytest.mark.parametrize("target", plugins.names())
def test_every_op_has_a_form_or_a_reason(target: str):
    description = plugins.backend(target).target()
    missing = [name for name, cls in REGISTRY.items() if how(cls, description) == "no: it has no form there"]
    where = f"write them in backends/{target}/, or refuse them by name in its target.py (refused)"
    assert not missing, f"{target} knows nothing of {missing}: {where}"


@pytest.mark.parametrize(("target", "case", "varying", "precision"), list(tried()))
def test_op(target: str, case: str, varying: str, precision: str):
    """It holds its bounds, or is refused for a stated reason."""
    found = came(target, case, varying, precision)
    if found.verdict == ABSENT:
        if os.environ.get("CI"):
            pytest.fail(f"in CI nothing is skipped: {found.text}")
        pytest.skip(found.text)
    assert found.verdict in (HOLDS, REFUSED), found.text
    if found.verdict == REFUSED:
        assert found.text


def test_the_page_of_the_documentation_is_current(request: pytest.FixtureRequest):
    absent = {held.values[0] for held in tried() if came(*held.values).verdict == ABSENT}
    if absent:
        pytest.skip(f"not every target can run here: {', '.join(sorted(absent))}")
    if request.config.getoption("--update-golden"):
        PAGE.write_text(support_page())
    assert PAGE.read_text() == support_page(), "run make support, and read what it wrote"


def test_a_refusal_stands_in_the_page_with_its_reason(monkeypatch: pytest.MonkeyPatch):
    """A new backend is in the suite as soon as plugins know it."""
    monkeypatch.setattr(plugins, "OURS", {"modest": "doubles:Modest"})
    monkeypatch.setitem(ONLY, "modest", lambda case, varying, precision: case in ("core.sin", "core.cos"))
    lines = support_page().splitlines()
    assert "| `core.sin` | no: it has no sine |" in lines
    assert "| `core.cos` | native, 1 |" in lines
