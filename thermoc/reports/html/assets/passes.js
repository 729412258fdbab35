// Each pass with what it changed: numbers old, new and bound, and the graph's text before and after.

function passesSection() {
  const hold = element("div");
  const fill = () => {
    const passes = subject().passes;
    const changes = passes.flatMap((one) => one.changes.map((change) => ({ pass: one.name, op: change.op, what: change.what, old: change.old, new: change.new, bound: change.bound, offset: change.offset, noise: change.noise, sampling: change.sampling })));
    const unlisted = passes.reduce((sum, one) => sum + one.unlisted, 0);
    hold.replaceChildren(
      element("p", { class: "note" }, passes.length ? `${passes.length} passes, ${passes.filter((one) => one.changed).length} of them changed the graph. Click one for the graph before and after it.` : "The file of this run names no passes."),
      ...passes.map(passDetails),
      changes.length ? table("Numbers that passes replaced", changes, { pick: (row) => row.op && pickOp(row.op), note: unlisted ? `${unlisted} more are not listed.` : null }) : element("p", { class: "note" }, "No pass replaced a number: all of them are exact."));
  };
  fill();
  watch((change) => { if ("subject" in change) fill(); });
  return section("passes", "Passes", hold);
}

function passDetails(one) {
  const [before, after] = one.ops;
  const changed = one.changes.length + one.unlisted;
  const what = one.changed ? (before === null ? `${after} ops after it` : `${before} → ${after} ops`) : "nothing changed";
  const time = one.milliseconds === null || one.milliseconds === undefined ? "" : `, ${shown(one.milliseconds)} ms`;
  const detail = element("details", { class: one.changed || changed ? "" : "same" },
    element("summary", {}, element("b", {}, one.name), element("small", {}, `${what}${changed ? `, ${changed} number${changed === 1 ? "" : "s"} replaced` : ""}${time}`)),
    element("p", {}, element("code", {}, one.text)));
  // Built when it is opened: the texts of large graphs are long.
  detail.addEventListener("toggle", () => {
    if (!detail.open || detail.built || !one.diff || !one.diff.length) return;
    detail.built = true;
    detail.append(element("div", { class: "diff" }, one.diff.map((text) => element("div", { class: text.startsWith("+") ? "plus" : text.startsWith("-") ? "minus" : "" }, text))));
  }, { passive: true });
  return detail;
}
