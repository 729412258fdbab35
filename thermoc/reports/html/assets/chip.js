// The chip: floorplan, thermal map with a time slider, joules, seconds and kelvins by op and component, roofline.

const INFERNO = ["#000004", "#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4"];
let frame = null, playing = null;

function heat(share) {
  const place = Math.min(1, Math.max(0, share)) * (INFERNO.length - 1), low = Math.min(INFERNO.length - 2, Math.floor(place));
  const mix = [1, 3, 5].map((at) => {
    const [a, b] = [INFERNO[low], INFERNO[low + 1]].map((code) => parseInt(code.slice(at, at + 2), 16));
    return Math.round(a + (b - a) * (place - low));
  });
  return `rgb(${mix.join(",")})`;
}

function chipSection() {
  if (!doc.subjects.some((one) => one.chip)) return savedChips();
  const hold = element("div");
  let of = null;
  const fill = () => {
    const chip = chipOf();
    if (chip === of) return;
    of = chip;
    frame = null;
    forget(hold);
    hold.replaceChildren(...chipParts(chip));
    markDies();
  };
  const made = section("chip", "Chip", hold);
  setTimeout(fill);
  watch((change) => { if ("subject" in change) fill(); if (of) follow(change); });
  return made;
}

function savedChips() {
  const ran = doc.subjects.filter((one) => one.costs);
  if (!ran.length) return null;
  return section("chip", "Chip", element("p", { class: "note" }, "The file keeps what each op took, and no floorplan or thermal map: it was written before files kept them, or is of a chip that another package brings. A new run has them."), ran.flatMap((one) => [
    table(`What each op takes: ${one.title}`, one.costs.ops, { columns: ["op", "joules", "share", "kelvin"], total: ["joules", "share"], note: `Of all ${extent(one)}.`, pick: (row) => pickOp(row.op), format: { joules, share: percent, kelvin: kelvins } }),
    table(`Joules by component: ${one.title}`, one.costs.components, { total: ["joules"], note: `Of all ${extent(one)}.`, format: { joules } }),
    factsTable(`The run on the chip: ${one.title}`, one.costs.facts),
  ]));
}

function chipParts(chip) {
  const byOp = (name) => bars(chip.ops.map((op) => op.op), chip.ops.map((op) => op[name]), name === "joules" ? "J" : "K", isOp);
  const point = (one) => pickOp(one.customdata);
  const again = (change) => "op" in change;
  const of = `Of all ${extent(chipSubject())}.`;
  return [
    element("p", { class: "note" }, `${chipSubject().title}. Emulated: a model of the chip ran, no hardware was measured.`),
    element("div", { class: "dies" }, floorplan(chip), thermalMap(chip)),
    table("What each op takes", chip.ops.map((op) => ({ id: op.op, op: labelOf(op.op), cores: op.cores, joules: op.joules, share: op.share, kelvin: op.kelvin, seconds: busyOf(chip, op.op) })), { columns: ["op", "cores", "joules", "share", "kelvin", "seconds"], total: ["joules", "share"], format: { cores: coresText, joules, share: percent, kelvin: kelvins, seconds }, pick: (row) => pickOp(row.id), note: `${of} kelvin: by how much the op's own mean power alone would raise its hottest place above the ambient of ${chip.die.ambient} K. seconds: its cores' busy time in a tick of one sample. Leakage is of no op.` }),
    element("div", { class: "figures" },
      figure("Joules by op", byOp("joules"), { click: point, again }), figure("Kelvins by op", byOp("kelvin"), { click: point, again }),
      figure("Joules by component", bars(chip.components.map((one) => one.component), chip.components.map((one) => one.joules), "J", () => false)),
      figure("Seconds by op, of busy cores", bars(busiest(chip).map((one) => one.op), busiest(chip).map((one) => one.seconds), "s", isOp), { click: point, again }),
      rooflineFigure(chip), diesOverTime(chip), powerOverTime(chip), ...chip.units.map((one) => unitKelvins(one))),
    table("Joules by component", chip.components, { total: ["joules", "share"], note: of, format: { joules, share: percent } }),
    table("Cores that work", chip.cores.map((one) => ({ ...one, op: one.ops[0] })), { columns: ["core", "tile", "joules", "peak", "ops"], total: ["joules"], note: `${of} Without leakage. The die's ambient is ${chip.die.ambient} K.`, format: { joules, peak: (v) => `${v} K`, ops: (v) => v.map(labelOf).join(", ") }, pick: (row) => pickCore(row.core), is: (row) => (state.core !== null ? row.core === state.core : row.ops.some(isOp)) }),
    chip.sampling.length ? table("Temperature that units draw at, off what was asked for (relative)", chip.sampling, { format: { mean: percent, worst: percent }, pick: (row) => pickOp(row.op) }) : null,
    table("What is used of the chip", chip.used),
    factsTable("The run on the chip", chip.facts),
  ].filter(Boolean);
}

function busyOf(chip, op) {
  const point = chip.roofline.points.find((one) => one.op === op);
  return point ? point.seconds : null;
}

function busiest(chip) {
  return [...chip.roofline.points].sort((a, b) => b.seconds - a.seconds);
}

function die(chip, name, title, tint, ...below) {
  const { rows, columns, tile, core_mm: [wide, high] } = chip.die, tall = high / wide;
  const cells = chip.die.positions.map(([x, y], core) => {
    const made = drawn("rect", { class: "cell", x, y: y * tall, width: 1, height: tall, fill: tint(core), "data-core": core, onclick: () => pickCore(core) });
    made.append(drawn("title", {}, `core ${core}, tile ${Math.floor(core / chip.die.cores_a_tile)}`));
    return made;
  });
  const grid = [];
  for (let x = 0; x < columns; x += tile[0]) for (let y = 0; y < rows; y += tile[1]) grid.push(drawn("rect", { class: "tile", x, y: y * tall, width: tile[0], height: tile[1] * tall }));
  const svg = drawn("svg", { id: name, viewBox: `-0.1 -0.1 ${columns + 0.2} ${rows * tall + 0.2}`, role: "img", "aria-label": title }, cells, grid, drawn("g", { class: "marks" }));
  return element("div", { class: "figure die" }, element("h3", {}, title), svg, element("p", { class: "note" }, `${chip.die.positions.length} cores, ${shown(columns * wide)} × ${shown(rows * high)} mm`), ...below);
}

function floorplan(chip) {
  const owner = new Map(chip.cores.map((one) => [one.core, one.ops[0]]));
  const named = chip.ops.map((op) => op.op).filter((op) => [...owner.values()].includes(op));
  const tint = (core) => (owner.has(core) ? COLOURS[Math.min(named.indexOf(owner.get(core)), COLOURS.length - 1)] : "var(--idle)");
  const legend = element("div", { class: "legend" }, named.slice(0, COLOURS.length).map((op, place) => element("button", { type: "button", onclick: () => pickOp(op) }, element("i", { style: `background:${COLOURS[place]}` }), labelOf(op))), element("span", {}, element("i", { style: "background:var(--idle)" }), "idle"));
  return die(chip, "floorplan", "Floorplan: what each core spends most on", tint, legend);
}

function thermalMap(chip) {
  const { maps } = chip, most = Math.max(1, ...maps.milli.flat());
  if (frame === null) frame = maps.hottest;
  const slider = element("input", { type: "range", id: "time", min: 0, max: maps.times.length - 1, value: frame, "aria-label": "Time", oninput: () => show(Number(slider.value)) });
  const said = element("output", { for: "time", id: "when" });
  const play = element("button", { type: "button", id: "play", onclick: () => toggle() }, "▶");
  const made = die(chip, "thermal", "Thermal map of the die", () => "var(--idle)",
    element("div", { class: "controls" }, play, slider, said),
    element("div", { class: "scale", style: `background:linear-gradient(90deg,${INFERNO.join(",")})` }),
    element("div", { class: "ends" }, element("span", {}, `${maps.base.toFixed(3)} K (ambient ${chip.die.ambient} K)`), element("span", {}, `${(maps.base + most / 1000).toFixed(3)} K`)),
    element("p", { class: "note" }, maps.slots > maps.times.length ? `thinned: ${maps.times.length} of ${maps.slots} times are held, the hottest among them` : `all ${maps.times.length} times are held`));
  const cells = made.querySelectorAll(".cell");
  function show(next) {
    frame = next;
    slider.value = next;
    maps.milli[next].forEach((milli, core) => cells[core].setAttribute("fill", heat(milli / most)));
    const hottest = maps.milli[next].indexOf(Math.max(...maps.milli[next]));
    said.textContent = `${quantity(maps.times[next], "s")}: ${(maps.base + maps.milli[next][hottest] / 1000).toFixed(3)} K at core ${hottest}`;
  }
  function toggle() {
    clearInterval(playing);
    play.textContent = playing ? "▶" : "❚❚";
    playing = playing ? null : setInterval(() => show((frame + 1) % maps.times.length), 120);
  }
  made.show = show;
  thermalMap.made = made;
  show(frame);
  return made;
}

// A tick that is selected elsewhere moves the map to its time.
function follow(change) {
  markDies();
  const chip = chipOf();
  if (!("tick" in change) || state.tick === null || !chip || !thermalMap.made) return;
  const middle = (state.tick + 0.5) * chip.period, far = chip.maps.times.map((time) => Math.abs(time - middle));
  const now = Math.floor(chip.maps.times[frame] / chip.period);
  if (now !== state.tick) thermalMap.made.show(far.indexOf(Math.min(...far)));
}

function markDies() {
  const chip = chipOf();
  if (!chip) return;
  const tall = chip.die.core_mm[1] / chip.die.core_mm[0];
  const box = (core, name) => drawn("rect", { class: name, "data-marked": core, x: chip.die.positions[core][0], y: chip.die.positions[core][1] * tall, width: 1, height: tall });
  for (const marks of document.querySelectorAll(".die .marks")) {
    marks.replaceChildren(...coresOf(state.op).map((core) => box(core, "ofop")), ...(state.core === null ? [] : [box(state.core, "chosen")]));
  }
}

function rooflineFigure(chip) {
  const { peak, bandwidth, points } = chip.roofline, placed = points.filter((one) => one.intensity && one.rate);
  const ridge = peak / bandwidth, xs = [ridge / 1000, ridge, Math.max(ridge * 100, ...placed.map((one) => 2 * one.intensity))];
  const build = () => ({
    traces: [{ type: "scatter", mode: "lines", name: "roof of a core", x: xs, y: xs.map((x) => Math.min(peak, bandwidth * x)), line: { color: colour("soft") }, hoverinfo: "skip" },
      { type: "scatter", mode: "markers+text", name: "ops", x: placed.map((one) => one.intensity), y: placed.map((one) => one.rate), text: placed.map((one) => labelOf(one.op)), customdata: placed.map((one) => one.op), textposition: "bottom center", cliponaxis: false, marker: { size: placed.map((one) => (isOp(one.op) ? 15 : 9)), color: COLOURS[2] }, hovertemplate: "%{text}: %{y:.3g} operations/s, %{x:.3g} a byte<extra></extra>" }],
    layout: { showlegend: false, xaxis: { type: "log", exponentformat: "power", title: { text: "operations a byte through the buffer" } }, yaxis: { type: "log", exponentformat: "SI", title: { text: "operations/s of busy cores" } } },
  });
  const left = points.length - placed.length;
  return figure("Roofline of a core", build, { click: (point) => point.customdata && pickOp(point.customdata), again: (change) => "op" in change, notes: left ? [`${left} ops move no bytes or do no operations, and have no place here`] : [] });
}

function diesOverTime(chip) {
  const { times, hottest, mean, step } = chip.curves;
  const core = () => (state.core === null ? [] : [[`core ${state.core}`, null]]);
  const build = () => {
    const traces = lines(times, [["hottest core", hottest], ["mean of the die", mean]]);
    if (core().length) traces.push({ type: "scatter", mode: "lines+markers", name: `core ${state.core}`, x: chip.maps.times, y: chip.maps.milli.map((row) => chip.maps.base + row[state.core] / 1000), marker: { size: 4 }, line: { width: 2.4 } });
    return { traces, layout: { showlegend: true, xaxis: { title: { text: "time, s" }, exponentformat: "SI" }, yaxis: { title: { text: "K" }, tickformat: ".6~g" } } };
  };
  return figure("Die temperature over time", build, { tick: (tick) => tick * chip.period, again: (change) => "core" in change, click: (point) => select({ tick: Math.min(chip.facts.ticks - 1, Math.floor(point.x / chip.period)) }), notes: step > 1 ? [`thinned: ranges of ${step} slots`] : [] });
}

function powerOverTime(chip) {
  const build = () => ({ traces: lines(chip.curves.power_times, [["power", chip.curves.power]]), layout: { showlegend: false, xaxis: { title: { text: "time, s" }, exponentformat: "SI" }, yaxis: { title: { text: "W" }, exponentformat: "SI" } } });
  return figure("Power of the chip over time", build, { tick: (tick) => tick * chip.period });
}

function unitKelvins(one) {
  const build = () => {
    const traces = lines(one.ticks, [["asked for", one.asked], ...one.lines.map((line, unit) => [`unit ${unit}`, line])]);
    traces[0].line = { color: colour("ink"), dash: "dash", width: 1.2 };
    traces.slice(1).forEach((line, unit) => { line.meta = unit; line.opacity = state.unit === null || !isOp(one.op) || state.unit === unit ? 1 : 0.2; });
    return { traces, layout: { xaxis: { title: { text: "tick" } }, yaxis: { title: { text: "K" }, tickformat: ".6~g" } } };
  };
  return figure(`Temperatures that units of ${one.op} draw at`, build, { tick: (tick) => tick, again: (change) => "unit" in change, click: (point) => point.data.meta !== undefined && pickUnit(one.op, point.data.meta, Number(point.x)), notes: one.step > 1 ? [`thinned: ranges of ${one.step} ticks`] : [] });
}
