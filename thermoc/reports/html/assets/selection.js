// What is selected: an op, a unit, a core, a tick. Everything that shows one of them watches this.

const doc = JSON.parse(document.getElementById("document").textContent);
const state = { op: null, unit: null, core: null, tick: null, subject: 0, query: "" };
const watchers = [];

function watch(react) {
  watchers.push(react);
}

function select(change) {
  Object.assign(state, change);
  for (const react of watchers) react(change);
}

const subject = () => doc.subjects[state.subject];
const chipSubject = () => (subject().chip ? subject() : doc.subjects.find((one) => one.chip)) || null;
const chipOf = () => (chipSubject() || {}).chip || null;

// Of a run that was read from a file nobody knows cores and maps, and yet what each op took.
const costsOf = () => chipOf() || subject().costs || { ops: [] };

function pickOp(op, rest = {}) {
  select({ op, unit: null, core: null, ...rest });
}

function pickUnit(op, unit, tick = state.tick) {
  const chip = chipOf();
  const sites = chip && Object.entries(chip.sites).find(([name]) => family(op).has(name));
  select({ op, unit, core: sites ? sites[1][unit] ?? null : null, tick });
}

function pickCore(core) {
  const works = chipOf().cores.find((one) => one.core === core);
  select({ core, op: works ? works.ops[0] : null, unit: null });
}

function clear() {
  select({ op: null, unit: null, core: null, tick: null });
}

// An op of a chip holds the network's ops that were fused into it; an output is known by its own name and its op's.
const families = new Map();

function relate(a, b) {
  for (const [one, other] of [[a, b], [b, a]]) {
    if (!families.has(one)) families.set(one, new Set([one]));
    families.get(one).add(other);
  }
}

for (const one of doc.subjects) {
  for (const op of one.chip ? one.chip.ops : []) for (const held of op.holds) relate(op.op, held);
}

function family(op) {
  return families.get(op) || new Set([op]);
}

// An op of a chip by the network's ops that it holds: score + neg.
function labelOf(op) {
  const one = costsOf().ops.find((each) => each.op === op);
  return one && one.holds.length ? one.holds.join(" + ") : op;
}

function coresText(cores) {
  if (!cores || !cores.length) return "";
  return `core${cores.length > 1 ? "s" : ""} ${shown(cores)}`;
}

function isOp(op) {
  return state.op !== null && op !== null && op !== undefined && family(state.op).has(op);
}

function coresOf(op) {
  const chip = chipOf();
  if (!chip || op === null) return [];
  return [...new Set(chip.ops.filter((one) => family(op).has(one.op)).flatMap((one) => one.cores))];
}

function matchesQuery(text) {
  return !state.query || text.toLowerCase().includes(state.query);
}
