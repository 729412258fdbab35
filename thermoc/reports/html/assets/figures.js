// Figures of Plotly: drawn when they come into sight, in the page's colours, with the selected tick marked.

const figures = [];
const CONFIG = { displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] };

// build() returns {traces, layout}; options: wide, notes, tick (a function from tick to x), click(point), again(change).
function figure(title, build, options = {}) {
  const plot = element("div", { class: "plot" });
  const root = element("div", { class: `figure ${options.wide ? "wide" : ""} ${options.tall ? "tall" : ""}` },
    element("h3", {}, title), plot, ...(options.notes || []).map((text) => element("p", { class: "note" }, text)));
  const one = { plot, build, options, title, drawn: false };
  plot.setAttribute("data-figure", title);
  figures.push(one);
  sight.observe(plot);
  widths.observe(plot);
  plot.made = one;
  return root;
}

// Plotly is text until the page stands: to compile it takes longer than all else.
function loadPlotly() {
  if (window.Plotly) return;
  const script = element("script");
  script.textContent = document.getElementById("plotly").textContent;
  document.head.append(script);
}

addEventListener("load", () => requestIdleCallback(loadPlotly, { timeout: 300 }));

const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting && !entry.target.made.drawn) whenLoaded(() => draw(entry.target.made));
  }
}, { rootMargin: "300px" });

// A figure follows its own width: that of the window, and the room that the panel leaves.
const widths = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (target.made.drawn && contentRect.width && contentRect.width !== target.made.wide) Plotly.Plots.resize(target);
    target.made.wide = contentRect.width;
  }
});

function whenLoaded(act) {
  if (document.readyState === "complete") act();
  else addEventListener("load", () => setTimeout(act));
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function draw(one) {
  loadPlotly();
  const { traces, layout } = one.build();
  const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("soft"), automargin: true };
  const legend = layout.showlegend ?? (traces.length > 1 && traces.length <= 14);
  const named = traces.filter((trace) => trace.showlegend !== false).length;
  const whole = {
    margin: { l: 56, r: 12, t: 26, b: 44 + (legend ? 18 * Math.ceil(named / 5) : 0) }, modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("line"), activecolor: colour("soft") }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", colorway: COLOURS,
    font: { color: colour("ink"), size: 12 }, hovermode: "closest",
    legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", font: { size: 11 } }, ...layout, showlegend: legend,
    xaxis: { ...axis, ...(layout.xaxis || {}) }, yaxis: { ...axis, ...(layout.yaxis || {}) },
  };
  whole.shapes = [...(layout.shapes || []), ...marker(one)];
  one.own = layout.shapes || [];
  const first = !one.drawn;
  one.drawn = true;
  one.wide = one.plot.clientWidth;
  Plotly.react(one.plot, traces, whole, CONFIG);
  if (first && one.options.click) one.plot.on("plotly_click", (event) => one.options.click(event.points[0]));
}

function marker(one) {
  if (!one.options.tick || state.tick === null) return [];
  const x = one.options.tick(state.tick);
  return [{ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: colour("link"), width: 1.6, dash: "dot" } }];
}

function drawAll() {
  figures.filter((one) => !one.drawn).forEach(draw);
}

watch((change) => {
  for (const one of figures) {
    if (!one.drawn) continue;
    const again = one.options.again && one.options.again(change);
    if (again) draw(one);
    else if ("tick" in change && one.options.tick) Plotly.relayout(one.plot, { shapes: [...one.own, ...marker(one)] });
  }
});

function lines(x, series, more = {}) {
  return series.map(([name, y], place) => ({ type: "scatter", mode: y.length < 60 ? "lines+markers" : "lines", name, x, y, marker: { size: 4 }, line: { width: 1.4, color: COLOURS[place % COLOURS.length] }, ...more }));
}

function bars(names, values, unit, chosen) {
  return () => ({
    traces: [{ type: "bar", orientation: "h", x: values, y: names.map(labelOf), customdata: names, marker: { color: names.map((name) => (chosen(name) ? colour("link") : COLOURS[0])), opacity: names.map((name) => (state.op === null || chosen(name) ? 1 : 0.55)) }, hovertemplate: `%{y}: %{x:.4g} ${unit}<extra></extra>` }],
    layout: { xaxis: { title: { text: unit }, exponentformat: "SI" }, yaxis: { autorange: "reversed", type: "category" }, margin: { l: 120, r: 12, t: 26, b: 42 }, showlegend: false },
  });
}
