"""What is said of formats is said once: ``thermoc formats``, docs/formats.md and the readers agree."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

import thermoc as tc
from thermoc.frontends import formats
from thermoc.frontends.format import Format
from thermoc.reports.format_list import format_markdown, format_rows, format_text
from thermoc.support.errors import ThermocError

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
BEGIN, END = "<!-- the table: pytest tests/frontends --update-golden -->\n", "<!-- end of the table -->"


def test_every_folder_with_a_reader_has_its_line():
    here = Path(formats.__file__).parent
    assert set(formats.FOLDERS) == {path.parent.name for path in here.glob("*/format.py")}


@pytest.mark.parametrize("name", formats.FOLDERS)
def test_a_format_names_functions_that_are_there(name: str):
    format = importlib.import_module(f"thermoc.frontends.{name}.format").FORMAT
    assert isinstance(format, Format) and format.reads and format.refuses and format.title
    for place in filter(None, (format.reader, format.writer)):
        module, _, function = str(place).partition(":")
        assert inspect.isfunction(getattr(importlib.import_module(module), function))


def test_the_page_lists_every_format(request: pytest.FixtureRequest):
    head, rest = PAGE.read_text().split(BEGIN)
    page = f"{head}{BEGIN}{format_markdown()}{END}{rest.split(END)[1]}"
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "run pytest tests/frontends --update-golden, and read what it wrote"


def test_problems_stand_beside_networks():
    rows = format_rows()
    assert {"networks", "problems"} == {row["of"] for row in rows}
    assert "tsplib (.tsp, .atsp)" in format_text(rows)


def test_a_format_is_named_where_the_suffix_does_not_tell_it(tmp_path: Path):
    with tc.Network("n") as net:
        tc.output("y", tc.input("x", (2,)) * 2.0)
    net.save(tmp_path / "n.nir")
    by_suffix = tc.load(tmp_path / "n.nir")
    (tmp_path / "n.nir").rename(tmp_path / "n.h5")
    assert tc.load(tmp_path / "n.h5", format="nir").graph == by_suffix.graph
    with pytest.raises(ThermocError) as caught:
        tc.load(tmp_path / "n.h5", format="nri")
    assert caught.value.code == "T506" and "nir" in str(caught.value)
