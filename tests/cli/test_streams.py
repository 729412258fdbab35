"""Full disks, closed pipes, terminals without Unicode, narrow ones, and JSON that is JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cli.shell import filled, thermoc

RUN = ("run", "model.py:net", "-i", "x.npy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("streams"))


def refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [RUN, ("run", "--help"), ("doctor", "--json")], ids=" ".join)
def test_a_full_disk_is_an_error_with_a_code(folder: Path, arguments: tuple[str, ...]):
    with open("/dev/full", "w") as full:
        done = thermoc(*arguments, cwd=folder, stdout=full.fileno())
    assert done.returncode == 1 and "T505" in done.stderr and "No space left" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"), [(RUN, 0), (("run", "--help"), 0), (("run", "model.py:gone", "--json"), 1)], ids=str
)
def test_a_reader_that_has_gone_changes_no_exit_code(folder: Path, arguments: tuple[str, ...], code: int):
    reading, writing = os.pipe()
    os.close(reading)
    done = thermoc(*arguments, cwd=folder, stdout=writing)
    os.close(writing)
    assert done.returncode == code
    assert "Traceback" not in done.stderr and "Broken pipe" not in done.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_without_unicode_gets_plainer_letters(folder: Path, encoding: str):
    done = thermoc(*RUN, cwd=folder, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert " ---" in done.stdout and "\\u" not in done.stdout


@pytest.mark.parametrize("width", [60, 120])
def test_a_narrow_terminal_cuts_no_number_and_no_name(folder: Path, width: int):
    done = thermoc("verify", "model.py:two", "--ticks", "2", cwd=folder, COLUMNS=str(width))
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= width and "…" not in done.stdout
    assert "(final states)" in done.stdout or "lowering" in done.stdout


def test_numbers_that_are_not_finite_are_valid_json(folder: Path):
    done = thermoc(*RUN, "--json", cwd=folder)
    rows = json.loads(done.stdout, parse_constant=refuse)["outputs"]
    assert {row["output"]: row["mean"] for row in rows}["allow_pickle"] == "-inf"
    assert "the model's own words" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["fly"], "there is no command 'fly'"),
        (["run"], "Missing argument"),
        (["run", "model.py:net", "--ticks", "many"], "'--ticks'"),
        (["verify", "model.py:net", "--nonsense"], "--nonsense"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_json_too(folder: Path, arguments: list[str], what: str):
    done = thermoc(*arguments, "--json", cwd=folder)
    (row,) = json.loads(done.stdout)["errors"]
    assert done.returncode == 1 and row["code"] == "T416" and what in row["what"]
    assert row["hint"].endswith("--help") and done.stderr.startswith("T416: ")
    assert "--ticks" not in arguments or "--ticks = 'many'" in row["notes"]


def test_a_certificate_that_fails_is_one_document(folder: Path):
    done = thermoc(*RUN, "--ticks", "2000", "--certify", "--json", cwd=folder)
    document = json.loads(done.stdout, parse_constant=refuse)
    assert document["certificate"]["holds"] is (done.returncode == 0)
