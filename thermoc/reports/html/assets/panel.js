// What is known of the selection, in one place: an op's core, joules, kelvins and R-hat stand side by side.

function opRows() {
  const nodes = subject().graphs[0].nodes;
  const costs = new Map(costsOf().ops.flatMap((op) => [op.op, ...op.holds].map((name) => [name, op])));
  return nodes.map((node) => {
    const outputs = subject().signals.filter((one) => one.op === node.id).map((one) => one.name);
    const chains = subject().mixing.filter((one) => outputs.includes(one.name)).flatMap((one) => one.rows);
    const worst = (name, pick) => (chains.length ? pick(...chains.map((row) => row[name] ?? Infinity)) : null);
    const cost = costs.get(node.id), laws = (doc.laws ? doc.laws.rows : []).filter((row) => row.op === node.id);
    const first = doc.targets ? doc.targets.rows.filter((row) => row.op === node.id && row.first !== null).map((row) => row.first) : [];
    return {
      op: node.id, kind: node.op, type: node.type, where: node.where, outputs: outputs.join(", "),
      cost: cost ? cost.op : null, cores: cost && cost.cores.length ? cost.cores : null, joules: cost ? cost.joules : null, share: cost ? cost.share : null, kelvin: cost ? cost.kelvin : null,
      r_hat: worst("r_hat", Math.max), ess: worst("ess", Math.min), mixed: chains.length ? chains.every((row) => row.mixed) : null,
      laws: laws.length ? `${laws.filter((row) => row.holds).length} of ${laws.length} hold` : "",
      changes: subject().passes.flatMap((one) => one.changes).filter((change) => change.op === node.id).length,
      diverges_at: first.length ? Math.min(...first) : null,
    };
  });
}

function opsSection() {
  const hold = element("div");
  const fill = () => {
    const rows = fused(opRows()), leakage = costsOf().ops.find((op) => op.op === "(leakage)"), has = (name) => rows.some((row) => row[name] !== null && row[name] !== "" && row[name] !== 0);
    const columns = ["op", "kind", "type", "outputs", "cores", "joules", "share", "kelvin", "r_hat", "ess", "mixed", "laws", "changes", "diverges_at", "where"].filter((name) => name === "op" || name === "kind" || has(name));
    rows.sort((a, b) => (b.kelvin ?? -1) - (a.kelvin ?? -1));
    const costly = `The hottest first; what the chip runs as one is one row. Joules of all ${extent(chipSubject() || subject())}${leakage ? `; leakage, of no op, takes ${joules(leakage.joules)} (${percent(leakage.share)}) besides` : ""}. kelvin: above the ambient${chipOf() ? ` of ${chipOf().die.ambient} K` : ""}.`;
    hold.replaceChildren(table("Ops", rows, { columns, heading: "", total: costsOf().ops.length ? ["joules", "share"] : null, pick: (row) => pickOp(row.id), format: { cores: coresText, joules, share: percent, kelvin: kelvins, where: (v) => element("code", {}, v) }, note: costsOf().ops.length ? costly : "A click on an op selects it everywhere; a click on a head sorts." }));
  };
  fill();
  watch((change) => { if ("subject" in change) fill(); });
  return section("ops", "Ops", hold);
}

// Ops that the chip runs as one share a row: what they take cannot be told apart.
function fused(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.cost ?? row.op, [...(groups.get(row.cost ?? row.op) || []), row]);
  return [...groups.values()].map((group) => {
    const all = (name) => [...new Set(group.map((row) => row[name]).filter((value) => value !== "" && value !== null))];
    const last = group[group.length - 1], joined = Object.fromEntries(["kind", "type", "outputs", "laws", "where"].map((name) => [name, all(name).join(name === "kind" ? " + " : ", ")]));
    const diverges = all("diverges_at");
    return { ...last, ...joined, id: last.op, op: group.map((row) => row.op).join(" + "), changes: group.reduce((sum, row) => sum + row.changes, 0), diverges_at: diverges.length ? Math.min(...diverges) : null };
  });
}

const SHOWN = { kind: "kind", type: "type", where: "written at", outputs: "outputs", r_hat: "R-hat, worst unit", ess: "effective samples, least", mixed: "mixed", laws: "laws", changes: "numbers replaced", diverges_at: "diverges at tick" };

function showPanel() {
  const panel = document.getElementById("panel");
  const any = state.op !== null || state.tick !== null || state.core !== null;
  if (panel.hidden === any) still(() => {
    panel.hidden = !any;
    document.body.classList.toggle("selected", any);
    refitGraph();
  });
  if (!any) return;
  const row = opRows().find((one) => isOp(one.op) && one.op === state.op) || opRows().find((one) => isOp(one.op));
  const facts = [];
  const say = (name, value) => value !== null && value !== undefined && value !== "" && facts.push(element("dt", {}, name), element("dd", {}, value));
  if (row) for (const [name, text] of Object.entries(SHOWN)) if (name !== "changes" || row[name]) say(text, shown(row[name]));
  const cost = costsOf().ops.find((op) => family(state.op).has(op.op));
  if (cost) {
    say("runs on", coresText(cost.cores));
    say("energy", `${quantity(cost.joules, "J")} (${shown(100 * cost.share)} %)`);
    say("warms by", `${kelvins(cost.kelvin)}${chipOf() ? ` above ${chipOf().die.ambient} K` : ""}`);
    if (chipOf()) say("busy, a tick", quantity(busyOf(chipOf(), cost.op), "s"));
    if (cost.holds.length > 1) say("holds", cost.holds.join(" + "));
  }
  if (state.unit !== null) unitFacts(say);
  if (state.core !== null) coreFacts(say);
  if (state.tick !== null) tickFacts(say);
  const changes = subject().passes.flatMap((one) => one.changes.map((change) => ({ ...change, pass: one.name }))).filter((change) => isOp(change.op)).slice(0, 6);
  const links = [["graph", "graph"], ["signals", "signals"], ["chip", "chip"], ["targets", "targets"]].filter(([id]) => document.getElementById(id));
  panel.replaceChildren(...[element("button", { type: "button", class: "close", title: "clear (Esc)", onclick: clear }, "✕"),
    element("h2", {}, state.op === null ? (state.core === null ? `tick ${state.tick}` : `core ${state.core}`) : labelOf(state.op)), element("dl", {}, facts),
    changes.length ? element("div", {}, element("b", {}, "Replaced"), changes.map((one) => element("p", { class: "note" }, `${one.pass}: ${one.what}: ${one.old} → ${one.new} (${one.bound})`))) : null,
    element("p", { class: "note" }, "see it in ", links.flatMap(([id, name], place) => [place ? ", " : "", element("a", { href: `#${id}` }, name)]))].filter(Boolean));
}

let touched = null;
for (const kind of ["click", "input", "keydown"]) addEventListener(kind, (event) => { touched = event.target; }, { capture: true });

// The panel takes room, so that lines break anew: what was touched, or else is in sight, stays where it was.
function still(act) {
  const place = (one) => one.getBoundingClientRect().top, high = innerHeight;
  const inSight = (one) => one instanceof Element && one.isConnected && one.closest("main") && place(one) > 0 && place(one) < high;
  const anchor = inSight(touched) ? touched : [...document.querySelectorAll("tr, h2, h3, .plot, .drawing, .die svg, .note")].find((one) => place(one) > bar.offsetHeight);
  const before = anchor && place(anchor);
  act();
  if (anchor && anchor.isConnected) scrollBy({ top: place(anchor) - before, behavior: "instant" });
}

function unitFacts(say) {
  say("unit", String(state.unit));
  for (const output of subject().mixing) {
    const row = output.rows.find((one) => one.unit === state.unit);
    const signal = subject().signals.find((one) => one.name === output.name);
    if (row && signal && isOp(signal.op)) say(`${output.name}[${state.unit}]`, `${shown(row.mean)} ± ${shown(row.error)}, R-hat ${shown(row.r_hat)}`);
  }
}

function coreFacts(say) {
  const core = chipOf() && chipOf().cores.find((one) => one.core === state.core);
  say("core", core ? `${core.core} (tile ${core.tile})` : `${state.core}, idle`);
  if (!core) return;
  say("core spends", quantity(core.joules, "J")); say("core peaks at", `${core.peak} K`); say("core works for", core.ops.map(labelOf).join(", "));
}

function tickFacts(say) {
  say("tick", String(state.tick));
  const { dt, begun } = subject().facts;
  if (dt) say("time", `${shown(state.tick * dt)} (dt = ${dt})`);
  for (const one of subject().signals.filter((each) => each.trace && (state.op === null || isOp(each.op)))) {
    const place = one.trace.ticks.indexOf(state.tick), line = one.trace.lines[Math.min(sample, one.trace.lines.length - 1)][state.unit ?? 0];
    if (place >= 0 && line) say(`${one.name}${one.units > 1 ? `[${state.unit ?? 0}]` : ""} then`, shown(line[place]));
  }
}

watch(showPanel);
