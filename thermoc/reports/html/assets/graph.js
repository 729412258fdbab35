// The graph: layers from left to right in the order of a tick, feedback through states dashed. A click selects an op.

const WIDTH = 170, HEIGHT = 50;
let stage = 0, zoom = 1, fitted = true, room = 0;

function graphSection() {
  const stages = element("select", { id: "stage", "aria-label": "Stage", onchange: () => { stage = Number(stages.value); drawGraph(); } });
  const larger = (factor) => () => { zoom *= factor; fitted = false; drawGraph(); };
  const controls = element("div", { class: "controls" }, element("label", {}, "stage", stages),
    element("button", { type: "button", onclick: larger(1.25), title: "larger" }, "+"), element("button", { type: "button", onclick: larger(0.8), title: "smaller" }, "−"),
    element("button", { type: "button", onclick: fitGraph }, "fit"));
  const made = section("graph", "Graph", controls, element("div", { class: "drawing", id: "drawing" }), element("p", { class: "note", id: "unmatched", hidden: true }, "No op of the graph matches the search."), element("p", { class: "note" }, "Boxes are ops, coloured by dialect; dashed boxes keep a state, red ones draw noise; dashed lines are read for the next tick. Constants are not drawn."));
  watch((change) => {
    if ("subject" in change) fillStages(stages);
    else markGraph();
  });
  setTimeout(() => {
    fillStages(stages);
    new ResizeObserver(refitGraph).observe(document.getElementById("drawing"));
  });
  return made;
}

function fillStages(stages) {
  stage = Math.min(stage, subject().graphs.length - 1);
  stages.replaceChildren(...subject().graphs.map((graph, place) => element("option", { value: place, selected: place === stage }, `${graph.title} (${graph.nodes.length} ops)`)));
  fitGraph();
}

function fitGraph() {
  fitted = true;
  zoom = fit();
  drawGraph();
}

// A graph that fills its frame goes on filling it when the frame is made narrower or wider.
function refitGraph() {
  const hold = document.getElementById("drawing");
  if (fitted && hold.offsetWidth && hold.offsetWidth !== room) fitGraph();
}

function fit() {
  const graph = subject().graphs[stage], hold = document.getElementById("drawing"), space = hold.clientWidth - 4;
  room = hold.offsetWidth;
  return graph.width ? Math.min(1, Math.max(0.3, space / graph.width)) : 1;
}

function drawGraph() {
  const graph = subject().graphs[stage], hold = document.getElementById("drawing");
  if (!graph.width) {
    const why = graph.nodes.length ? `${graph.nodes.length} ops are too many to draw: the table of ops lists them.` : "The file of this run holds no graph: an older thermoc wrote it, or the network has more than 2000 ops.";
    hold.replaceChildren(element("p", { class: "note" }, why));
    return;
  }
  const places = new Map(graph.nodes.map((node) => [node.id, node]));
  hold.replaceChildren(drawn("svg", { width: graph.width * zoom, height: graph.height * zoom, viewBox: `0 0 ${graph.width} ${graph.height}`, role: "group", "aria-label": `graph of ${doc.title}` },
    drawn("defs", {}, drawn("marker", { id: "tip", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, drawn("path", { d: "M 0 0 L 8 4 L 0 8 z" }))),
    graph.edges.map(([source, target, feedback]) => edge(places.get(source), places.get(target), feedback)),
    graph.nodes.map(node)));
  markGraph();
}

function edge(source, target, feedback) {
  const [x1, y1, x2, y2] = [source.x + WIDTH, source.y + HEIGHT / 2, target.x, target.y + HEIGHT / 2];
  const bend = (x2 - x1) / 2, low = Math.max(y1, y2) + 41;
  const shape = x2 > x1 ? `M ${x1} ${y1} C ${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
    : `M ${x1} ${y1} C ${x1 + 40} ${low} ${x1} ${low} ${(x1 + x2) / 2} ${low} S ${x2 - 40} ${low} ${x2} ${y2}`;
  const made = drawn("path", { class: `edge ${feedback ? "feedback" : ""}`, d: shape, "marker-end": "url(#tip)" });
  made.ends = [source.id, target.id];
  return made;
}

function node(one) {
  const [dialect, noun] = one.op.split(".");
  const name = one.output || one.id, text = name === noun ? noun : `${noun}  ${name}`;
  const classes = ["node", dialect, one.state && "state", one.noise && "noise", one.end && "end"].filter(Boolean).join(" ");
  const pick = () => pickOp(one.id);
  const made = drawn("g", { class: classes, "data-op": one.id, tabindex: 0, role: "button", "aria-label": `${one.op} ${name}`, onclick: pick, onkeydown: (event) => event.key === "Enter" && pick() },
    drawn("title", {}, `${one.op} ${name}\n${one.where}`),
    drawn("rect", { x: one.x, y: one.y, width: WIDTH, height: HEIGHT }),
    drawn("text", { x: one.x + WIDTH / 2, y: one.y + 21, "text-anchor": "middle" }, text.length <= 25 ? text : `${text.slice(0, 24)}…`),
    drawn("text", { class: "type", x: one.x + WIDTH / 2, y: one.y + 38, "text-anchor": "middle" }, one.type));
  made.about = `${one.op} ${name} ${one.type}`;
  return made;
}

function markGraph() {
  const nodes = [...document.querySelectorAll("#drawing .node")], matching = nodes.some((made) => matchesQuery(made.about));
  document.getElementById("unmatched").hidden = matching || !nodes.length;
  for (const made of nodes) {
    made.classList.toggle("selected", isOp(made.dataset.op));
    made.classList.toggle("dim", matching && !matchesQuery(made.about));
  }
  for (const made of document.querySelectorAll("#drawing .edge")) made.classList.toggle("selected", made.ends.some(isOp));
}
