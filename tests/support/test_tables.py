"""Tables for the terminal."""

from __future__ import annotations

from thermoc.passes.change_log import Record
from thermoc.passes.report import Report
from thermoc.support.tables import table


def test_long_text_takes_more_lines_and_loses_nothing():
    rows = [{"pass": "word " * 60 + "end", "ms": 0.125}, {"pass": "short", "ms": 1.0}]
    text = table("passes", rows)
    assert "…" not in text and "end" in text and "0.125" in text
    assert max(map(len, text.splitlines())) <= 200


def test_a_pass_with_long_options_leaves_room_for_the_other_columns():
    record = Record(text=f"map-crossbars{{spec={'x' * 300}}}", changed=True, seconds=0.002, ops=7, changes=())
    given = {"source_hash": "", "lowered_hash": "", "source_ops": 7, "lowered_ops": 7}
    report = Report(network="n", target="sim", records=(record,), **given)
    (line,) = (line for line in str(report).splitlines() if "map-crossbars" in line)
    assert line.split()[1:] == ["yes", "7", "2"] and len(line) < 80
    assert report.to_json()["records"][0]["text"] == record.text
