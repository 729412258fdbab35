"""What is markup to rich or HTML stays text, and a print is a summary."""

# pyright: reportPrivateUsage=false
# (_repr_html_ is what notebooks call)

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.support.tables import html_table, table


def test_no_text_is_markup():
    rows = [{"name [b]": 'pip install "thermoc[onnx]" :smile: [/red] \x1b[31m', "x": 1.0}]
    text = table("[bold]title[/bold] \x1b[2J", rows)
    assert 'thermoc[onnx]" :smile: [/red] \\x1b[31m' in text and "name [b]" in text
    assert text.startswith("[bold]title[/bold] \\x1b[2J") and "\x1b" not in text


def test_html_is_escaped():
    text = html_table("<b>", [{"<i>": "<script>"}])
    assert "<script>" not in text and "&lt;script&gt;" in text and "&lt;i&gt;" in text and "&lt;b&gt;" in text


def test_a_narrow_table_is_written_as_records(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    rows = [{f"column_{i}": 1.2345 * 10.0**i for i in range(-12, 0)} | {"empty": None}]
    lines = table("wide", rows).splitlines()
    assert "  column -12  1.234e-12" in lines and not any("empty" in line for line in lines)
    assert all(len(line) <= 60 for line in lines)


def test_what_is_printed_is_a_summary():
    with tc.Network("n<b>", dt=0.5) as net:
        x = tc.input("x", (300,))
        tc.output("y", tc.exp(x, name="e"))
        assert "being written" in net._repr_html_()
    exe = tc.compile(net, "sim")
    run = exe.run({"x": np.ones((40, 300))})
    trace = interpret(net.graph, feed(net.graph, {"x": np.ones((2, 300))}), probes=["e"])
    for item, facts in (
        (run, ("n<b> on sim, seed 0", "1x40x300", "2.718")),
        (trace, ("probe", "1x2x300", "2.718")),
    ):
        text = str(item)
        assert all(fact in text for fact in facts) and len(text) < 1500 and "array(" not in repr(item)
    assert repr(exe) == f"Executable('n<b>' for sim, {len(exe.graph.ops)} ops)"
    for item in (net, exe, exe.report(), run, trace):
        assert "<table>" in item._repr_html_() and "<b>" not in item._repr_html_()


def test_verdicts_have_html():
    with tc.Network("m", dt=0.1) as net:
        tc.output("x", tc.memory(tc.constant(np.zeros(2)), T=0.5))
    assert "rounding" in (html := tc.verify(net, ticks=4)._repr_html_()) or "equal" in html
    certificate = tc.certify(tc.compile(net, "sim").run(ticks=40, batch=2))
    assert "the run, repeated from its seed" in certificate._repr_html_()
