"""The page in a real browser: nothing fails, nothing is loaded, a click selects everywhere, phones, dark, print."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
Open = Callable[[str], Any]

CLEAR = """
document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}));
const search = document.getElementById('search');
search.value = '';
search.dispatchEvent(new Event('input'));
"""
SECTIONS = {
    "compared": {"verdict", "compare", "ops", "graph", "passes", "signals", "mixing", "temperatures", "facts"},
    "verified": {"verdict", "ops", "graph", "targets", "passes", "signals", "mixing", "facts"},
    "chip": {"verdict", "ops", "graph", "passes", "signals", "mixing", "chip", "laws", "facts"},
}


@pytest.fixture
def open_page(browser: Any, pages: Path) -> Open:
    """Open a page, as large as a desktop's window and light; one that is open so already is cleared."""

    def opened(name: str, *, wide: int = 1400, high: int = 900, scheme: str = "light") -> Any:
        metrics = {"width": wide, "height": high, "deviceScaleFactor": 1, "mobile": wide < 600}
        address = f"{(pages / name).as_uri()}.html#{wide}{scheme}"
        if browser.current_url == address:
            browser.execute_script(CLEAR)
            return browser
        browser.get("about:blank")
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features, "media": ""})
        browser.get(address)
        return browser

    return opened


def wait(driver: Any, condition: str) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 300).until(lambda one: one.execute_script(f"return {condition}"), condition)


def clicked(driver: Any, selector: str) -> None:
    """Click as a person does, on HTML and on drawings."""
    script = (
        "const at = document.querySelector(arguments[0]); at.dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    driver.execute_script(script, selector)


def drawn(driver: Any) -> None:
    """Draw every figure, as a printer makes it."""
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    wait(
        driver,
        "document.querySelectorAll('.plot').length === document.querySelectorAll('.plot .main-svg:first-child').length",
    )


def shown(driver: Any, section: str) -> None:
    """Scroll to a section's first figure, which draws then."""
    driver.execute_script("document.querySelector(`${arguments[0]} .plot`).scrollIntoView()", section)
    wait(driver, f"document.querySelector('{section} .plot .main-svg') !== null")


def faults(driver: Any) -> list[str]:
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_figure_draws_without_a_fault_and_nothing_is_loaded(open_page: Open, name: str):
    driver = open_page(name)
    drawn(driver)
    assert (
        set(driver.execute_script("return [...document.querySelectorAll('section')].map(s => s.id)")) == SECTIONS[name]
    )
    assert driver.execute_script("return document.querySelectorAll('.plot').length") >= 6
    assert driver.execute_script("return performance.getEntriesByType('resource').map(r => r.name)") == []
    assert faults(driver) == []


def test_a_name_is_no_markup(open_page: Open):
    driver = open_page("chip")
    assert driver.execute_script("return document.querySelectorAll('img').length") == 0
    assert "</script><img" in driver.title


def test_a_click_on_an_op_selects_it_everywhere(open_page: Open):
    driver = open_page("chip")
    drawn(driver)
    clicked(driver, "#graph .node[data-op=gibbs]")
    assert driver.execute_script("return document.querySelector('#panel h2').textContent") == "gibbs"
    said = driver.execute_script("return document.getElementById('panel').textContent")
    assert all(what in said for what in ("runs on", "energy", "warms by", "R-hat", "laws", "written at"))
    for place in (
        "#ops tr.selected",
        "#chip tr.selected",
        "#mixing tr.selected",
        "#laws tr.selected",
        "#floorplan .ofop",
    ):
        assert driver.execute_script("return document.querySelectorAll(arguments[0]).length", place) > 0, place


def test_a_core_a_unit_and_a_tick_select_too(open_page: Open):
    driver = open_page("chip")
    drawn(driver)
    clicked(driver, "#floorplan .cell[data-core='0']")
    said = driver.execute_script("return document.getElementById('panel').textContent")
    assert "core works for" in said and "core peaks at" in said
    assert driver.execute_script("return document.querySelectorAll('#thermal .chosen').length") == 1
    raster = "document.querySelector('[data-figure^=\"s: raster\"]')"
    driver.execute_script(f"{raster}.emit('plotly_click', {{points: [{{x: 3, y: 5}}]}})")
    said = driver.execute_script("return document.getElementById('panel').textContent")
    assert "unit5" in said and "tick3" in said and "core" in said
    wait(driver, f"{raster}.layout.shapes.length === 2")
    assert driver.execute_script("return document.getElementById('when').textContent")
    driver.execute_script("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
    assert driver.execute_script("return document.getElementById('panel').hidden")


def test_the_slider_moves_the_map(open_page: Open):
    driver = open_page("chip")
    look = "return [document.getElementById('when').textContent, [...document.querySelectorAll('#thermal .cell')].map(c => c.getAttribute('fill')).join()]"
    move = "const s = document.getElementById('time'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
    driver.execute_script(move, 0)
    first = driver.execute_script(look)
    driver.execute_script(move, 1000)
    last = driver.execute_script(look)
    assert first[0] != last[0] and first[1] != last[1]


def test_the_slider_opens_nothing_and_stays_where_it_is(open_page: Open):
    driver = open_page("chip")
    place = "const s = document.getElementById('time'); return [Math.round(s.getBoundingClientRect().top), Math.round(scrollY)]"
    driver.execute_script("document.getElementById('time').scrollIntoView({block: 'center'})")
    before = driver.execute_script(place)
    driver.execute_script(
        "const s = document.getElementById('time'); s.value = 2; s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert driver.execute_script("return document.getElementById('panel').hidden")
    assert driver.execute_script(place) == before


def test_figures_and_the_graph_follow_the_panel(open_page: Open):
    driver = open_page("chip", wide=1280, high=800)
    drawn(driver)
    fits = """[...document.querySelectorAll('.plot')].every(p => Math.abs(
        p.clientWidth - p.querySelector('.main-svg').getBoundingClientRect().width) < 1.5)"""
    graph = "return document.querySelector('#drawing svg').getBoundingClientRect().width"
    figures = "return document.querySelector('#chip .plot').clientWidth"
    wide = [driver.execute_script(script) for script in (graph, figures)]
    clicked(driver, "#chip tbody tr.pick")
    wait(driver, fits)
    narrow = [driver.execute_script(script) for script in (graph, figures)]
    assert narrow[1] < wide[1] and narrow[0] <= driver.execute_script(
        "return document.getElementById('drawing').clientWidth"
    )
    driver.execute_script("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
    wait(driver, fits)
    assert [driver.execute_script(script) for script in (graph, figures)] == wide


def test_the_panel_leaves_what_was_clicked_where_it_is(open_page: Open):
    driver = open_page("chip", wide=1280, high=800)
    place = "return document.querySelector('#floorplan .cell').getBoundingClientRect().top"
    driver.execute_script("document.querySelector('#floorplan').scrollIntoView({block: 'center'})")
    before = driver.execute_script(place)
    clicked(driver, "#floorplan .cell")
    assert not driver.execute_script("return document.getElementById('panel').hidden")
    assert driver.execute_script(place) == pytest.approx(before, abs=1)


def test_a_search_without_a_match_says_so(open_page: Open):
    driver = open_page("chip")
    seek = "const s = document.getElementById('search'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
    said = "return document.getElementById('found').textContent"
    driver.execute_script(seek, "ising")
    assert driver.execute_script(said) == ""
    driver.execute_script(seek, "zebra")
    assert "no match" in driver.execute_script(said)
    assert "no match" in driver.execute_script("return document.querySelector('#ops tbody').textContent")
    assert driver.execute_script("return document.querySelectorAll('#graph .node.dim').length") == 0


def test_search_filters_and_enter_selects(open_page: Open):
    driver = open_page("chip")
    driver.execute_script(
        "const s = document.getElementById('search'); s.value = 'ising'; s.dispatchEvent(new Event('input'))"
    )
    assert driver.execute_script("return document.querySelectorAll('#ops tbody tr').length") == 1
    assert driver.execute_script("return document.querySelectorAll('#graph .node.dim').length") > 0
    driver.execute_script(
        "document.getElementById('search').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}))"
    )
    assert driver.execute_script("return document.querySelector('#panel h2').textContent") == "ising_energy"


def test_every_table_sorts_and_copies(open_page: Open):
    driver = open_page("chip")
    take = "window.taken = []; navigator.clipboard.writeText = (text) => { taken.push(text); return Promise.resolve(); }; for (const b of document.querySelectorAll('.table .head button')) b.click()"
    driver.execute_script(take)
    texts = wait(
        driver, "taken.length && taken.length === document.querySelectorAll('.table .head button').length && taken"
    )
    for csv, document in zip(texts[::2], texts[1::2]):
        rows = json.loads(document)
        assert csv.split("\n")[0].split(",") == list(rows[0])
    order = "return [...document.querySelectorAll('#ops tbody tr')].map(r => r.cells[0].textContent)"
    before = driver.execute_script(order)
    clicked(driver, "#ops th")
    assert driver.execute_script(order) == sorted(before, key=str.casefold)


def test_one_of_several_runs_is_chosen(open_page: Open):
    driver = open_page("verified")
    choose = "const s = document.getElementById('subject'); s.value = 1; s.dispatchEvent(new Event('change'))"
    driver.execute_script(choose)
    assert "onnx" in driver.execute_script("return document.querySelector('#facts').textContent")
    drawn(driver)
    assert faults(driver) == []


def test_a_phones_width_holds_it(open_page: Open):
    driver = open_page("chip", wide=390, high=844)
    shown(driver, "#mixing")
    clicked(driver, "#graph .node[data-op=gibbs]")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    assert driver.execute_script("return document.getElementById('panel').getBoundingClientRect().bottom") == 844


def test_dark_is_dark_and_a_button_changes_it(open_page: Open):
    back = "return getComputedStyle(document.body).backgroundColor"
    driver = open_page("chip", scheme="dark")
    shown(driver, "#mixing")
    dark, ink = (
        driver.execute_script(back),
        driver.execute_script("return document.querySelector('#mixing .plot').layout.font.color"),
    )
    clicked(driver, "#theme")
    assert (dark, driver.execute_script(back)) == ("rgb(20, 23, 27)", "rgb(255, 255, 255)")
    assert driver.execute_script("return document.querySelector('#mixing .plot').layout.font.color") != ink


def test_it_prints_with_every_figure(open_page: Open):
    driver = open_page("compared", scheme="dark")
    printed = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert printed.startswith(b"%PDF") and len(printed) > 50_000
    assert driver.execute_script("return document.querySelectorAll('.plot:not(:has(.main-svg))').length") == 0


def test_what_a_sample_takes_stands_on_the_first_screen(open_page: Open):
    driver = open_page("chip", wide=1280, high=800)
    script = """return [...document.querySelectorAll('.card')].filter(c => c.textContent.includes('a sample of 10 ticks'))
        .map(c => [c.textContent, c.getBoundingClientRect().bottom])"""
    ((said, bottom),) = driver.execute_script(script)
    assert bottom < 800 and " J in " in said.replace("nJ", "J").replace("µJ", "J").replace("pJ", "J") and "%" in said
    totals = "return [...document.querySelectorAll('tfoot')].map(f => f.textContent)"
    assert all("J" in total for total in driver.execute_script(totals))
