// Tables that sort, filter, copy as CSV or JSON, and whose rows select what they are of.

const ROWS = 100;
const tables = [];

function table(title, rows, options = {}) {
  const empty = (name) => rows.every((row) => row[name] === null || row[name] === undefined || row[name] === "");
  const columns = (options.columns || [...new Set(rows.flatMap((row) => Object.keys(row)))]).filter((name) => !rows.length || !empty(name));
  const made = { rows: [...rows], columns, options, shownRows: ROWS, sorted: null };
  const known = (name) => made.rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined);
  made.numeric = new Set(columns.filter((name) => known(name).length && known(name).every((value) => typeof value === "number")));
  made.body = element("tbody");
  made.heads = columns.map((name) => head(made, name));
  made.more = element("button", { type: "button", hidden: true, onclick: () => { made.shownRows = Infinity; refill(made); } });
  made.root = element("div", { class: "table", "data-table": title },
    element("div", { class: "head" }, element("h3", {}, options.heading ?? title), copier("CSV", () => csv(made)), copier("JSON", () => JSON.stringify(plainRows(made), null, 1))),
    options.note ? element("p", { class: "note" }, options.note) : null,
    element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, made.heads)), made.body, options.total && rows.length > 1 ? totals(made) : null)),
    made.more);
  tables.push(made);
  refill(made);
  return made.root;
}

// A line below: what the columns that are named add up to, over all rows.
function totals({ rows, columns, options }) {
  const sum = (name) => rows.reduce((all, row) => all + (row[name] ?? 0), 0);
  return element("tfoot", {}, element("tr", {}, columns.map((name, place) => element("td", { class: place ? "number" : "text" }, place ? (options.total.includes(name) ? options.format[name](sum(name), {}) : "") : "total"))));
}

function head(made, name) {
  return element("th", { class: made.numeric.has(name) ? "number" : null, scope: "col", onclick: () => sort(made, name), title: "sort" }, name.replaceAll("_", " "));
}

function sort(made, name) {
  const falls = made.sorted === name ? !made.falls : made.rows.some((row) => typeof row[name] === "number");
  made.sorted = name;
  made.falls = falls;
  const order = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  const empty = (value) => value === null || value === undefined || value === "";
  made.rows.sort((p, q) => {
    if (empty(p[name]) || empty(q[name])) return empty(p[name]) - empty(q[name]);
    return falls ? order(q[name], p[name]) : order(p[name], q[name]);
  });
  made.heads.forEach((cell, place) => cell.setAttribute("aria-sort", made.columns[place] === name ? (falls ? "descending" : "ascending") : "none"));
  refill(made);
}

function refill(made) {
  const { columns, options } = made;
  const fitting = made.rows.filter((row) => matchesQuery(columns.map((name) => shown(row[name])).join(" ")));
  made.drawn = fitting.slice(0, made.shownRows);
  made.body.replaceChildren(...(made.drawn.length || !made.rows.length ? made.drawn.map((row) => line(row, made)) : [unmatched(made)]));
  made.more.hidden = fitting.length <= made.shownRows;
  made.more.textContent = `show all ${fitting.length} rows`;
  mark(made);
}

function unmatched(made) {
  return element("tr", { class: "unmatched" }, element("td", { colspan: made.columns.length }, `no match among ${made.rows.length} row${made.rows.length === 1 ? "" : "s"}`));
}

function line(row, { columns, options, numeric }) {
  const picks = options.pick ? () => options.pick(row) : null;
  const cells = columns.map((name) => {
    const text = (options.format || {})[name] ? options.format[name](row[name], row) : shown(row[name]);
    return element("td", { class: [numeric.has(name) ? "number" : "text", tone(row[name])].join(" ") }, text);
  });
  const made = element("tr", { class: picks ? "pick" : null, tabindex: picks ? 0 : null, onclick: picks, onkeydown: (event) => event.key === "Enter" && picks && picks() }, cells);
  const op = row.id ?? row.op;
  if (op) made.dataset.op = op;
  return made;
}

function tone(value) {
  if (value === true || value === "ok") return "good";
  if (value === "not judged") return "unjudged";
  return value === false || value === "breach" ? "bad" : "";
}

function mark(made) {
  const is = made.options.is || ((row) => isOp(row.id ?? row.op));
  made.drawn.forEach((row, place) => made.body.children[place].classList.toggle("selected", Boolean(is(row))));
}

function plainRows(made) {
  return made.rows.map((row) => Object.fromEntries(made.columns.map((name) => [name, row[name] ?? null])));
}

function csv(made) {
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [made.columns, ...made.rows.map((row) => made.columns.map((name) => row[name]))].map((cells) => cells.map(quoted).join(",")).join("\n");
}

function copier(kind, text) {
  const button = element("button", { type: "button", title: `copy the table as ${kind}`, onclick: async () => {
    button.textContent = (await copied(text())) ? "copied" : "not copied";
    setTimeout(() => { button.textContent = kind; }, 1200);
  } }, kind);
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers that give a page from disk no clipboard still copy what is marked.
    const area = element("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

watch((change) => tables.forEach("query" in change ? refill : mark));
