// Puts the sections on the page, and hears the search, the theme, keys and the printer.

function section(id, title, ...children) {
  return element("section", { id }, element("h2", {}, title), ...children);
}

function verdictSection() {
  return section("verdict", "Verdict", element("div", { class: "cards" }, doc.verdict.map(verdictCard)), warnings(), chooser());
}

function verdictCard(card) {
  return element("button", { type: "button", class: `card ${card.state}`, onclick: () => {
    if (Object.keys(card.select).length) select({ unit: null, core: null, ...card.select });
    const there = document.getElementById(card.section);
    if (there) there.scrollIntoView();
  } }, element("b", {}, card.title), card.text);
}

function warnings() {
  const texts = [...new Set(doc.subjects.flatMap((one) => one.warnings))];
  const heads = texts.map((text) => text.split("\n")[0]);
  if (!texts.length) return null;
  return element("details", { class: "warnings" }, element("summary", {}, element("b", {}, `${texts.length} warning${texts.length > 1 ? "s" : ""}`), element("small", {}, heads.slice(0, 3).join("; "))), texts.map((text) => element("pre", { class: "warning" }, text)));
}

// Several runs are on one page: one of them at a time is shown below.
function chooser() {
  if (doc.subjects.length < 2) return null;
  const chosen = element("select", { id: "subject", "aria-label": "Run shown", onchange: () => select({ subject: Number(chosen.value) }) },
    doc.subjects.map((one, place) => element("option", { value: place }, doc.kind === "comparison" ? `${"AB"[place]}: ${one.title}${settingsOf("AB"[place])}` : one.title)));
  watch((change) => { if ("subject" in change) chosen.value = state.subject; });
  return element("div", { class: "controls" }, element("label", {}, "graph, passes, signals and mixing below are of", chosen));
}

function settingsOf(letter) {
  const different = doc.comparison.asked.filter((row) => !row.same).slice(0, 2);
  return different.length ? ` (${different.map((row) => `${row.what.replace(/^option /, "")} = ${shown(row[letter])}`).join(", ")})` : "";
}

function lawsSection() {
  const found = doc.laws;
  if (!found) return null;
  const curves = found.convergence.flatMap((one) => Object.keys(one).filter((name) => !["op", "of", "tick"].includes(name)).map((name) =>
    figure(`${name.replaceAll("_", " ")} of ${one.op}`, () => ({ traces: lines(one.tick, [[name, one[name]]]), layout: { showlegend: false, xaxis: { title: { text: "tick" } }, yaxis: { title: { text: name.replaceAll("_", " ") } } } }), { tick: (tick) => tick, click: (point) => select({ op: one.op, tick: Number(point.x) }) })));
  return section("laws", "Certificate", element("p", { class: "note" }, found.title),
    table("Laws", found.rows, { columns: ["law", "of", "statement", "measured", "expected", "bound", "samples", "verdict", "shows"], pick: (row) => pickOp(row.op) }),
    element("div", { class: "figures" }, curves),
    found.skipped.length ? table("Not checked", found.skipped, { columns: ["law", "of", "reason"], pick: (row) => pickOp(row.op) }) : null,
    found.controls.length ? table("Records falsified on purpose", found.controls, { columns: ["control", "of", "verdict", "caught"], pick: (row) => pickOp(row.op) }) : null,
    factsTable("Certificate's facts", found.facts));
}

function factsSection() {
  const hold = element("div");
  const fill = () => hold.replaceChildren(
    factsTable("The run", subject().facts),
    table("What was recorded", subject().signals.flatMap((one) => one.fields.map((field) => ({ output: one.name, op: one.op, ...field }))), { columns: ["output", "field", "shape", "dtype", "mean", "min", "max"], pick: (row) => row.op && pickOp(row.op), format: { shape: (v) => v.join(" × ") } }));
  fill();
  watch((change) => { if ("subject" in change) fill(); });
  return section("facts", "Facts", hold);
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  figures.filter((one) => one.drawn).forEach(draw);
}

const dark = matchMedia("(prefers-color-scheme: dark)");
document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
const sections = [verdictSection, compareSection, opsSection, graphSection, targetsSection, passesSection, signalsSection, mixingSection, temperaturesSection, chipSection, lawsSection, factsSection].map((make) => make()).filter(Boolean);
document.getElementById("main").append(...sections.filter((one) => one.id !== "signals" || doc.kind !== "compiled"));
document.getElementById("nav").append(...[...document.querySelectorAll("section")].map((one) => element("a", { href: `#${one.id}` }, one.querySelector("h2").textContent)));

dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
document.getElementById("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
const search = document.getElementById("search");
search.addEventListener("input", () => {
  select({ query: search.value.trim().toLowerCase() });
  const found = tables.some((one) => one.root.isConnected && one.drawn.length) || [...document.querySelectorAll("#drawing .node")].some((one) => matchesQuery(one.about));
  document.getElementById("found").textContent = found ? "" : `no match for “${search.value.trim()}”`;
});
search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const hit = opRows().find((row) => matchesQuery(`${row.op} ${row.kind} ${row.outputs}`));
  if (hit) pickOp(hit.op);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") clear();
  if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
});
// Paper is light, and shows figures that were never in sight.
let before = null;
addEventListener("beforeprint", () => {
  before = document.documentElement.dataset.theme;
  if (before === "dark") theme("light");
  drawAll();
});
addEventListener("afterprint", () => { if (before === "dark") theme(before); });

// What is jumped to stands below the bar, however many lines that has.
const bar = document.getElementById("bar");
new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar);

const here = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const link = document.querySelector(`nav a[href="#${entry.target.id}"]`);
    if (entry.isIntersecting) { document.querySelectorAll("nav a.here").forEach((one) => one.classList.remove("here")); link.classList.add("here"); }
  }
}, { rootMargin: "-20% 0px -70% 0px" });
document.querySelectorAll("section").forEach((one) => here.observe(one));
