// Small pieces that every part uses: elements, numbers, units.

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#4269d0", "#efb118", "#ff725c", "#3ca951", "#a463f2", "#6cc5b0", "#ff8ab7", "#9c6b4e", "#97bbf5", "#9498a0"];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  return filled(made, attributes, children);
}

function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  // Text nodes alone: no name of a network can become markup.
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function shown(value) {
  if (value === null || value === undefined) return "";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 1e7 ? String(value) : digits(value);
  if (Array.isArray(value)) return value.length > 12 ? `${value.slice(0, 12).join(", ")}, … (${value.length})` : value.join(", ");
  if (/^[0-9a-f]{64}$/.test(value)) return `${value.slice(0, 12)}…`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function digits(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(3).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

function counted(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function percent(share) {
  return share === null || share === undefined ? "" : `${shown(100 * share)} %`;
}

// Seconds, joules, watts and kelvins of a table, each with its unit.
const joules = (value) => quantity(value, "J"), kelvins = (value) => quantity(value, "K"), seconds = (value) => quantity(value, "s");
const UNITS = { seconds: "s", latency: "s", throughput: "samples/s", joules: "J", joules_a_sample: "J", setup_joules: "J", setup_seconds: "s", peak_kelvin: "K", peak_seconds: "s", mean_watts: "W", heat_in: "J", heat_out: "J", heat_stored: "J", heat_gap: "J", slot: "s", lag_error: "K", "option slot": "s", "option period": "s", "option build_limit": "s", "option run_limit": "s" };

function factsTable(title, facts) {
  const said = (value, { what }) => (!(what in UNITS) || typeof value !== "number" ? shown(value) : what === "peak_kelvin" || what === "throughput" ? `${shown(value)} ${UNITS[what]}` : quantity(value, UNITS[what]));
  return table(title, Object.entries(facts).map(([what, value]) => ({ what, value })), { format: { value: said } });
}

const PREFIXES = [[1e-15, "f"], [1e-12, "p"], [1e-9, "n"], [1e-6, "µ"], [1e-3, "m"], [1, ""], [1e3, "k"], [1e6, "M"], [1e9, "G"]];

function quantity(value, unit) {
  if (value === null || value === undefined) return "";
  if (value === 0) return `0 ${unit}`;
  const fit = PREFIXES.filter(([factor]) => Math.abs(value) >= factor * 0.9995).pop() || PREFIXES[0];
  return `${Number((value / fit[0]).toPrecision(4))} ${fit[1]}${unit}`;
}
