// The temperature that each unit shows: a map, and all units with their intervals.

function temperaturesSection() {
  const found = doc.temperatures;
  if (!found) return null;
  const units = found.T.map((_, unit) => unit);
  return section("temperatures", "Temperatures of units", element("p", { class: "note" }, `${found.title}. Intervals at 99 %; a unit is outside where its interval does not hold what was ${found.predicted ? "predicted" : "asked for"}.`),
    element("div", { class: "figures" }, temperatureMap(found), temperatureIntervals(found, units)),
    table("Temperature that each unit shows", units.map((unit) => ({ unit, T: found.T[unit], low: found.low[unit], high: found.high[unit], stated: found.stated[unit], predicted: found.predicted ? found.predicted[unit] : null, outside: found.outside.includes(unit) })), { columns: ["unit", "T", "low", "high", "stated", "predicted", "outside"] }));
}

function temperatureMap(found) {
  const shares = found.T.map((T, unit) => (T === null ? null : T / found.stated[unit]));
  const rows = Array.from({ length: found.rows }, (_, row) => shares.slice(row * found.columns, (row + 1) * found.columns));
  const build = () => ({ traces: [{ type: "heatmap", z: rows, zmid: 1, colorscale: "RdBu", reversescale: true, colorbar: { thickness: 10, outlinewidth: 0 }, hovertemplate: "row %{y}, column %{x}: %{z:.4g}<extra></extra>" }], layout: { yaxis: { autorange: "reversed" } } });
  return figure("Temperature shown over that asked for", build);
}

function temperatureIntervals(found, units) {
  const gap = (ends, sign) => found.T.map((T, unit) => (T === null || ends[unit] === null ? 0 : sign * (ends[unit] - T)));
  const build = () => {
    const traces = [{ type: "scatter", mode: "markers", name: "shown", x: units, y: found.T, error_y: { type: "data", symmetric: false, array: gap(found.high, 1), arrayminus: gap(found.low, -1), thickness: 1 }, marker: { size: 5 } },
      { type: "scatter", mode: "lines", name: "asked for", x: units, y: found.stated, line: { dash: "dash", width: 1.2 } }];
    if (found.predicted) traces.push({ type: "scatter", mode: "markers", name: "the heat model's", x: units, y: found.predicted, marker: { symbol: "line-ew-open", size: 9 } });
    return { traces, layout: { xaxis: { title: { text: "unit" } }, yaxis: { title: { text: "T" } } } };
  };
  return figure("Temperature of each unit", build, { wide: units.length > 40 });
}
