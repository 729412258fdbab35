// Two runs side by side: A is the first, B the second; differences are B minus A.

function compareSection() {
  const found = doc.comparison;
  if (!found) return null;
  const [a, b] = doc.subjects;
  const different = found.asked.filter((row) => !row.same).length;
  const opOf = (name) => (a.signals.find((one) => one.name === name) || {}).op;
  return section("compare", "Comparison",
    element("p", { class: "note" }, `A: ${a.title}. B: ${b.title}. ${different} of ${found.asked.length} settings differ. `, found.unshared.length ? `Recorded in one of them alone: ${found.unshared.join(", ")}.` : ""),
    table("What was asked", found.asked, { is: () => false }),
    table("Outputs", found.outputs.map((row) => ({ ...row, op: opOf(row.output) })), { columns: Object.keys(found.outputs[0] || { output: 0 }), pick: (row) => row.op && pickOp(row.op), note: "error bars: of an output's least mixed unit, where both runs sample it; beyond 4 of them the runs differ." }),
    element("div", { class: "figures" }, found.outputs.flatMap((row) => overlay(row.output, a, b)), found.courses.map(courseOf)),
    found.costs.length ? table("What each op took", found.costs, { pick: (row) => pickOp(row.op), format: Object.fromEntries(["A", "B", "B - A"].flatMap((of) => [[`joules ${of}`, (v) => quantity(v, "J")], [`kelvin ${of}`, (v) => quantity(v, "K")]])) }) : element("p", { class: "note" }, "At least one run was on no chip: there are no joules to compare."));
}

// The means over all drawn lines: of single trajectories nothing is to be expected.
function overlay(name, a, b) {
  const both = [a, b].map((one) => one.signals.find((signal) => signal.name === name)).map((one) => one && one.trace);
  if (!both[0] || !both[1]) return [];
  const mean = (trace) => trace.ticks.map((_, place) => {
    const values = trace.lines.flat().map((line) => line[place]).filter((value) => value !== null);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
  const build = () => ({ traces: both.flatMap((trace, place) => lines(trace.ticks, [[`${"AB"[place]}`, mean(trace)]], { line: { color: COLOURS[place * 2], width: 1.4 }, opacity: 0.8 })), layout: { showlegend: true, xaxis: { title: { text: "tick" } }, yaxis: { title: { text: name } } } });
  return [figure(`${name}: mean of the drawn lines, A and B`, build, { tick: (tick) => tick, click: (point) => select({ tick: Number(point.x) }) })];
}

function courseOf(one) {
  const note = one.first === null ? "both runs are the same, bit for bit" : `the first difference is at tick ${one.first}; the largest is ${shown(one.most)}`;
  const build = () => ({ traces: lines(one.ticks, [[one.name, one.largest]]), layout: { showlegend: false, xaxis: { title: { text: "tick" } }, yaxis: { title: { text: "largest |B − A|" }, rangemode: "tozero" } } });
  return figure(`${one.name}: B against A, tick by tick`, build, { tick: (tick) => tick, click: (point) => select({ tick: Number(point.x) }), notes: [note, ...(one.step > 1 ? [`thinned: ranges of ${one.step} ticks`] : [])] });
}
