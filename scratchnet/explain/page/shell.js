"use strict";
// The page around the pictures: stops, rail, equations, source and check, keyboard, the address.

const S = { stop: 0, n: 0, t: null, u: null, update: null, scale: null };
const CURSORS = ["n", "t", "u", "i", "j", "p", "q", "a", "b", "c", "f", "d"];
const callOf = stop => M.calls[stop.call];
const here = () => M.stops[S.stop];
const idOf = stop => stop.pass === "forward" ? callOf(stop).path + "/f" : stop.pass === "backward" ? callOf(stop).path + "/b" : stop.pass;
const titleOf = stop => ({ input: "input", loss: "loss", update: "update" })[stop.pass] || `${stop.pass} ${stop.pass === "forward" ? "↓" : "↑"} ${callOf(stop).path}`;

function address() {
  const cursors = (here().keys || []).filter(key => S[key]).map(key => `/${key}=${S[key]}`).join("");
  history.replaceState(null, "", "#" + encodeURI(idOf(here())) + cursors);
}
function readAddress() {
  const parts = decodeURI(location.hash.slice(1)).split("/"), cursors = parts.filter(part => /^[a-z]=\d+$/.test(part));
  const id = parts.filter(part => !cursors.includes(part)).join("/"), found = M.stops.findIndex(stop => idOf(stop) === id);
  for (const cursor of cursors) { const [key, value] = cursor.split("="); if (CURSORS.includes(key)) S[key] = Number(value); }
  S.n = Math.min(S.n, M.samples - 1);
  return found;
}

function goto(stop, quiet) {
  S.stop = Math.max(0, Math.min(M.stops.length - 1, stop));
  S.scale = S.scale && null;
  draw();
  if (!quiet) $("main").scrollTop = 0;
}
const redraw = () => draw(true);
function draw(keep) {
  const stop = here(), focused = document.activeElement && document.activeElement.dataset && document.activeElement.dataset.key, begun = performance.now();
  PICTURES.clear();
  S.update = null; LAST = null;
  const back = stop.pass === "backward", call = stop.call === undefined ? null : callOf(stop), scroll = $("main").scrollTop;
  const body = call ? ofCall(call, back) : { input: ofInput, loss: ofLoss, update: ofUpdate }[stop.pass]();
  $("main").replaceChildren(...[body].flat(Infinity).filter(Boolean));
  if (S.update) S.update();
  $("side").replaceChildren(...[call ? sideOf(call, back) : stop.pass === "loss" ? sideOfLoss() : stop.pass === "update" ? sideOfUpdate() : null].flat(Infinity).filter(Boolean));
  for (const source of document.querySelectorAll(".source")) reveal(source);
  $("where").textContent = `${S.stop + 1} / ${M.stops.length} ${titleOf(stop)}`;
  $("where").className = back || stop.pass === "update" ? "back" : "";
  $("prev").disabled = S.stop === 0; $("next").disabled = S.stop === M.stops.length - 1;
  for (const item of document.querySelectorAll("#rail [data-call]")) {
    const is = call ? item.dataset.call === String(stop.call) : item.dataset.call === stop.pass;
    if (is) item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
    if (is && item.scrollIntoView && !keep) item.scrollIntoView({ block: "nearest", inline: "center" });
  }
  lightEdges();
  document.body.dataset.pass = back || stop.pass === "update" ? "backward" : "forward";
  stop.keys = call ? CURSORS : ["n"];
  if (keep) { $("main").scrollTop = scroll; const again = focused && document.querySelector(`[data-key="${focused}"]`); if (again) again.focus(); }
  address();
  status(`${titleOf(stop)}: move the pointer over a picture, or use the arrow keys in one that has the focus.`);
  document.body.dataset.drawn = Math.round(performance.now() - begun);
}

// ---- one layer in one pass ----

function ofCall(call, back) {
  const head = [h("h2", {}, call.path, ": ", call.kind, " ", h("span", { class: "about" }, call.about)), h("p", { class: "repr" }, call.repr)];
  if (call.broken) head.push(h("p", { class: "warning" }, "The first value that is not finite comes from here."));
  if (call.calls.length) head.push(h("p", { class: "how" }, "Within it: ", call.calls.map(k => h("button", { class: "link", onclick: () => goto(M.stops.findIndex(stop => stop.call === k && stop.pass === here().pass)) }, M.calls[k].name))));
  if (back && !call.back) return [head, none("No gradient was needed here: nothing before it is trained, or its output has no part in the loss.")];
  let body;
  try { body = (VIEWS[call.view] || VIEWS.generic)(call, back); }
  catch (problem) { console.error(problem); body = VIEWS.generic(call, back); }
  return [head, body, besideOf(call, back), parametersOf(call, back)];
}
function parametersOf(call, back) {
  const names = Object.keys(back ? call.grads : call.params);
  if (!names.length && !Object.keys(call.state).length) return null;
  const figure = (name, id, prefix) => { const tensor = T(id); return h("div", {}, pictured(prefix + name, tensor, { whole: true, width: 420, height: 160 }), tensor.coarse ? h("p", { class: "note" }, tensor.coarse) : null,
    h("p", { class: "note" }, `length ${fmt(tensor.norm)}, ${tensor.zeros} of ${tensor.count} are 0`)); };
  const filled = () => row(names.map(name => figure(name, (back ? call.grads : call.params)[name], back ? "d" : "")), back ? null : Object.entries(call.state).map(([name, id]) => figure(name, id, "")));
  return h("details", { ontoggle: event => { const box = event.target; if (box.open && box.children.length === 1) box.append(filled()); } }, h("summary", {}, back ? "Gradients of the parameters" : "Parameters"));
}
function besideOf(call, back) {
  if (!call.beside) return null;
  const name = back ? "dy" : "y", mine = one(call[name]), other = T(call.beside[name]);
  if (!mine || !other) return null;
  const data = Float32Array.from(mine.data, (v, k) => v - other.data[k]), top = data.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  const norm = tensor => Math.sqrt(tensor.data.reduce((a, v) => a + v * v, 0)), change = Object.assign(Object.create(Tensor.prototype), { ...mine, values: data, min: -top, max: top, id: -1 });
  const range = Math.max(mine.biggest, other.biggest), twin = Object.assign(Object.create(Tensor.prototype), other);
  return section(`Beside ${M.beside.title}`, h("p", { class: "result" }, `|${name}| is `, plain(norm(mine)), " here and ", plain(norm(other)), " there; they differ by at most ", plain(top), "."),
    row(pictured(name, mine, { ink: false, label: name + " here" }), pictured(name, twin, { ink: false, label: name + " there" }), pictured(name, change, { ink: false, label: "here − there", note: "±" + fmt(top) })));
}

// ---- the other stops ----

const sampleNote = () => M.samples > 1 ? h("p", { class: "how" }, `Sample ${S.n + 1} of ${M.samples}. The gradients of the parameters are those of all ${M.samples} together.`) : null;
function ofInput() {
  return [h("h2", {}, "The input"), sampleNote(), h("p", { class: "how" }, "→ goes on to the first layer; ? lists the keys."),
    row(M.x.map((id, k) => pictured(M.inputs[k], T(id), { width: 290, height: 290 }))),
    M.dx.some(id => id !== null) ? section("What each input number would change: dL/dx", row(M.dx.map((id, k) => id === null ? null : pictured("dL/d" + M.inputs[k], T(id), { width: 290, height: 290 })))) : null];
}
function ofLoss() {
  return [h("h2", {}, `The loss: ${fmt(M.loss.total ?? NaN)}`), sampleNote(), M.loss.added ? h("p", { class: "result" }, "Layers and regularizers add ", plain(M.loss.added), " to it.") : null,
    M.loss.outputs.map(out => {
      if (!out.loss) return section(out.name, none("This output has no loss."));
      const y = T(out.y), dy = T(out.dy), target = T(out.target), few = y.row.length === 1 && y.row[0] <= 40;
      const index = () => S.at && S.at.length === y.row.length ? S.at.map((k, axis) => Math.min(k, y.row[axis] - 1)) : y.row.map(() => 0);
      const pick = (name, tensor, o) => tensor && tensor.row.length === y.row.length ? pictured(name, tensor, { width: 210, height: 210, mark: index, move: i => { S.at = i; }, ...o }) : null;
      const label = target && target.size === 1 && target.row.join() !== y.row.join() ? target.data[Math.min(S.n, target.shape[0] - 1)] : null;
      const t = u => label !== null ? (u === label ? 1 : 0) : target.at(S.n, u);
      return section(`${out.name}: ${out.loss}`, h("p", { class: "result" }, "L = ", plain(out.value, "strong"), out.weight !== 1 ? [" , weighted by ", plain(out.weight)] : null, label !== null ? [". The target is ", h("b", {}, label), "."] : null),
        few ? termsOf(out, y, dy, t) : [row(pick("target", target), pick("prediction", y), pick("dL/dy", dy)), live(() => target && target.row.length === y.row.length ? h("p", { class: "result" }, `at [${index().join(", ")}]: target `, num(target, [S.n, ...index()]), ", prediction ", num(y, [S.n, ...index()]), dy ? [", dL/dy ", num(dy, [S.n, ...index()], "strong")] : null) : null)],
        out.values !== null && T(out.values).size * T(out.values).shape[0] > 1 ? h("p", { class: "result" }, `L is the mean of ${T(out.values).data.length} values, one for each ${T(out.values).row.length ? "place" : "sample"}.`) : null,
        out.fused ? h("p", { class: "note" }, "Training takes the last activation and the loss in one step, from the numbers before it (logits): that loses no digits. dL/dy is that of the loss as it is written; dz of the last layer is what training computes.") : null,
        out.cut ? h("p", { class: "note" }, `${out.cut} of the predictions are so near to 0 or 1 that the loss cuts them: there dL/dy is 0.`) : null);
    })];
}
function termsOf(out, y, dy, t) {
  const U = y.row[0], kind = out.kind, term = { mean_squared_error: (p, q) => (p - q) ** 2 / U, mean_absolute_error: (p, q) => Math.abs(p - q) / U,
    categorical_crossentropy: (p, q) => q ? -q * Math.log(Math.max(p, 1e-7)) : 0, sparse_categorical_crossentropy: (p, q) => q ? -Math.log(Math.max(p, 1e-7)) : 0,
    binary_crossentropy: (p, q) => -(q * Math.log(Math.max(p, 1e-7)) + (1 - q) * Math.log(Math.max(1 - p, 1e-7))) / U }[out.plainly ? kind : ""];
  const rows = Array.from({ length: U }, (_, u) => [String(u), fmt(t(u)), num(y, [S.n, u]), dy ? num(dy, [S.n, u]) : "none"]);
  if (!term) return table(["output", "target", "prediction", "dL/dy"], rows);
  const value = T(out.values).at(S.n);
  return h("div", { class: "beside" }, table(["output", "target", "prediction", "dL/dy"], rows),
    sumTable("the value of this sample, term by term", ["output", "target", "prediction", "term"], Array.from({ length: U }, (_, u) => ({ cells: [String(u), fmt(t(u)), num(y, [S.n, u])], value: term(y.at(S.n, u), t(u)) })), [], "L of this sample", plain(value)));
}
function ofUpdate() {
  const u = M.update;
  return [h("h2", {}, `The update: ${u.optimizer}`), h("p", { class: "repr" }, u.config),
    h("p", { class: "result" }, "With these gradients one step takes the loss of these samples from ", plain(u.before), " to ", plain(u.after, "strong"), ". Learning rate ", plain(u.rate), `, step ${u.t}.`),
    h("table", {}, h("caption", {}, "every parameter"), h("thead", {}, h("tr", {}, ["parameter", "|w|", "|dL/dw|", "|step|", "|step| / |w|"].map(t => h("th", { scope: "col" }, t)))),
      h("tbody", {}, u.params.map(p => h("tr", {}, h("td", {}, p.key), [p.w, p.g, p.step, p.w ? p.step / p.w : null].map(v => h("td", { class: "n" }, fmt(v))))))),
    u.params.map(p => h("details", { open: p === u.params[0] }, h("summary", {}, `${p.key}: the largest changes`),
      table(["index", "w", "dL/dw", ...p.slots, "step", u.adam ? "from m and v" : null, "w′"].filter(Boolean), p.entries.map(e => [e.index.join(", "), plain(e.w), plain(e.g), ...e.slots.map(v => plain(v)), plain(e.step, "strong"),
        u.adam ? plain(-u.size * e.slots[p.slots.indexOf("m")] / (Math.sqrt(e.slots[p.slots.indexOf("v")]) + u.epsilon)) : null, plain(e.after)].filter(c => c !== null)))))];
}

// ---- the side: equations, source, check ----

function sourceOf(id, lines, title) {
  const source = M.sources[id], marked = new Set(lines);
  return [h("p", { class: "file" }, title || "", " ", h("code", {}, `${source.file}:${source.line}`)),
    h("div", { class: "source", tabindex: "0", role: "region", "aria-label": `source of ${source.name}` }, h("ol", {}, source.text.split("\n").map((text, k) => {
      const indent = text.length - text.trimStart().length;
      return h("li", { class: marked.has(k) ? "marked" : null, value: source.line + k, style: `padding-left:${indent / 2 + 2}ch` }, text.trim() || " ");
    })))];
}
function reveal(source) {
  const marked = source.querySelectorAll(".marked");
  if (!marked.length) return;
  const last = marked[marked.length - 1], top = marked[0].offsetTop, end = last.offsetTop + last.offsetHeight;
  source.scrollTop = end - top > source.clientHeight ? top - 8 : Math.max(0, (top + end - source.clientHeight) / 2);
}
// An equation that is too long for its column.
function smaller(button) {
  const share = button.clientWidth / button.scrollWidth;
  if (share < 1) button.firstChild.style.fontSize = Math.max(10, 13.5 * share) + "px";
}
function sideOf(call, back) {
  const lines = call.lines[back ? "backward" : "forward"], box = h("div", { class: "code" }), buttons = [];
  const chooseLine = k => {
    const line = lines[k], same = lines.filter((other, m) => other.source === line.source && (m === k));
    buttons.forEach((b, m) => b.setAttribute("aria-pressed", m === k));
    box.replaceChildren(...sourceOf(line.source, same.flatMap(one => one.rows)).flat());
    reveal(box.querySelector(".source"));
  };
  lines.forEach((line, k) => { const b = h("button", { class: "equation", "data-quantity": line.quantity, "aria-label": line.text, onclick: () => chooseLine(k) }); b.innerHTML = line.math; buttons.push(b); });
  const out = [h("h3", {}, back ? "Equations, backward" : "Equations")];
  if (lines.length) {
    out.push(h("div", { class: "equations" }, buttons), box);
    setTimeout(() => buttons.forEach(smaller));
    setTimeout(() => chooseLine(Math.max(0, lines.findIndex(line => line.main))));
    if (back && call.own_way_back) out.push(h("p", { class: "note" }, `These lines are the definition. ${call.kind} has a backward of its own, below: that is what ran.`));
    else if (M.backend !== "loops" && lines.some(line => line.loops)) out.push(h("p", { class: "note" }, `This is the definition, as loops; ${M.backend} computed. They agree: tests/kernels/test_agreement.py.`));
  }
  const own = call.own[back ? "backward" : "forward"];
  if (own !== null && own !== undefined) {
    if (lines.length) out.push(h("details", { open: back && call.own_way_back }, h("summary", {}, `${call.kind}.${back ? "backward" : "forward"}, as it runs`), sourceOf(own, [])));
    else out.push(sourceOf(own, []));
  } else if (!lines.length && call.place) out.push(h("p", { class: "note" }, call.place));
  if (back) out.push(checkOf(call));
  return out;
}
function checkOf(call) {
  if (!M.checked) return [h("h3", {}, "Gradient check"), h("p", { class: "note" }, "Not asked for: check=True.")];
  const rows = Object.entries(call.checks);
  const mark = { passed: "✓", "below the noise": "○ in the noise", FAILED: "✗ wrong" };
  return [rows.length ? h("table", { class: "check" }, h("caption", {}, "Gradient check on these samples (float64)"), h("thead", {}, h("tr", {}, ["", "difference", "backward", "error"].map(t => h("th", { scope: "col" }, t)))),
    h("tbody", {}, rows.map(([name, c]) => h("tr", {}, h("th", { scope: "row" }, soft(name)), h("td", { class: "n" }, fmt(c.difference)), h("td", { class: "n" }, fmt(c.backward)), h("td", { class: "verdict " + c.verdict.replace(/ /g, "-") }, h("span", { class: "quiet" }, c.verdict === "passed" ? "right" : c.verdict), `${mark[c.verdict]} ${c.error.toExponential(1)}`))))) : h("p", { class: "note" }, "No parameters, so nothing to check here."),
    rows.some(([, c]) => c.verdict === "FAILED") ? h("p", { class: "warning" }, call.checks.x && call.checks.x.verdict === "FAILED" ? "It is this layer: what it hands back as dx is not the derivative of its y." : "A layer whose x is wrong spoils all gradients before it; if there is none, it is this layer’s own gradient that is wrong.") : null,
    M.calls.filter((one, k) => one.held && k >= M.calls.indexOf(call)).map(one => h("p", { class: "note" }, one === call ? "By definition this is not the gradient of the forward pass: backward takes " : `By definition this is not the gradient of the loss alone: ${one.path} takes `, one.held, " for constant. The differences hold it, too.")),
    call.replay !== null ? h("p", { class: "note" }, "The step-by-step replay agrees with the layer to ", h("span", { class: "n" }, call.replay.toExponential(1)), ".") : null];
}
const sideOfLoss = () => [h("h3", {}, "The loss"), M.loss.outputs.filter(out => out.source !== null).flatMap(out => [sourceOf(out.source.forward, [], out.name), out.source.backward === null ? null : sourceOf(out.source.backward, [], "and its derivative")])];
const sideOfUpdate = () => [h("h3", {}, "The optimizer"), M.update.source === null ? null : sourceOf(M.update.source, []), M.update.kernel === null ? null : sourceOf(M.update.kernel, [])];

// ---- keys ----

const KEYS = [["→ ←", "the next stop, the one before"], ["b", "the same layer in the other pass"], ["Home End", "the first stop, the last"], ["[ ]", "time: one step back, one on"], ["f F", "the next filter or unit, the one before"],
  ["c C", "the next channel or head, the one before"], ["n N", "the next sample, the one before"], ["arrows", "in a picture that has the focus: the number chosen"], ["s", "one scale for all pictures of this stop, or each its own"], ["t", "the numbers of the picture as a table"], ["Tab", "to the next picture, button, source"], ["?", "this list"], ["Esc", "close"]];
function dialog(title, ...content) {
  const box = $("dialog");
  box.replaceChildren(h("h2", { id: "dialog-title" }, title), h("div", { class: "scroll", tabindex: "0" }, content), h("button", { onclick: () => box.close(), autofocus: true }, "close"));
  box.showModal();
}
const help = () => dialog("Keys", table(["key", "does"], KEYS.map(([key, what]) => [h("kbd", {}, key), what])), h("p", { class: "note" }, "Orange is above zero, blue below; what is never below zero is drawn in ink. The range stands above each picture. A number with ~ was stored in 8 bits."));
function numbers() {
  const first = LAST || [...PICTURES].find(p => p.o);
  if (!first || !first.o) return;
  const { o } = first, most = 32, at = o.mark && o.mark() || [0, 0], r0 = Math.max(0, Math.min(at[0] - 16, o.rows - most)), c0 = Math.max(0, Math.min(at[1] - 16, o.cols - most));
  const rows = Math.min(most, o.rows), cols = Math.min(most, o.cols), show = v => v === null || v === undefined ? "" : o.exact === false ? approx(v) : fmt(v);
  dialog(o.name, rows * cols < o.rows * o.cols ? h("p", { class: "note" }, `rows ${r0} to ${r0 + rows - 1}, columns ${c0} to ${c0 + cols - 1}, around what is chosen`) : null,
    h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, h("th", {}, ""), Array.from({ length: cols }, (_, c) => h("th", { scope: "col" }, c0 + c)))), h("tbody", {}, Array.from({ length: rows }, (_, r) => h("tr", {}, h("th", { scope: "row" }, r0 + r), Array.from({ length: cols }, (_, c) => h("td", { class: "n" }, show(o.value(r0 + r, c0 + c)))))))));
}
function otherPass() {
  const stop = here();
  if (stop.call === undefined) return goto(stop.pass === "input" ? M.stops.length - 1 : 0);
  const other = M.stops.findIndex(one => one.call === stop.call && one.pass !== stop.pass);
  if (other >= 0) goto(other);
}
function scales() {
  if (S.scale) S.scale = null;
  else { const found = {}; for (const p of PICTURES) if (p.o && p.o.family && !p.o.ink) found[p.o.family] = Math.max(found[p.o.family] || 0, p.o.range || 0); S.scale = found; }
  redraw();
  status(S.scale ? "One scale for all pictures of values, one for those of gradients." : "Each picture has its own scale.");
}
function shift(key, by) {
  const select = document.querySelector(`select[data-key="${key}"]`), size = select ? select.options.length : null;
  if (!size && !["t", "u", "n"].includes(key)) return;
  S[key] = size ? (S[key] + by + size) % size : Math.max(0, (S[key] || 0) + by);
  if (key === "n") S.n = Math.min(S.n, M.samples - 1);
  if (select || key === "n") { if (key === "n") { $("sample").value = S.n; rail(); } redraw(); } else { const view = here(); if (view.call !== undefined) { fitCursors(key); remark(); } }
}
function fitCursors(key) { // within what there is: the pictures clamp when they are drawn, this when only marks move
  const call = callOf(here()), y = one(call.y), last = y.row[y.row.length - 1] || 1;
  const W = call.view.startsWith("rnn") ? T(call.inside.h).row : null;
  if (key === "t") S.t = Math.min(S.t, W ? W[0] - 2 : y.row[0] - 1);
  if (key === "u") S.u = Math.min(S.u, W ? W[1] - 1 : last - 1);
}
document.addEventListener("keydown", event => {
  if (event.altKey || event.ctrlKey || event.metaKey || $("dialog").open) return;
  if (event.target.tagName === "SELECT" && event.key.startsWith("Arrow")) return;
  const units = here().call !== undefined && (document.querySelector('select[data-key="f"]') ? "f" : "u");
  const actions = { ArrowRight: () => goto(S.stop + 1), ArrowLeft: () => goto(S.stop - 1), Home: () => goto(0), End: () => goto(M.stops.length - 1), b: otherPass, s: scales, t: numbers, "?": help,
    "]": () => shift("t", 1), "[": () => shift("t", -1), f: () => units && shift(units, 1), F: () => units && shift(units, -1), c: () => shift("c", 1), C: () => shift("c", -1), n: () => shift("n", 1), N: () => shift("n", -1) };
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
});

async function start() {
  M = JSON.parse(new TextDecoder().decode(await unpacked("meta")));
  BLOB = await unpacked("blob");
  $("title").textContent = M.model;
  $("facts").textContent = [M.loss ? "loss " + fmt(M.loss.total ?? NaN) : "forward only", ...Object.entries(M.metrics).map(([name, v]) => `${name} ${fmt(v)}`)].join(" · ");
  $("prev").onclick = () => goto(S.stop - 1); $("next").onclick = () => goto(S.stop + 1); $("other").onclick = otherPass; $("help").onclick = help;
  if (M.samples > 1) { $("samples").hidden = false; for (let n = 0; n < M.samples; n++) $("sample").append(h("option", { value: n }, n + 1)); $("sample").onchange = event => { S.n = Number(event.target.value); rail(); redraw(); }; }
  const found = location.hash ? readAddress() : -1;
  if (M.samples > 1) $("sample").value = S.n;
  rail();
  goto(found >= 0 ? found : M.first, true);
  window.addEventListener("hashchange", () => { const k = readAddress(); if (k >= 0) goto(k); });
  window.addEventListener("resize", () => requestAnimationFrame(edges));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { rail(); redraw(); });
  document.body.dataset.ready = "yes";
}
