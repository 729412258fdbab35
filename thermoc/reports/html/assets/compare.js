// Two runs side by side: A is the first, B the second; differences are B minus A.

function compareSection() {
  const found = doc.comparison;
  if (!found) return null;
  const [a, b] = doc.subjects;
  const different = found.asked.filter((row) => !row.same), count = different.length;
  const settings = different.slice(0, 3).map((row) => `${row.what.replace(/^option /, "")} = ${shown(row.A)} (A), ${shown(row.B)} (B)`).join("; ");
  const opOf = (name) => (a.signals.find((one) => one.name === name) || {}).op;
  return section("compare", "Comparison",
    element("p", { class: "note" }, `A: ${a.title}. B: ${b.title}. ${count} of ${found.asked.length} settings ${count === 1 ? "differs" : "differ"}${count ? `: ${settings}${count > 3 ? ", ..." : ""}` : ""}. `, found.unshared.length ? `Recorded in one of them alone: ${found.unshared.join(", ")}.` : ""),
    table("Outputs", found.outputs.map((row) => ({ ...row, op: opOf(row.output) })), { columns: Object.keys(found.outputs[0] || { output: 0 }), pick: (row) => row.op && pickOp(row.op), note: found.outputs.some((row) => row["apart, error bars"] !== null) ? "error bars: of an output's least mixed unit, where both runs sample it; beyond 4 of them the runs differ." : "" }),
    element("div", { class: "figures" }, found.means.map(overlay), found.courses.filter((one) => one.ticks.length > 1).map(courseOf)),
    found.costs.length ? table("What each op took", found.costs.map((row) => ({ ...row, id: row.op, op: labelOf(row.op) })), { columns: Object.keys(found.costs[0]), total: ["joules A", "joules B", "joules B - A"], note: `A: ${extent(a)}. B: ${extent(b)}.`, pick: (row) => pickOp(row.id), format: Object.fromEntries(["A", "B", "B - A"].flatMap((of) => [[`joules ${of}`, (v) => quantity(v, "J")], [`kelvin ${of}`, (v) => quantity(v, "K")]])) }) : element("p", { class: "note" }, "At least one run was on no chip: there are no joules to compare."),
    table("What was asked", [...found.asked].sort((p, q) => p.same - q.same), { is: () => false, note: "What differs stands first." }));
}

function extent(one) {
  return `${counted(one.facts.batch, "sample")} of ${counted(one.facts.ticks, "tick")}`;
}

function overlay(one) {
  const build = () => ({ traces: lines(one.A.ticks, [["A", one.A.mean]]).concat(lines(one.B.ticks, [["B", one.B.mean]], { line: { color: COLOURS[2], width: 1.4 }, opacity: 0.85 })), layout: { showlegend: true, xaxis: { title: { text: "tick" } }, yaxis: { title: { text: one.name } } } });
  const step = Math.max(one.A.step, one.B.step);
  return figure(`${one.name}: mean over samples and units, A and B`, build, { tick: (tick) => tick, click: (point) => select({ tick: Number(point.x) }), notes: step > 1 ? [`thinned: means of ${step} ticks`] : [] });
}

function apart(one) {
  return one.first === null ? "both runs are the same, bit for bit" : `the first difference is at tick ${one.first}; the largest is ${shown(one.most)}`;
}

function courseOf(one) {
  const build = () => ({ traces: lines(one.ticks, [[one.name, one.largest]]), layout: { showlegend: false, xaxis: { title: { text: "tick" } }, yaxis: { title: { text: "largest |B − A|" }, rangemode: "tozero" } } });
  return figure(`${one.name}: B against A, tick by tick`, build, { tick: (tick) => tick, click: (point) => select({ tick: Number(point.x) }), notes: [apart(one), ...(one.step > 1 ? [`thinned: ranges of ${one.step} ticks`] : [])] });
}
