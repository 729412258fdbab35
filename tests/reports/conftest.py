"""A browser without a window, which loads nothing by itself: Debian's chromium, driven by Selenium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

QUIET = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage"),
    *("disable-background-networking", "disable-component-update", "disable-sync", "window-size=1400,900"),
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser; where there is none its tests skip, and fail in CI."""
    found = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in found:
        why = "no chromium with its driver: apt-get install chromium chromium-driver"
        if os.environ.get("CI", "") not in ("", "0", "false"):
            pytest.fail(why)
        pytest.skip(why)
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(found[0])
    for flag in (*QUIET, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(found[1])))
    driver.set_script_timeout(300)  # a busy machine takes long to draw
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page of each kind."""
    from reports.reported_networks import glass, on_chip, ran

    import thermoc as tc

    folder = tmp_path_factory.mktemp("pages")
    on_chip().report(certificate=tc.certify(ran())).html(folder / "chip.html")
    shown = tc.effective_temperatures(ran(), "s")
    tc.report(ran(), ran(seed=2), temperatures=shown).html(folder / "compared.html")
    verified = tc.verify(glass(), ["sim", "onnx"], ticks=6)
    verified.report().html(folder / "verified.html")
    return folder
