// Targets held against each other: accuracy, verdicts, error against tick, where each diverges first.

function targetsSection() {
  const found = doc.targets;
  if (!found) return null;
  const pickFirst = (row) => select({ op: row.op, tick: row.tick, unit: row.unit && row.unit.length ? row.unit[0] : null, core: null, subject: Math.max(0, found.targets.indexOf(row.target)) });
  const rows = found.rows.map((row) => ({ ...row.shown, ok: row.why ? "not judged" : row.ok, reason: row.why, op: row.op, target_: row.target }));
  return section("targets", "Targets", element("p", { class: "note" }, "Lowering error: what passes changed, network against lowered graph. Emission error: the target against its own lowered graph."),
    found.accuracy.length ? table("Accuracy", found.accuracy) : null,
    table("First divergence", found.first, { columns: ["target", "tick", "op", "unit", "pass", "by", "why"], note: "by: the difference there at a breach, else the largest of that value over all ticks.", pick: pickFirst, is: (row) => row.tick !== null && row.tick === state.tick && (isOp(row.op) || row.op === state.op) }),
    found.breaches.map((breach) => element("pre", { class: "warning" }, breach.text)),
    table("Every value of every target", rows, { columns: ["target", "error", "value", "largest", "mean", "bound", "differ", "diverge_at", "means", "correlations", "verdict", "ok", "reason"], pick: (row) => row.op && select({ op: row.op, core: null, unit: null, subject: Math.max(0, found.targets.indexOf(row.target)) }) }),
    element("div", { class: "figures" }, errorsFigure(found), (found.rows[0].course.ticks.length < 2 ? [] : found.targets).flatMap((target) => ["lowering", "emission"].map((kind) => courseFigure(target, kind)))));
}

// All targets in one figure: the largest difference of each value, and a bar where its bound is.
function errorsFigure(found) {
  const build = () => ({
    traces: ["lowering", "emission"].flatMap((kind, place) => {
      const rows = found.rows.filter((row) => row.error === kind && row.largest !== null);
      const base = { type: "scatter", mode: "markers", x: rows.map((row) => row.target), offsetgroup: kind };
      const size = rows.map((row) => (state.op !== null && isOp(row.op) ? 14 : 9));
      return [{ ...base, name: `${kind} error`, y: rows.map((row) => Math.max(Number(row.largest), 1e-17)), text: rows.map((row) => row.value), marker: { size, color: COLOURS[place * 2], symbol: place ? "square" : "circle" }, hovertemplate: "%{x}, %{text}: %{y:.3g}<extra>%{fullData.name}</extra>" },
        { ...base, name: `${kind} bound`, y: rows.map((row) => (Number(row.bound) > 0 && Number.isFinite(Number(row.bound)) ? Number(row.bound) : null)), text: rows.map((row) => row.value), marker: { size: 20, color: COLOURS[place * 2], symbol: "line-ew-open" }, hovertemplate: "%{x}, %{text}: bound %{y:.3g}<extra></extra>" }];
    }),
    layout: { showlegend: true, xaxis: { type: "category" }, yaxis: { type: "log", exponentformat: "power", dtick: 3, title: { text: "largest difference" } } },
  });
  return figure("Errors and bounds of all targets", build, { wide: true, again: (change) => "op" in change, click: (point) => select({ subject: Math.max(0, found.targets.indexOf(point.x)) }), notes: ["errors of 0 stand at 1e-17; a bound that a law sets has no bar"] });
}

function courseFigure(target, kind) {
  const rows = doc.targets.rows.filter((row) => row.target === target && row.error === kind);
  if (!rows.length) return null;
  const drawable = (values) => values.map((value) => (value === null ? null : Math.max(value, 1e-17)));
  const build = () => ({
    traces: rows.flatMap((row, place) => {
      const line = { color: COLOURS[place % COLOURS.length], width: isOp(row.op) ? 3 : 1.4 };
      const base = { type: "scatter", x: row.course.ticks, mode: row.course.ticks.length < 60 ? "lines+markers" : "lines", marker: { size: 4 }, opacity: state.op === null || isOp(row.op) || !row.op ? 1 : 0.4 };
      return [{ ...base, name: row.value, y: drawable(row.course.largest), line, hovertemplate: "tick %{x}: %{y:.3g}<extra>%{fullData.name}</extra>" },
        { ...base, mode: "lines", name: `${row.value}: bound`, y: drawable(row.course.tolerance), line: { ...line, width: 1, dash: "dash" }, showlegend: false, hoverinfo: "skip" }];
    }),
    layout: { showlegend: rows.length > 1, xaxis: { title: { text: "tick" } }, yaxis: { type: "log", exponentformat: "power", title: { text: "largest difference" } } },
  });
  const step = Math.max(...rows.map((row) => row.course.step));
  return figure(`${target}: ${kind} error against tick (bounds dashed)`, build, { tick: (tick) => tick, click: (point) => select({ tick: Number(point.x) }), again: (change) => "op" in change, notes: step > 1 ? [`thinned: ranges of ${step} ticks; errors of 0 stand at 1e-17`] : ["errors of 0 stand at 1e-17"] });
}
