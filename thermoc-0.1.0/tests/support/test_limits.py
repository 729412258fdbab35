"""docs/security.md states the limits that the readers keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from thermoc.certificates import document, replay
from thermoc.support import limits

PAGE = (Path(__file__).parents[2] / "docs/security.md").read_text()


@pytest.mark.parametrize(
    "text",
    [
        f"| {limits.MODEL_BYTES // limits.MIB:,} MiB |",
        f"| a TOML file | {limits.TEXT_BYTES // limits.MIB} MiB |",
        f"{limits.JSON_BYTES // limits.MIB} MiB, {limits.JSON_VALUES:,} values, integers of {limits.DIGITS} digits",
        f"| levels of JSON and TOML | {limits.DEPTH} |",
        f"{limits.INFLATED_BYTES // limits.MIB} MiB, or {limits.INFLATED_RATIO} times its size",
        f"| {limits.MEMBERS:,}, {limits.RANK}, 2^{limits.ELEMENTS.bit_length() - 1} |",
        f"| a name | {limits.NAME_LENGTH:,} letters |",
        f"that are listed | {limits.FINDINGS} |",
        f"{document.MOST_BYTES // limits.MIB} MiB; {replay.MOST_NUMBERS:,} numbers, {replay.MOST_UPDATES:,} updates",
        f"larger than {replay.MOST_BYTES // limits.MIB} MiB",
    ],
)
def test_a_limit_is_what_the_page_says(text: str):
    assert text in PAGE
