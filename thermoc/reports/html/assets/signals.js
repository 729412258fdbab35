// What was recorded: traces, rasters, values of one tick, energies, means, counts; and how far chains are mixed.

let sample = 0;

function signalsSection() {
  const hold = element("div");
  const chosen = element("select", { "aria-label": "Sample", onchange: () => { sample = Number(chosen.value); fill(); } });
  const fill = () => {
    forget(hold);
    const most = Math.max(1, ...subject().signals.map((one) => Math.max((one.trace || { lines: [0] }).lines.length, (one.raster || { rows: [0] }).rows.length)));
    sample = Math.min(sample, most - 1);
    chosen.replaceChildren(...Array.from({ length: most }, (_, place) => element("option", { value: place, selected: place === sample }, `sample ${place}`)));
    chosen.parentElement.hidden = most < 2;
    hold.replaceChildren(...subject().signals.map(signal));
  };
  const made = section("signals", "Signals", element("div", { class: "controls" }, element("label", {}, "show", chosen)), hold);
  fill();
  watch((change) => { if ("subject" in change) fill(); });
  return made;
}

// Figures of a part that is filled again are drawn no more.
function forget(hold) {
  for (const plot of hold.querySelectorAll(".plot")) {
    const place = figures.indexOf(plot.made);
    if (place >= 0) figures.splice(place, 1);
    sight.unobserve(plot);
    widths.unobserve(plot);
  }
}

function signal(one) {
  const size = one.units === undefined ? "" : `${counted(one.ticks, "tick")} × ${counted(one.samples, "sample")} × ${counted(one.units, "unit")}`;
  const title = element("h3", {}, `${one.name} `, element("small", { class: "note" }, `${one.role}, ${size || one.recorded.join(", ")} `), one.op ? element("button", { class: "link", type: "button", onclick: () => pickOp(one.op) }, `of op ${one.op}`) : null);
  const drawn = [];
  if (one.raster) drawn.push(raster(one));
  if (one.trace) drawn.push(one.raster ? singleUnit(one) : trace(one));
  if (one.histogram) drawn.push(density(one));
  if (one.matrix) drawn.push(matrix(one));
  if (one.profiles) drawn.push(profiles(one));
  if (one.counts) drawn.push(figure(`${one.name}: how often each configuration was there`, () => ({ traces: [{ type: "bar", x: one.counts.map((_, k) => k), y: one.counts }], layout: { xaxis: { title: { text: "configuration" } }, yaxis: { title: { text: "ticks and samples" } } } })));
  return element("div", { "data-signal": one.name }, title, element("div", { class: "figures" }, drawn), one.notes.map((text) => element("p", { class: "note" }, `thinned: ${text}`)));
}

function trace(one) {
  const build = () => {
    const lit = (unit) => !isOp(one.op) || state.unit === null || state.unit === unit;
    const traces = lines(one.trace.ticks, one.trace.lines[Math.min(sample, one.trace.lines.length - 1)].map((y, unit) => [one.units > 1 ? `unit ${unit}` : one.name, y]));
    traces.forEach((line, unit) => { line.opacity = lit(unit) ? 1 : 0.18; line.line.width = lit(unit) && state.unit === unit ? 2.6 : 1.4; line.meta = unit; });
    return { traces, layout: { xaxis: { title: { text: "tick" } }, yaxis: { title: { text: one.name } } } };
  };
  return figure(`${one.name} over time, sample ${sample}`, build, { wide: !one.raster && one.role !== "energy", tick: (tick) => tick, click: (point) => pickUnit(one.op, point.data.meta, Number(point.x)), again: (change) => "unit" in change || "op" in change });
}

// Lines of two levels lie over each other: of these one unit is drawn, the selected one.
function singleUnit(one) {
  const unit = () => (isOp(one.op) && state.unit !== null ? state.unit : 0);
  const build = () => {
    const y = one.trace.lines[Math.min(sample, one.trace.lines.length - 1)][unit()];
    if (!y) return { traces: [], layout: { annotations: [{ text: `of unit ${unit()} the page holds no line`, showarrow: false }] } };
    const [line] = lines(one.trace.ticks, [[`unit ${unit()}`, y]]);
    return { traces: [{ ...line, mode: "lines", line: { ...line.line, shape: one.trace.step > 1 ? "linear" : "hv" } }], layout: { showlegend: true, xaxis: { title: { text: "tick" } }, yaxis: { title: { text: one.name } } } };
  };
  return figure(`${one.name} of the selected unit, sample ${sample}`, build, { tick: (tick) => tick, click: (point) => pickUnit(one.op, unit(), Number(point.x)), again: (change) => "unit" in change || "op" in change });
}

function raster(one) {
  const build = () => {
    const rows = one.raster.rows[Math.min(sample, one.raster.rows.length - 1)];
    const shapes = isOp(one.op) && state.unit !== null ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: state.unit, y1: state.unit, line: { color: colour("link"), width: 1.6, dash: "dot" } }] : [];
    return { traces: [{ type: "heatmap", x: one.raster.ticks, y: one.raster.units, z: rows, colorscale: "Viridis", colorbar: { thickness: 10, outlinewidth: 0 }, hovertemplate: "tick %{x}, unit %{y}: %{z:.3g}<extra></extra>" }],
      layout: { xaxis: { title: { text: "tick" }, showgrid: false }, yaxis: { title: { text: "unit" }, showgrid: false }, shapes } };
  };
  return figure(`${one.name}: raster, sample ${sample}`, build, { wide: one.units > 12, tick: (tick) => tick, click: (point) => pickUnit(one.op, Number(point.y), Number(point.x)), again: (change) => "unit" in change || "op" in change });
}

function density(one) {
  const { edges, counts } = one.histogram, total = counts.reduce((sum, count) => sum + count, 0), width = edges[1] - edges[0];
  const middles = counts.map((_, bar) => (edges[bar] + edges[bar + 1]) / 2), heights = counts.map((count) => count / total / width);
  return figure(`${one.name}: how often each value`, () => ({ traces: [{ type: "bar", orientation: "h", y: middles, x: heights, width, customdata: counts, marker: { color: COLOURS[0] }, hovertemplate: "%{y:.4g}: %{customdata} times<extra></extra>" }], layout: { xaxis: { title: { text: "density" } }, yaxis: { title: { text: `${one.name} (energy, k_B = 1)` } }, bargap: 0.05 } }), { notes: [`of all ${total.toLocaleString("en")} values, none left out`] });
}

function matrix(one) {
  const build = () => ({ traces: [{ type: "heatmap", x: one.matrix.units, z: one.matrix.rows, colorscale: "Viridis", colorbar: { thickness: 10, outlinewidth: 0 }, hovertemplate: "sample %{y}, unit %{x}: %{z:.4g}<extra></extra>" }], layout: { xaxis: { title: { text: "unit" } }, yaxis: { title: { text: "sample" }, autorange: "reversed" } } });
  return figure(`${one.name} at tick ${one.matrix.tick}, by sample and unit`, build, { wide: true, click: (point) => pickUnit(one.op, Number(point.x), one.matrix.tick) });
}

function profiles(one) {
  const names = Object.keys(one.profiles);
  const x = one.profiles[names[0]].map((_, unit) => unit);
  return figure(`${one.name} by unit, mean over samples`, () => ({ traces: lines(x, names.map((name) => [name, one.profiles[name]])), layout: { xaxis: { title: { text: "unit" } }, yaxis: { title: { text: one.name } } } }), { click: (point) => pickUnit(one.op, Number(point.x)) });
}

function mixingSection() {
  const hold = element("div");
  const fill = () => {
    forget(hold);
    const outputs = subject().mixing;
    const opOf = (name) => (subject().signals.find((one) => one.name === name) || {}).op;
    const rows = outputs.flatMap((output) => output.rows.map((row) => ({ output: output.name, ...row, op: opOf(output.name) })));
    hold.replaceChildren(...(outputs.length ? [
      element("div", { class: "figures" }, rHat(rows), autocorrelation(outputs)),
      table("R-hat, effective samples and error bar of each unit", rows, { columns: ["output", "unit", "mean", "error", "tau", "ess", "r_hat", "r_hat_limit", "length", "mixed"], pick: (row) => pickUnit(row.op, row.unit), is: (row) => isOp(row.op) && (state.unit === null || state.unit === row.unit), note: "tau in recorded ticks; an output is mixed where R-hat is below its limit, its chains have 20 tau or more and 100 effective samples (Vehtari et al. 2021)." }),
    ] : [element("p", { class: "note" }, "No output samples an equilibrium for 8 recorded ticks or more: there are no chains to judge.")]));
  };
  fill();
  watch((change) => { if ("subject" in change) fill(); });
  return section("mixing", "Mixing", hold);
}

function rHat(rows) {
  const names = [...new Set(rows.map((row) => row.output))];
  const build = () => ({
    traces: names.flatMap((name, place) => {
      const mine = rows.filter((row) => row.output === name), color = COLOURS[place % COLOURS.length];
      const lit = mine.map((row) => (isOp(row.op) && state.unit === row.unit ? 13 : 7));
      return [{ type: "scatter", mode: "markers", name, x: mine.map((row) => row.unit), y: mine.map((row) => row.r_hat), marker: { color, size: lit, opacity: state.op === null || isOp(mine[0].op) ? 1 : 0.25 }, meta: mine[0].op, hovertemplate: "unit %{x}: R-hat %{y:.4f}<extra>%{fullData.name}</extra>" },
        { type: "scatter", mode: "lines", name: `${name}: limit`, x: mine.map((row) => row.unit), y: mine.map((row) => row.r_hat_limit), line: { color, width: 1, dash: "dash" }, hoverinfo: "skip", showlegend: false }];
    }),
    layout: { showlegend: true, xaxis: { title: { text: "unit" } }, yaxis: { title: { text: "split R-hat" } } },
  });
  return figure("R-hat of each output (limits dashed)", build, { click: (point) => point.data.meta && pickUnit(point.data.meta, Number(point.x)), again: (change) => "op" in change || "unit" in change });
}

function autocorrelation(outputs) {
  const traces = () => outputs.flatMap((output, place) => [
    { type: "scatter", mode: "lines", name: output.name, x: output.lags, y: output.rho, line: { color: COLOURS[place % COLOURS.length] } },
    { type: "scatter", mode: "lines", name: `${output.name}: slowest unit`, x: output.lags, y: output.slowest, line: { color: COLOURS[place % COLOURS.length], dash: "dot", width: 1.2 } },
  ]);
  return figure("Autocorrelation", () => ({ traces: traces(), layout: { showlegend: true, xaxis: { title: { text: "lag, recorded ticks" } }, yaxis: { title: { text: "rho" } } } }));
}
