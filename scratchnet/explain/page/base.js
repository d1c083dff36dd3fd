"use strict";
// Elements, tensors, numbers, colours: what everything in the page is made of.

const SVG = "http://www.w3.org/2000/svg";
function make(space, tag, attributes, kids) {
  const element = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  for (const kid of kids.flat(Infinity)) if (kid !== null && kid !== undefined && kid !== false) element.append(kid);
  return element;
}
const h = (tag, attributes, ...kids) => make(null, tag, attributes, kids);
const s = (tag, attributes, ...kids) => make(SVG, tag, attributes, kids);
const $ = id => document.getElementById(id);

let M, BLOB; // the description of everything, and the bytes of the tensors

class Tensor {
  constructor(meta, id) { Object.assign(this, meta); this.id = id; }
  get data() { // decoded when it is first asked for
    if (this.values) return this.values;
    const count = this.stored.reduce((a, b) => a * b, 1), start = this.offset;
    if (this.format === "u8") {
      const scale = (this.max - this.min) / 255;
      this.values = Float32Array.from(BLOB.subarray(start, start + count), q => this.min + q * scale);
    } else {
      const bytes = new Uint8Array(4 * count);
      for (let plane = 0; plane < 4; plane++)
        for (let k = 0; k < count; k++) bytes[4 * k + plane] = BLOB[start + plane * count + k];
      this.values = this.format === "i4" ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer);
    }
    return this.values;
  }
  get exact() { return this.format !== "u8"; }
  get row() { return this.shape.slice(1); } // the shape of one sample
  get size() { return this.row.reduce((a, b) => a * b, 1); }
  get biggest() { return Math.max(Math.abs(this.min), Math.abs(this.max)); }
  at(...index) { return this.data[this.place(index)]; }
  place(index) { return index.reduce((place, k, axis) => place * this.stored[axis] + k, 0); }
  real(index) { return index; } // where the number is in the array as it was recorded; see `lifted`
}
const T = id => id === null || id === undefined ? null : (M.tensors[id] instanceof Tensor ? M.tensors[id] : (M.tensors[id] = new Tensor(M.tensors[id], id)));

// The same numbers under another shape; `real` leads from an index of it to that of the array as it was recorded.
const lifted = (tensor, shape, real) => tensor && Object.assign(Object.create(Tensor.prototype), tensor, { shape, stored: shape, values: tensor.data, real });

// ---- numbers ----

function fmt(v) {
  if (v === null || v === undefined) return "none";
  if (!Number.isFinite(v)) return String(v).replace("Infinity", "∞");
  const a = Math.abs(v);
  if (a === 0) return "0";
  return (a >= 1e-3 && a < 1e5 ? v.toPrecision(4) : v.toExponential(3)).replace("-", "−");
}
// To so many digits behind the point, also where many zeros are written as a power of ten: so that sums add up.
function fixed(v, digits) {
  if (!Number.isFinite(v)) return fmt(v);
  const tiny = digits > 9 && v !== 0, behind = tiny ? digits + Math.floor(Math.log10(Math.abs(v))) : Math.min(9, digits);
  return (tiny ? v.toExponential(Math.max(0, Math.min(20, behind))) : v.toFixed(Math.max(0, behind))).replace("-", "−");
}
const digitsOf = v => v && Number.isFinite(v) ? 3 - Math.floor(Math.log10(Math.abs(v))) : 4;
const approx = v => "~" + (v === 0 ? "0" : Number(v).toPrecision(2)).replace("-", "−");

// A number of a tensor, which tests compare with the trace by its `data-of`.
function num(tensor, index, kind) {
  const v = tensor.at(...index);
  return h("span", { class: "n " + (kind || ""), "data-of": tensor.exact ? tensor.id + ":" + tensor.real(index).join(",") : null },
    tensor.format === "i4" ? v : tensor.exact ? fmt(v) : approx(v));
}
const plain = (v, kind) => h("span", { class: "n " + (kind || "") }, fmt(v));
const soft = name => name.split(/(?<=_)/).flatMap((part, k) => k ? [h("wbr"), part] : [part]); // may be broken behind _
const shapeText = shape => shape.length ? shape.join("×") : "a number";

// A sum that adds up in what is shown: its largest terms, the rest in one line, and beside it the layer's own number.
function sumTable(caption, heads, terms, extra, total, own, most = 8) {
  const sorted = terms.slice().sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const shown = sorted.slice(0, most), rest = sorted.slice(most), all = [...terms, ...extra];
  const result = all.reduce((a, term) => a + term.value, 0);
  const largest = Math.max(...all.map(term => Math.abs(term.value)), Math.abs(result), 1e-30);
  const digits = Math.max(digitsOf(largest), Math.min(digitsOf(result), digitsOf(largest) + 3));
  const cell = v => h("td", { class: "n", "data-term": fixed(v, digits + 1).replace("−", "-") }, fixed(v, digits + 1));
  const rows = shown.map(term => h("tr", {}, term.cells.map(c => h("td", {}, c)), cell(term.value)));
  const span = { colspan: heads.length - 1, class: "left" };
  if (rest.length) {
    const value = rest.reduce((a, term) => a + term.value, 0);
    rows.push(h("tr", {}, h("td", span, rest.length + (rest.length > 1 ? " others" : " other")), cell(value)));
  }
  for (const term of extra) rows.push(h("tr", {}, h("td", span, term.cells), cell(term.value)));
  rows.push(h("tr", { class: "total" }, h("th", { ...span, scope: "row" }, total),
    h("td", { class: "n", "data-total": fixed(result, digits).replace("−", "-") }, fixed(result, digits))));
  if (own) rows.push(h("tr", {}, h("td", span, "the layer’s own number"), h("td", {}, own)));
  return h("table", { class: "sum" }, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, heads.map(head => h("th", { scope: "col" }, head)))), h("tbody", {}, rows));
}
function table(heads, rows, caption) {
  return h("table", {}, caption && h("caption", {}, caption),
    h("thead", {}, h("tr", {}, heads.map(head => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows.map(row => h("tr", {}, row.map(c => h("td", {}, c))))));
}

// ---- colours: blue below zero, orange above; ink for pictures that are never below ----

const dark = () => matchMedia("(prefers-color-scheme: dark)").matches && !matchMedia("print").matches;
const TABLES = {};
function colours(ink) {
  const key = (ink ? "ink" : "two") + dark();
  if (TABLES[key]) return TABLES[key];
  const zero = dark() ? [22, 27, 34] : [255, 255, 255], end = dark() ? [240, 240, 240] : [0, 0, 0];
  const above = dark() ? [255, 150, 60] : [190, 75, 0], below = dark() ? [70, 150, 255] : [0, 75, 180];
  const found = new Uint32Array(257); // 128 is zero
  for (let k = 0; k <= 256; k++) {
    const share = ink ? k / 256 : Math.abs(k - 128) / 128, to = ink ? end : k < 128 ? below : above;
    const eased = Math.pow(share, 0.7), c = zero.map((z, i) => Math.round(z + (to[i] - z) * eased));
    found[k] = 0xff000000 | c[2] << 16 | c[1] << 8 | c[0];
  }
  return TABLES[key] = found;
}
const shade = (v, range, ink) => Math.max(0, Math.min(256, Math.round((ink ? v / range : (v / range + 1) / 2) * 256)));

// ---- pictures ----

// How the numbers of one sample lie in a picture: {rows, cols, index(r, c) -> index in the sample, find(index) -> [r, c]}.
function layout(shape, upright, gap = 0) {
  const d = shape.length;
  if (d === 0) return { rows: 1, cols: 1, index: () => [], find: () => [0, 0] };
  if (d === 1) {
    const n = shape[0], cols = n <= 32 ? n : Math.min(n, Math.ceil(Math.sqrt(n * 2.5) / 4) * 4), rows = Math.ceil(n / cols);
    return { rows, cols, index: (r, c) => r * cols + c < n ? [r * cols + c] : null, find: ([k]) => [Math.floor(k / cols), k % cols] };
  }
  if (d === 2) {
    const turned = upright === undefined ? shape[0] > 2.2 * shape[1] : upright;
    return turned
      ? { rows: shape[1], cols: shape[0], index: (r, c) => [c, r], find: ([a, b]) => [b, a], turned }
      : { rows: shape[0], cols: shape[1], index: (r, c) => [r, c], find: ([a, b]) => [a, b] };
  }
  const [H, W] = shape.slice(d - 3).map(n => n + gap), C = shape[d - 1], lead = shape.slice(0, d - 3).reduce((a, b) => a * b, 1);
  const many = lead * C, wide = Math.ceil(Math.sqrt(many * H / W)), tall = Math.ceil(many / wide);
  const split = k => { const out = []; for (const n of shape.slice(0, d - 3).reverse()) { out.unshift(k % n); k = Math.floor(k / n); } return out; };
  return {
    rows: tall * H - gap, cols: wide * W - gap,
    index: (r, c) => { const k = Math.floor(r / H) * wide + Math.floor(c / W);
      return k < many && r % H < H - gap && c % W < W - gap ? [...split(Math.floor(k / C)), r % H, c % W, k % C] : null; },
    find: index => { const c = index[d - 1]; let k = 0; shape.slice(0, d - 3).forEach((n, axis) => k = k * n + index[axis]);
      k = k * C + c; return [Math.floor(k / wide) * H + index[d - 3], (k % wide) * W + index[d - 2]]; },
  };
}

const PICTURES = new Set(); // those of this stop, to be marked anew when something is chosen
function picture(o) {
  // o: name, note, rows, cols, value(r, c) -> number or null, at(r, c) -> text, ref(r, c), range, ink, mark() -> [r, c, rows, cols],
  //    move(r, c), width, height
  const { rows, cols } = o, lut = colours(o.ink), step = Math.ceil(Math.sqrt(rows * cols / 65536)); // a pixel stands for step² numbers
  const tall = Math.ceil(rows / step), wide = Math.ceil(cols / step), canvas = h("canvas", { width: wide, height: tall, "aria-hidden": "true" });
  const context = canvas.getContext("2d"), image = context.createImageData(wide, tall), pixels = new Uint32Array(image.data.buffer);
  const common = S.scale && !o.ink && o.family ? S.scale[o.family] : null;
  const range = common || o.range || 1, empty = dark() ? 0xff22180f : 0xffeeeeee;
  for (let r = 0; r < tall; r++) for (let c = 0; c < wide; c++) {
    const v = o.value(r * step, c * step);
    pixels[r * wide + c] = v === null || v === undefined ? empty : Number.isFinite(v) ? lut[shade(v, range, o.ink)] : 0xffff00ff;
  }
  context.putImageData(image, 0, 0);
  const zoom = Math.min((o.width || 150) / cols, (o.height || 150) / rows);
  const w = o.stretch ? o.width : Math.max(cols * zoom, 14), t = o.stretch ? o.height : Math.max(rows * zoom, 14);
  const marker = h("span", { class: "marker", hidden: true });
  const label = `${o.name}, ${shapeText([rows, cols])}, ${o.ink ? "0" : fmt(-range)} to ${fmt(range)}`;
  const frame = h("div", { class: "frame", style: `width:${w}px;height:${t}px`, role: "img", "aria-label": label, tabindex: "0" }, canvas, marker);
  const place = event => { const box = frame.getBoundingClientRect();
    return [Math.floor((event.clientY - box.top) / box.height * rows), Math.floor((event.clientX - box.left) / box.width * cols)]
      .map((k, axis) => Math.max(0, Math.min([rows, cols][axis] - 1, k))); };
  let here = [0, 0];
  const tell = (r, c) => { const v = o.value(r, c); status(v === null || v === undefined ? "" : (o.at ? o.at(r, c) : `${o.name}[${r}, ${c}]`) + " = ", v, o.exact); };
  const go = (r, c) => { here = [r, c]; tell(r, c); if (o.move) { o.move(r, c); remark(); } else mark(); };
  frame.addEventListener("pointermove", event => tell(...place(event)));
  frame.addEventListener("click", event => go(...place(event)));
  frame.addEventListener("keydown", event => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault(); event.stopPropagation();
    const from = o.mark ? o.mark() || here : here;
    go(Math.max(0, Math.min(rows - 1, from[0] + step[0])), Math.max(0, Math.min(cols - 1, from[1] + step[1])));
  });
  function mark() {
    const at = o.mark ? o.mark() : document.activeElement === frame ? here : null;
    marker.hidden = !at;
    if (!at) return;
    const [r, c, tall = 1, wide = 1] = at;
    marker.style.cssText = `top:${r / rows * 100}%;left:${c / cols * 100}%;height:${tall / rows * 100}%;width:${wide / cols * 100}%`;
    if (o.mark) here = [r, c];
  }
  frame.addEventListener("focus", () => { LAST = self; mark(); if (here) tell(...here); });
  const self = { o, mark };
  PICTURES.add(self);
  mark();
  const note = o.note === undefined ? (o.ink ? "" : "±" + fmt(range)) : o.note;
  return h("figure", { style: `max-width:${Math.max(w, 84)}px` }, h("figcaption", {}, h("b", {}, o.label || o.name), o.stretch ? h("br") : " ", h("small", {}, note)), frame);
}
let LAST = null;
const remark = () => { for (const p of PICTURES) p.mark(); if (S.update) S.update(); address(); };

// The picture of a tensor of one sample (or, with whole, of all of it: a parameter).
function shown(name, tensor, o = {}) {
  if (!tensor) return null;
  const whole = o.whole, shape = whole ? tensor.stored : tensor.row, base = whole ? [] : [Math.min(S.n, tensor.shape[0] - 1)];
  const lay = layout(shape, o.upright), data = tensor.data;
  const value = (r, c) => { const index = lay.index(r, c); return index ? data[tensor.place([...base, ...index])] : null; };
  return picture({
    name, rows: lay.rows, cols: lay.cols, value, exact: tensor.exact, family: o.family,
    at: (r, c) => { const index = lay.index(r, c); return index ? `${name}[${index.join(", ")}]` : ""; },
    note: o.note === undefined ? `${shapeText(whole ? tensor.shape : shape)} · ${tensor.min === tensor.max ? fmt(tensor.min) : fmt(tensor.min) + " … " + fmt(tensor.max)}` : o.note,
    range: tensor.biggest || 1, ink: o.ink, width: o.width || 200, height: o.height || 180, label: o.label,
    mark: o.mark ? () => { const index = o.mark(); return index ? lay.find(index) : null; } : null,
    move: o.move ? (r, c) => { const index = lay.index(r, c); if (index) o.move(index); } : null,
  });
}
const thumb = tensor => {
  if (!tensor) return null;
  const lay = layout(tensor.row), data = tensor.data, ink = tensor.min >= 0, lut = colours(ink), range = tensor.biggest || 1;
  const few = Math.max(lay.rows, lay.cols) > 64 ? Math.ceil(Math.max(lay.rows, lay.cols) / 64) : 1;
  const rows = Math.ceil(lay.rows / few), cols = Math.ceil(lay.cols / few), canvas = h("canvas", { width: cols, height: rows, "aria-hidden": "true", class: "thumb" });
  const context = canvas.getContext("2d"), image = context.createImageData(cols, rows), pixels = new Uint32Array(image.data.buffer);
  const n = Math.min(S.n, tensor.shape[0] - 1);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) {
    const index = lay.index(r * few, c * few), v = index ? data[tensor.place([n, ...index])] : 0;
    pixels[r * cols + c] = lut[shade(v, range, ink)];
  }
  context.putImageData(image, 0, 0);
  return canvas;
};

function status(text, v, exact) {
  $("status").textContent = text + (v === undefined || v === null ? "" : exact === false ? approx(v) + " (stored in 8 bits)" : String(Number(v.toPrecision(9))).replace("-", "−"));
}

// A chart of some series over time, with a line at t.
function chart(series, length, o) {
  const W = 560, H = 120, all = series.flatMap(one => one.values), top = Math.max(0, ...all), low = Math.min(0, ...all);
  const x = t => 60 + t / Math.max(1, length - 1) * (W - 124), y = v => 10 + (top - v) / (top - low || 1) * (H - 32);
  const line = s("line", { y1: 6, y2: H - 18, class: "now" }), text = s("text", { y: H - 4, "text-anchor": "middle" });
  const lines = series.map((one, k) => [s("polyline", { points: one.values.map((v, t) => `${x(t)},${y(v)}`).join(" "), class: "line " + one.kind, "stroke-dasharray": ["", "6 3", "2 3", "8 3 2 3"][k % 4] }),
    s("text", { x: W - 58, y: 18 + 16 * k, class: "t-" + one.kind }, one.name)]);
  const el = s("svg", { viewBox: `0 0 ${W} ${H}`, class: "chart", role: "img", "aria-label": o.label },
    s("text", { x: 2, y: 16 }, fmt(top)), s("text", { x: 2, y: y(low) + 4 }, fmt(low)), s("line", { x1: 60, x2: W - 64, y1: y(0), y2: y(0), class: "axis" }), lines, line, text);
  const mark = () => { const at = x(o.t()); line.setAttribute("x1", at); line.setAttribute("x2", at); text.setAttribute("x", at); text.textContent = "t = " + o.t(); };
  if (!o.loose) PICTURES.add({ mark }); // one within what is drawn anew at each choice needs no marking
  mark();
  return el;
}
const bars = (name, tensor, chosen, choose, base) => {
  const count = tensor.shape[tensor.shape.length - 1], top = tensor.biggest || 1;
  const row = u => h("button", { class: "bar", "data-u": u, onclick: () => { choose(u); remark(); } }, h("span", { class: "who" }, u),
    h("span", { class: "track" }, h("span", { class: tensor.at(...base(), u) < 0 ? "below" : "above", style: `width:${Math.abs(tensor.at(...base(), u)) / top * 100}%` })), num(tensor, [...base(), u]));
  const box = h("div", { class: "bars", role: "group", "aria-label": name }, Array.from({ length: count }, (_, u) => row(u)));
  PICTURES.add({ mark: () => [...box.children].forEach((b, u) => b.setAttribute("aria-pressed", u === chosen())) });
  return box;
};
const section = (title, ...kids) => h("section", {}, title && h("h3", {}, title), kids);
const row = (...kids) => h("div", { class: "pictures" }, kids);
