"use strict";
// The graph at the side. A chain is a list. Where it branches, it stands in layers (the longest path from the inputs), with a
// curve for each edge: those that leave out a layer, of a residual for example, bow out at the side.

const GRAPH = { layers: null, edges: [], items: {} };

function rail() {
  const call = k => M.calls[k], wrong = one => Object.values(one.checks).some(c => c.verdict === "FAILED");
  const stopOf = key => { const pass = here().pass === "backward" ? "backward" : "forward", at = typeof key === "string" ? M.stops.findIndex(stop => stop.pass === key) : M.stops.findIndex(stop => stop.call === key && stop.pass === pass);
    return at >= 0 ? at : M.stops.findIndex(stop => stop.call === key); };
  const button = (key, name, kind, small, norm, isWrong) => GRAPH.items[key] = h("button", { class: "step", "data-call": key, onclick: () => goto(stopOf(key)) }, small, h("span", { class: "label" }, h("b", {}, soft(name)), h("small", {}, soft(kind)),
    norm ? h("small", { class: "norm" }, norm) : null, isWrong ? h("small", { class: "norm warning" }, "✗ wrong") : null), h("span", { class: "quiet" }, fromWhere(key)));
  const ofCall_ = k => { const one_ = call(k); return button(k, one_.name, `${one_.kind} → ${one_.y.map(id => shapeText(T(id).row)).join(" | ")}`, thumb(one(one_.y)),
    M.loss ? one_.dy.some(id => id !== null) ? "|dL/dy| " + fmt(one_.norm) : one_.back ? "" : "no gradient needed" : null, wrong(one_)); };
  const make_ = key => key === "input" ? button(key, "input", M.x.map(id => shapeText(T(id).row)).join(" | "), thumb(T(M.x[0])))
    : key === "loss" ? button(key, "loss", M.loss.outputs.map(out => out.loss).filter(Boolean).join(", ") || "added by layers") : key === "update" ? button(key, "update", M.update.optimizer) : ofCall_(key);
  layers();
  const indent = depth => depth ? `margin-left:${depth * 12}px` : null, list = h("ol", { class: GRAPH.layers ? "layered" : null });
  if (GRAPH.layers) GRAPH.layers.forEach(layer => list.append(h("li", { class: layer.length > 1 ? "several" : null }, layer.map(key => h("div", { class: "node" }, [key, ...within(key)].map(k => h("div", { style: indent(k === key ? 0 : call(k).depth) }, make_(k))))))));
  else for (const key of ["input", ...M.calls.keys(), ...(M.loss ? ["loss"] : []), ...(M.update ? ["update"] : [])]) list.append(h("li", { style: typeof key === "number" ? indent(call(key).depth) : null }, make_(key)));
  $("rail").replaceChildren(h("h2", { class: "quiet" }, "The graph"), list);
  document.body.classList.toggle("branching", Boolean(GRAPH.layers));
  requestAnimationFrame(edges);
}
const within = key => typeof key !== "number" ? [] : M.calls[key].calls.flatMap(k => [k, ...within(k)]);
const sourcesOf = key => key === "loss" ? [...new Set(M.ends.filter(k => k !== null))] : key === "update" ? ["loss"] : typeof key !== "number" ? [] : M.calls[key].sources.map(k => k === null ? "input" : k);
function fromWhere(key) {
  const names = GRAPH.layers && typeof key === "number" && !M.calls[key].depth ? sourcesOf(key).map(k => k === "input" ? k : M.calls[k].name) : [];
  return names.length ? `, from ${names.join(", ")}` : "";
}
// GRAPH.layers: for each layer its nodes, from left to right where their sources are; null for a chain.
function layers() {
  const outer = [...M.calls.keys()].filter(k => !M.calls[k].depth), nodes = ["input", ...outer, ...(M.loss ? ["loss"] : []), ...(M.update ? ["update"] : [])], rank = { input: 0 }, place = { input: 0 }, found = [["input"]];
  for (const key of nodes.slice(1)) {
    rank[key] = 1 + Math.max(0, ...sourcesOf(key).map(k => rank[k]));
    if (typeof key === "string") rank[key] = found.length; // behind everything
    (found[rank[key]] = found[rank[key]] || []).push(key);
  }
  GRAPH.edges = nodes.flatMap(key => sourcesOf(key).filter(k => rank[k] !== undefined).map(from => ({ from, to: key, leap: rank[key] - rank[from] > 1 })));
  for (const layer of found) {
    const where = key => { const at = sourcesOf(key).map(k => place[k]); return at.reduce((a, b) => a + b, 0) / (at.length || 1); };
    layer.sort((p, q) => where(p) - where(q));
    layer.forEach((key, k) => place[key] = (k + .5) / layer.length);
  }
  GRAPH.layers = found.some(layer => layer.length > 1) || GRAPH.edges.some(edge => edge.leap) ? found : null;
}
// The curves, from what has been laid out: downwards in a column, to the right in a row (on narrow screens). `along` is the
// way that the graph goes, `aside` the other one.
function edges() {
  const list = $("rail").querySelector("ol"), old = list.querySelector("svg");
  if (old) old.remove();
  if (!GRAPH.layers) return;
  const across = getComputedStyle(list).display === "flex", origin = list.getBoundingClientRect();
  const boxOf = key => { const box = GRAPH.items[key].closest(".node").getBoundingClientRect(), x = [box.left - origin.left, box.right - origin.left], y = [box.top - origin.top, box.bottom - origin.top];
    return across ? { along: x, aside: y } : { along: y, aside: x }; };
  const xy = (along, aside) => across ? `${along} ${aside}` : `${aside} ${along}`, middle = ([low, high]) => (low + high) / 2;
  const svg = s("svg", { class: "edges", width: list.scrollWidth, height: list.scrollHeight, "aria-hidden": "true" }), taken = [];
  const head = (along, aside, kind, [da, ds]) => s("path", { class: "head " + kind, d: `M${xy(along, aside)}L${xy(along + 6 * da - 4 * ds, aside + 6 * ds - 4 * da)}L${xy(along + 6 * da + 4 * ds, aside + 6 * ds + 4 * da)}z` });
  for (const edge of GRAPH.edges) {
    const p = boxOf(edge.from), q = boxOf(edge.to);
    let d, heads;
    if (edge.leap) { // at the side where it begins, a little behind the middle, and where it ends, a little before it
      const far = isFar(edge.from, across) ? 1 : 0, begin = middle(p.along) + 7, end = middle(q.along) - 7, out = far ? 1 : -1;
      const bow = out * (9 + 5 * laneOf(taken, far, begin, end)) * 4 / 3;
      d = `M${xy(begin, p.aside[far])}C${xy(begin, p.aside[far] + bow)} ${xy(end, q.aside[far] + bow)} ${xy(end, q.aside[far])}`;
      heads = [head(end, q.aside[far], "ahead", [0, out]), head(begin, p.aside[far], "behind", [0, out])];
    } else {
      const begin = p.along[1], end = q.along[0];
      d = `M${xy(begin, middle(p.aside))}C${xy(begin + 9, middle(p.aside))} ${xy(end - 9, middle(q.aside))} ${xy(end, middle(q.aside))}`;
      heads = [head(end, middle(q.aside), "ahead", [-1, 0]), head(begin, middle(p.aside), "behind", [1, 0])];
    }
    edge.path = s("g", { class: "edge" }, s("path", { d }), heads);
    svg.append(edge.path);
  }
  list.prepend(svg);
  lightEdges();
}
// Whether a node lies in the second half of its layer, of two columns or of a row: its edges then go at that side.
function isFar(key, across) {
  const layer = GRAPH.layers.find(nodes => nodes.includes(key)), k = layer.indexOf(key);
  return layer.length > 1 && (across ? k >= layer.length / 2 : k % 2 === 1);
}
// The nearest lane of a side that is free over the whole way.
function laneOf(taken, side, begin, end) {
  let lane = 0;
  while (lane < 3 && taken.some(one => one.side === side && one.lane === lane && one.begin < end && begin < one.end)) lane++;
  taken.push({ side, lane, begin, end });
  return lane;
}
// Those of the layer that is shown.
function lightEdges() {
  if (!GRAPH.layers) return;
  const stop = here(), key = stop.call === undefined ? stop.pass : stop.call;
  for (const edge of GRAPH.edges) if (edge.path) edge.path.classList.toggle("on", edge.from === key || edge.to === key);
}
// In the rail up and down lead along the graph: to a node that a node comes from, or goes to.
$("rail").addEventListener("keydown", event => {
  const way = { ArrowUp: -1, ArrowDown: 1 }[event.key], button = event.target.closest(".step");
  if (!way || !button) return;
  event.preventDefault();
  const key = Number.isNaN(Number(button.dataset.call)) ? button.dataset.call : Number(button.dataset.call), steps = [...document.querySelectorAll("#rail .step")];
  const along = GRAPH.layers && (way > 0 ? GRAPH.edges.find(edge => edge.from === key) : GRAPH.edges.find(edge => edge.to === key));
  const next = along ? GRAPH.items[way > 0 ? along.to : along.from] : steps[steps.indexOf(button) + way];
  if (next) next.focus();
});
