"use strict";
// The pictures of each kind of layer: VIEWS[kind](call, back) -> elements; S.update is called when something is chosen.

const VIEWS = {};
const clampTo = (key, size) => S[key] = Math.max(0, Math.min(size - 1, S[key] || 0));
const one = ids => ids && ids.length ? T(ids[0]) : null;
const live = draw => { const box = h("div", { class: "live" }), before = S.update; S.update = () => { if (before) before(); box.replaceChildren(...[draw()].flat(Infinity).filter(Boolean)); }; return box; };
// Where nothing has been chosen yet: the place of the largest number of a plane.
function peak(tensor, keys, channel) {
  if (!tensor || keys.every(key => S[key] !== undefined)) return;
  let best = -1; const [H, W] = tensor.row, c = Math.min(channel || 0, tensor.row[2] - 1);
  for (let r = 0; r < H; r++) for (let k = 0; k < W; k++) { const v = Math.abs(tensor.at(S.n, r, k, c)); if (v > best) { best = v; [S[keys[0]], S[keys[1]]] = [r, k]; } }
}
const choose = (label, key, size, names) => size < 2 ? null : h("label", { class: "choose" }, label, " ",
  h("select", { "data-key": key, onchange: event => { S[key] = Number(event.target.value); redraw(); } },
    Array.from({ length: size }, (_, k) => h("option", { value: k, selected: k === S[key] }, names ? names(k) : k))));
const inkOf = tensor => tensor && tensor.min >= 0;
const needless = () => none("No gradient was needed here.");
const none = what => h("p", { class: "none" }, what);
const pictured = (name, tensor, o = {}) => tensor ? shown(name, tensor, { ink: inkOf(tensor), family: name[0] === "d" ? "gradients" : "values", ...o }) : null;

// ---- any layer ----

VIEWS.generic = (call, back) => {
  const ends = back ? [["dy", call.dy], ["dx", call.dx]] : [["x", call.x], ["y", call.y]];
  const many = (name, ids) => ids.map((id, k) => pictured(ids.length > 1 ? `${name}[${k}]` : name, T(id), { width: 260, height: 220 }));
  const inside = Object.entries(call.inside).filter(([name]) => (name[0] === "d") === back);
  return [row(ends.flatMap(([name, ids]) => many(name, ids))),
    inside.length ? section("Between them", row(inside.map(([name, id]) => pictured(name, T(id), { width: 260, height: 220 })))) : null];
};

// ---- dense ----

VIEWS.dense = (call, back) => {
  const x = one(call.x), y = one(call.y), z = T(call.inside.z), dz = T(call.inside.dz), W = T(call.params.kernel), b = T(call.params.bias);
  const dW = T(call.grads.kernel), D = W.shape[0], U = W.shape[1], places = x.row.slice(0, -1), count = places.reduce((p, q) => p * q, 1);
  if (S.u === null) { const first = Array.from({ length: U }, (_, u) => Math.abs(y.data[u])); S.u = first.indexOf(Math.max(...first)); }
  clampTo("u", U); clampTo("d", D); clampTo("p", count);
  const at = p => { const out = []; for (const n of places.slice().reverse()) { out.unshift(p % n); p = Math.floor(p / n); } return out; };
  const base = () => [S.n, ...at(S.p)], many = U > 40;
  const where = places.length ? [choose("place", "p", count, p => at(p).join(", "))] : [];
  const units = tensor => many || places.length
    ? pictured(tensor === y ? "y" : tensor === z ? "z" : "dz", tensor, { width: 260, height: 240, mark: () => [...at(S.p), S.u], move: i => { S.u = i[i.length - 1]; if (places.length) S.p = i.slice(0, -1).reduce((p, k, axis) => p * places[axis] + k, 0); } })
    : bars(tensor === y ? "y" : "dz", tensor, () => S.u, u => S.u = u, base);
  const pick = (name, tensor) => pictured(name, tensor, { mark: () => [...at(S.p), S.d], move: i => { S.d = i[i.length - 1]; if (places.length) S.p = i.slice(0, -1).reduce((p, k, axis) => p * places[axis] + k, 0); } });
  if (!back) return [
    h("p", { class: "how" }, "Choose an output unit: a bar, or f and F."), where,
    h("div", { class: "beside" }, h("div", {}, h("h3", {}, "y", call.options.activation === "linear" ? " = z" : ` = ${call.options.activation}(z)`), units(y), pick("x", x)),
      live(() => {
        const terms = Array.from({ length: D }, (_, d) => ({ cells: [String(d), num(x, [...base(), d]), num(W, [d, S.u])], value: x.at(...base(), d) * W.at(d, S.u) }));
        return [sumTable(`z of unit ${S.u}: a sum of ${D} products`, ["input", "x", "W", "x·W"], terms, b ? [{ cells: "bias b", value: b.at(S.u) }] : [], "z", num(z, [...base(), S.u])),
          h("p", { class: "result" }, call.options.activation, "(z) = y = ", num(y, [...base(), S.u], "strong")),
          call.options.activation === "softmax" ? softmaxForward(z, y, base, S.u) : null];
      }))];
  if (!dz) return needless();
  return [
    h("p", { class: "how" }, "Choose an output unit (f, F) and an input (arrows in x)."), where,
    h("div", { class: "beside" }, h("div", {}, h("h3", {}, "dz"), units(dz), pick("x", x), dW && pictured("dW", dW, { whole: true, width: 260, mark: () => [S.d, S.u], move: i => { [S.d, S.u] = i; } })),
      live(() => {
        const rows = [];
        for (let n = 0; n < x.shape[0]; n++) for (let p = 0; p < count; p++) rows.push([n, ...at(p)]);
        const out = [slopeOf(call, z, y, base, S.u)];
        const all = rows.map(r => ({ cells: [r.join(", "), num(x, [...r, S.d]), num(dz, [...r, S.u])], value: x.at(...r, S.d) * dz.at(...r, S.u) }));
        if (dW) out.push(rows.length > 1
          ? sumTable(`dW[${S.d}, ${S.u}]: x·dz over ${rows.length} rows`, ["row", "x", "dz", "x·dz"], all, [], "dW", num(dW, [S.d, S.u]))
          : h("p", { class: "result" }, `dW[${S.d}, ${S.u}] = x·dz = `, num(x, [...base(), S.d]), " · ", num(dz, [...base(), S.u]), " = ", plain(all[0].value, "strong"), " (the layer: ", num(dW, [S.d, S.u]), ")"));
        const dx = one(call.dx);
        if (dx) out.push(sumTable(`dx of input ${S.d}: a sum over ${U} units`, ["unit", "dz", "W", "dz·W"],
          Array.from({ length: U }, (_, u) => ({ cells: [String(u), num(dz, [...base(), u]), num(W, [S.d, u])], value: dz.at(...base(), u) * W.at(S.d, u) })), [], "dx", num(dx, [...base(), S.d]), 5));
        else out.push(none("dx: none needed."));
        return out;
      }))];
};
function softmaxForward(z, y, base, u) {
  const U = z.shape[z.shape.length - 1], top = Math.max(...Array.from({ length: U }, (_, v) => z.at(...base(), v)));
  const e = Array.from({ length: U }, (_, v) => Math.exp(z.at(...base(), v) - top)), total = e.reduce((p, q) => p + q, 0);
  return h("p", { class: "result" }, "exp(z − ", plain(top), ") = ", plain(e[u]), ", divided by the sum over all units, ", plain(total), ": ", plain(e[u] / total));
}
// How dy becomes dz: by the slope of the activation, or by a row of the Jacobian of the softmax.
function slopeOf(call, z, y, base, u) {
  const dy = one(call.dy), dz = T(call.inside.dz), name = call.options.activation;
  if (!dy || name === "linear") return null;
  if (name === "softmax") {
    const U = y.shape[y.shape.length - 1], own = y.at(...base(), u);
    const terms = Array.from({ length: U }, (_, v) => ({ cells: [String(v), num(dy, [...base(), v]), plain(own * ((u === v) - y.at(...base(), v)))], value: dy.at(...base(), v) * own * ((u === v) - y.at(...base(), v)) }));
    return [sumTable(`dz of unit ${u}: dy times a row of the softmax’s Jacobian`, ["unit", "dy", "y(δ−y)", "product"], terms, [], "dz", num(dz, [...base(), u]), 4), fusedNote(call)];
  }
  const d = dy.at(...base(), u), slope = slopes(name, z.at(...base(), u), y.at(...base(), u));
  return [h("p", { class: "result" }, "dz = dy · slope = ", num(dy, [...base(), u]), " · ", slope === null ? "?" : plain(slope), " = ", num(dz, [...base(), u], "strong"),
    slope === null ? null : h("small", {}, ` (here: ${fmt(d * slope)})`)), fusedNote(call), curve(name, z.at(...base(), u))];
}
const fusedNote = call => call.options.fused ? h("p", { class: "note" }, "Training takes this activation and the loss in one step, from z: that is the layer’s dz. dy is that of the loss as it is written.") : null;
const FUNCTIONS = {
  linear: [z => z, () => 1], relu: [z => Math.max(z, 0), (z, y) => y > 0 ? 1 : 0], sigmoid: [z => 1 / (1 + Math.exp(-z)), (z, y) => y * (1 - y)],
  tanh: [Math.tanh, (z, y) => 1 - y * y], softplus: [z => Math.log1p(Math.exp(z)), z => 1 / (1 + Math.exp(-z))], elu: [z => z > 0 ? z : Math.expm1(z), (z, y) => y > 0 ? 1 : y + 1],
  hard_sigmoid: [z => Math.min(Math.max(z / 6 + .5, 0), 1), (z, y) => y > 0 && y < 1 ? 1 / 6 : 0], exponential: [Math.exp, (z, y) => y],
};
const slopes = (name, z, y) => FUNCTIONS[name] ? FUNCTIONS[name][1](z, y) : null;
function curve(name, z) {
  if (!FUNCTIONS[name] || name === "linear") return null;
  const [f, slope] = FUNCTIONS[name], R = Math.max(4, Math.min(12, Math.abs(z) * 1.2)), W = 240, H = 120, xs = Array.from({ length: 81 }, (_, k) => -R + k * R / 40);
  const ys = xs.map(f), top = Math.max(...ys), low = Math.min(...ys), X = v => 10 + (v + R) / (2 * R) * (W - 20), Y = v => H - 10 - (v - low) / (top - low || 1) * (H - 20);
  const y = f(z), m = slope(z, y), d = R / 4, at = Math.max(-R, Math.min(R, z));
  return s("svg", { viewBox: `0 0 ${W} ${H}`, class: "curve", role: "img", "aria-label": `${name}: at z = ${fmt(z)} it is ${fmt(y)}, its slope ${fmt(m)}` },
    s("line", { x1: 10, x2: W - 10, y1: Y(0), y2: Y(0), class: "axis" }), s("line", { x1: X(0), x2: X(0), y1: 8, y2: H - 8, class: "axis" }),
    s("polyline", { points: xs.map((v, k) => `${X(v)},${Y(ys[k])}`).join(" "), class: "line a" }),
    s("line", { x1: X(at - d), y1: Y(y - m * d), x2: X(at + d), y2: Y(y + m * d), class: "line tangent" }), s("circle", { cx: X(at), cy: Y(y), r: 5, class: "point" }));
}

// ---- activations by themselves ----

VIEWS.activation = (call, back) => {
  const z = T(call.inside.z) || one(call.x), y = one(call.y), index = () => (S.at && S.at.length === z.row.length ? S.at : z.row.map(() => 0));
  S.at = index().map((k, axis) => Math.min(k, z.row[axis] - 1));
  const pick = (name, tensor) => pictured(name, tensor, { width: 240, height: 220, mark: index, move: i => { S.at = i; } });
  const base = () => [S.n, ...index().slice(0, -1)], u = () => index()[index().length - 1];
  return [h("p", { class: "how" }, "Choose a number in a picture."),
    row(back ? [pick("dy", one(call.dy)), pick("dz", T(call.inside.dz))] : [pick("z", z), pick("y", y)]),
    live(() => back ? slopeOf(call, z, y, base, u()) : call.options.activation === "softmax" ? softmaxForward(z, y, base, u())
      : [h("p", { class: "result" }, call.options.activation, "(", num(z, [S.n, ...index()]), ") = ", num(y, [S.n, ...index()], "strong")), curve(call.options.activation, z.at(S.n, ...index()))])];
};

// ---- convolutions ----
//
// A convolution ties a large image to a small one: z[i, j] = sum of x[S i + E a - P, ...] W[a, b]. The transposed one goes the
// other way, so both have the same picture with the roles changed.

function geometry(call) {
  const { strides, padding, dilation } = call.options;
  return { big: (i, a, axis) => i * strides[axis] + a * dilation[axis] - padding[axis],
    extent: (k, axis) => (k - 1) * dilation[axis] + 1,
    small: (p, a, axis) => { const q = p + padding[axis] - a * dilation[axis]; return q % strides[axis] ? -1 : q / strides[axis]; } };
}
// The numbers of a sum that gathers from the large image, for a place of the small one; or that spreads into a place of the large one.
function gathered(call, big, W, small, groups) {
  const g = geometry(call), [KH, KW, CG] = W.shape, out = [];
  const [i, j, f] = small, first = groups > 1 ? Math.floor(f / (W.shape[3] / groups)) * CG : 0;
  for (let a = 0; a < KH; a++) for (let b = 0; b < KW; b++) {
    const p = g.big(i, a, 0), q = g.big(j, b, 1);
    if (p < 0 || q < 0 || p >= big.row[0] || q >= big.row[1]) continue;
    for (let c = 0; c < CG; c++) out.push({ a, b, c: first + c, w: [a, b, c, f], x: [S.n, p, q, first + c] });
  }
  return out;
}
function spread(call, small, W, place, groups) {
  const g = geometry(call), [KH, KW, CG, F] = W.shape, out = [], [p, q, c] = place, group = Math.floor(c / CG), per = F / (groups || 1);
  for (let a = 0; a < KH; a++) for (let b = 0; b < KW; b++) {
    const i = g.small(p, a, 0), j = g.small(q, b, 1);
    if (i < 0 || j < 0 || i >= small.row[0] || j >= small.row[1]) continue;
    for (let f = group * per; f < (group + 1) * per; f++) out.push({ w: [a, b, c % CG, f], x: [S.n, i, j, f] });
  }
  return out;
}
const productsOf = (found, tensor, W) => found.map(t => ({ cells: [t.w.join(", "), num(tensor, t.x), num(W, t.w)], value: tensor.at(...t.x) * W.at(...t.w) }));

function convolution(call, back, transposed) {
  const x = one(call.x), y = one(call.y), z = T(call.inside.z), dz = T(call.inside.dz), dy = one(call.dy), W = T(call.params.kernel), b = T(call.params.bias);
  const dW = T(call.grads.kernel), dx = one(call.dx), groups = call.options.groups || 1, g = geometry(call), [KH, KW] = W.shape;
  const [largeT, smallT] = transposed ? [z, x] : [x, z], L = largeT.row, Q = smallT.row;
  if (S.a === undefined) { S.a = KH >> 1; S.b = KW >> 1; }
  peak(back ? (transposed ? dx : dz) : smallT, ["i", "j"], S.f); peak(back && !transposed ? dx : largeT, ["p", "q"], S.c);
  clampTo("i", Q[0]); clampTo("j", Q[1]); clampTo("p", L[0]); clampTo("q", L[1]); clampTo("a", KH); clampTo("b", KW); clampTo("f", Q[2]); clampTo("c", L[2]);
  if (groups > 1) S.c = Math.floor(S.f / (Q[2] / groups)) * W.shape[2] + S.c % W.shape[2];
  const cg = () => S.c % W.shape[2];
  const plane = (name, tensor, channel, o = {}) => tensor && picture({
    name: `${name}[:, :, ${channel}]`, rows: tensor.row[0], cols: tensor.row[1], value: (r, c) => tensor.at(S.n, r, c, channel), ink: inkOf(tensor), exact: tensor.exact,
    at: (r, c) => `${name}[${r}, ${c}, ${channel}]`, range: tensor.biggest || 1, family: name[0] === "d" ? "gradients" : "values", width: 150, height: 150, ...o });
  const onSmall = { mark: () => [S.i, S.j], move: (r, c) => { S.i = r; S.j = c; } };
  const onLarge = { mark: () => [g.big(S.i, 0, 0), g.big(S.j, 0, 1), g.extent(KH, 0), g.extent(KW, 1)].map((v, k) => k < 2 ? Math.max(0, v) : v),
    move: (r, c) => { S.i = Math.max(0, Math.min(Q[0] - 1, Math.floor((r + call.options.padding[0] - Math.floor(g.extent(KH, 0) / 2)) / call.options.strides[0]) || 0));
      S.j = Math.max(0, Math.min(Q[1] - 1, Math.floor((c + call.options.padding[1] - Math.floor(g.extent(KW, 1) / 2)) / call.options.strides[1]) || 0)); } };
  const kernel = (name, tensor) => tensor && picture({ name: `${name}[:, :, ${cg()}, ${S.f}]`, rows: KH, cols: KW, exact: tensor.exact, value: (r, c) => tensor.at(r, c, cg(), S.f), range: tensor.biggest || 1,
    at: (r, c) => `${name}[${r}, ${c}, ${cg()}, ${S.f}]`, width: 96, height: 96, mark: () => [S.a, S.b], move: (r, c) => { S.a = r; S.b = c; } });
  const channels = [choose(transposed ? "filter" : "channel", "c", L[2]), choose(transposed ? "channel" : "filter", "f", Q[2])];
  const strip = (name, tensor, key) => tensor.row[2] < 2 ? null : section(`All ${tensor.row[2]} of ${name}`, h("div", { class: "strip" }, Array.from({ length: tensor.row[2] }, (_, k) =>
    h("button", { "aria-pressed": S[key] === k, "aria-label": `${name} ${k}`, onclick: () => { S[key] = k; redraw(); } }, small(tensor, k)))));
  const small = (tensor, k) => { const lut = colours(inkOf(tensor)), [H, V] = tensor.row, canvas = h("canvas", { width: V, height: H, "aria-hidden": "true" }), context = canvas.getContext("2d"), image = context.createImageData(V, H), px = new Uint32Array(image.data.buffer), R = tensor.biggest || 1;
    for (let r = 0; r < H; r++) for (let c = 0; c < V; c++) { const v = tensor.at(S.n, r, c, k); px[r * V + c] = lut[shade(v, R, inkOf(tensor))]; }
    context.putImageData(image, 0, 0); return canvas; };
  const window_ = () => { const cells = [];
    for (let a = 0; a < KH; a++) { const line = [];
      for (let c = 0; c < KW; c++) { const p = g.big(S.i, a, 0), q = g.big(S.j, c, 1), inside = p >= 0 && q >= 0 && p < L[0] && q < L[1];
        line.push(h("td", { class: "n" + (inside ? "" : " padding") }, inside ? [num(largeT, [S.n, p, q, S.c]), " · ", num(W, [a, c, cg(), S.f])] : "padding")); }
      cells.push(h("tr", {}, line)); }
    return h("table", { class: "window" }, h("caption", {}, transposed ? "" : `window · kernel, channel ${S.c}`), h("tbody", {}, cells)); };
  const act = () => call.options.activation === "linear" ? null : h("p", { class: "result" }, call.options.activation, "(z) = y = ", num(y, transposed ? [S.n, S.p, S.q, S.c] : [S.n, S.i, S.j, S.f], "strong"));
  const bias = u => b ? [{ cells: `bias b[${u}]`, value: b.at(u) }] : [];
  const less = { width: 128, height: 128 };
  const onBig = { mark: () => [S.p, S.q], move: (r, c) => { S.p = r; S.q = c; } };
  if (!back && !transposed) return [h("p", { class: "how" }, "Click a picture, or focus it and use the arrow keys. f, F: filter; c, C: channel."), channels,
    h("div", { class: "beside" }, h("div", {}, row(plane("x", x, S.c, { ...onLarge, ...less }), kernel("W", W), plane("y", y, S.f, { ...onSmall, ...less })), live(() => [KW <= 5 && KH <= 5 ? window_() : null, act()])),
      live(() => sumTable(`z[${S.i}, ${S.j}, ${S.f}]: the window times the kernel`, ["a, b, c, f", "x", "W", "x·W"], productsOf(gathered(call, x, W, [S.i, S.j, S.f], groups), x, W), bias(S.f), "z", num(z, [S.n, S.i, S.j, S.f]), 9))),
    strip("y", y, "f")];
  if (!back) return [h("p", { class: "how" }, "Choose a number of y: each is the sum of what the windows over it spread there."), channels,
    row(plane("x", x, S.f, onSmall), kernel("W", W), plane("y", y, S.c, onBig)),
    live(() => [sumTable(`z[${S.p}, ${S.q}, ${S.c}]: what x spreads here`, ["a, b, f, c", "x", "W", "x·W"], productsOf(spread(call, x, W, [S.p, S.q, S.c], 1), x, W), bias(S.c), "z", num(z, [S.n, S.p, S.q, S.c]), 9), act()]),
    strip("y", y, "c")];
  if (!dz) return needless();
  const [dLarge, dSmall, ds] = transposed ? [dz, x, "x"] : [x, dz, "dz"], big = transposed ? "dz" : "x";
  const shifted = picture({ name: `${big} under W[${S.a}, ${S.b}] times ${ds}`, label: `${big} × ${ds}`, rows: Q[0], cols: Q[1], width: 150, height: 150, range: dLarge.biggest * dSmall.biggest || 1,
    value: (r, c) => { const p = g.big(r, S.a, 0), q = g.big(c, S.b, 1); return p < 0 || q < 0 || p >= L[0] || q >= L[1] ? 0 : dLarge.at(S.n, p, q, S.c) * dSmall.at(S.n, r, c, S.f); }, ...onSmall });
  const drawn = [S.a, S.b].join();
  return [h("p", { class: "how" }, "Choose an element of the kernel, or a number of dx. f, F: filter; c, C: channel."), channels,
    row(transposed ? plane("dy", dy, S.c) : plane("dy", dy, S.f), transposed ? plane("dz", dz, S.c, onLarge) : plane("dz", dz, S.f, onSmall), transposed ? plane("x", x, S.f, onSmall) : plane("x", x, S.c, onLarge), shifted),
    row(kernel("W", W), kernel("dW", dW), transposed ? plane("dx", dx, S.f, onSmall) : plane("dx", dx, S.c, onBig)),
    live(() => {
      if ([S.a, S.b].join() !== drawn) { setTimeout(redraw); return null; }
      const terms = [];
      for (let n = 0; n < x.shape[0]; n++) for (let r = 0; r < Q[0]; r++) for (let c = 0; c < Q[1]; c++) {
        const p = g.big(r, S.a, 0), q = g.big(c, S.b, 1);
        if (p < 0 || q < 0 || p >= L[0] || q >= L[1]) continue;
        const value = dLarge.at(n, p, q, S.c) * dSmall.at(n, r, c, S.f);
        if (value) terms.push({ where: [n, r, c], big: [n, p, q, S.c], small: [n, r, c, S.f], value });
      }
      terms.sort((m, n) => Math.abs(n.value) - Math.abs(m.value));
      terms.forEach((t, k) => t.cells = k < 5 ? [t.where.slice(1).join(", "), num(dLarge, t.big), num(dSmall, t.small)] : ["", "", ""]);
      const found = transposed ? gathered(call, dz, W, [S.i, S.j, S.f], 1) : spread(call, dz, W, [S.p, S.q, S.c], groups);
      const at = transposed ? [S.i, S.j, S.f] : [S.p, S.q, S.c];
      return h("div", { class: "beside" },
        dW ? sumTable(`dW[${S.a}, ${S.b}, ${cg()}, ${S.f}]: ${big} · ${ds} over all places`, ["i, j", big, ds, "product"], terms, [], "dW", num(dW, [S.a, S.b, cg(), S.f]), 5) : none("dW: none needed."),
        dx ? sumTable(`dx[${at.join(", ")}]: what dz brings here`, ["a, b, c, f", "dz", "W", "dz·W"], productsOf(found, dz, W), [], "dx", num(dx, [S.n, ...at]), 5) : none("dx: none needed."));
    }),
    strip(transposed ? "dz" : "dz", dz, transposed ? "c" : "f")];
}
VIEWS.conv2d = (call, back) => convolution(call, back, false);
VIEWS["conv2d-transpose"] = (call, back) => convolution(call, back, true);

// ---- pooling ----

VIEWS.pool2d = (call, back) => {
  const x = one(call.x), y = one(call.y), dy = one(call.dy), dx = one(call.dx), won = T(call.inside.argmax), { size, strides, padding, mean } = call.options;
  const [H, W, C] = x.row, [OH, OW] = y.row;
  peak(y, ["i", "j"], S.c); peak(dx, ["p", "q"], S.c);
  clampTo("i", OH); clampTo("j", OW); clampTo("c", C); clampTo("p", H); clampTo("q", W);
  const plane = (name, tensor, o) => tensor && picture({ name: `${name}[:, :, ${S.c}]`, rows: tensor.row[0], cols: tensor.row[1], value: (r, c) => tensor.at(S.n, r, c, S.c), at: (r, c) => `${name}[${r}, ${c}, ${S.c}]`,
    ink: inkOf(tensor), range: tensor.biggest || 1, width: 250, height: 250, ...o });
  const cells = (i, j) => { const out = []; for (let a = 0; a < size[0]; a++) for (let b = 0; b < size[1]; b++) { const p = i * strides[0] + a - padding[0], q = j * strides[1] + b - padding[1]; if (p >= 0 && q >= 0 && p < H && q < W) out.push([p, q, a * size[1] + b]); } return out; };
  const onX = { mark: () => [Math.max(0, S.i * strides[0] - padding[0]), Math.max(0, S.j * strides[1] - padding[1]), size[0], size[1]], move: (r, c) => { S.i = Math.min(OH - 1, Math.floor((r + padding[0]) / strides[0])); S.j = Math.min(OW - 1, Math.floor((c + padding[1]) / strides[1])); } };
  const onY = { mark: () => [S.i, S.j], move: (r, c) => { S.i = r; S.j = c; } }, onDx = { mark: () => [S.p, S.q], move: (r, c) => { S.p = r; S.q = c; } };
  const windows = (p, q) => { const out = []; for (let i = 0; i < OH; i++) for (let j = 0; j < OW; j++) for (const [r, c, k] of cells(i, j)) if (r === p && c === q && (mean || won.at(S.n, i, j, S.c) === k)) out.push([i, j, mean ? cells(i, j).length : 1]); return out; };
  if (back && (!dy || !dx)) return needless();
  return [h("p", { class: "how" }, back ? "Choose a number of dx: it is the sum of what came back to it." : "Choose a window."), choose("channel", "c", C),
    row(back ? [plane("dy", dy, onY), plane("dx", dx, onDx)] : [plane("x", x, onX), plane("y", y, onY)]),
    live(() => back
      ? sumTable(`dx[${S.p}, ${S.q}, ${S.c}]`, ["window", "dy", mean ? "1/M" : "won", "share"], windows(S.p, S.q).map(([i, j, m]) => ({ cells: [`${i}, ${j}`, num(dy, [S.n, i, j, S.c]), m > 1 ? "1/" + m : "1"], value: dy.at(S.n, i, j, S.c) / m })), [], "dx", num(dx, [S.n, S.p, S.q, S.c]))
      : mean ? sumTable(`y[${S.i}, ${S.j}, ${S.c}]: the mean of the window`, ["place", "x", "1/M", "share"], cells(S.i, S.j).map(([p, q], k, all) => ({ cells: [`${p}, ${q}`, num(x, [S.n, p, q, S.c]), "1/" + all.length], value: x.at(S.n, p, q, S.c) / all.length })), [], "y", num(y, [S.n, S.i, S.j, S.c]))
        : table(["place", "x", ""], cells(S.i, S.j).map(([p, q, k]) => [`${p}, ${q}`, num(x, [S.n, p, q, S.c]), won.at(S.n, S.i, S.j, S.c) === k ? h("b", {}, "the largest: y = ", num(y, [S.n, S.i, S.j, S.c])) : ""]), `the window of y[${S.i}, ${S.j}, ${S.c}]`))];
};

// ---- layers that move numbers, or merge them ----

VIEWS.moved = (call, back) => {
  const source = T(call.inside.source), xs = call.x.map(T), y = one(call.y), dy = one(call.dy), dxs = (call.dx || []).map(T);
  if (!source) return VIEWS.generic(call, back);
  const index = () => S.at && S.at.length === y.row.length ? S.at.map((k, axis) => Math.min(k, y.row[axis] - 1)) : y.row.map(() => 0);
  const from = () => source.at(0, ...index()) - 1; // of all inputs, one behind the other
  const sizes = xs.map(x => x.size), starts = sizes.map((_, k) => sizes.slice(0, k).reduce((p, q) => p + q, 0));
  const which = k => starts.reduce((found, start, n) => k >= start ? n : found, 0);
  const apart = (k, shape) => { const out = []; for (const n of shape.slice().reverse()) { out.unshift(k % n); k = Math.floor(k / n); } return out; };
  const ofX = k => () => { const f = from(); return f >= 0 && which(f) === k ? apart(f - starts[k], xs[k].row) : null; };
  const back_to = k => i => { const flat = starts[k] + i.reduce((place, m, axis) => place * xs[k].row[axis] + m, 0) + 1, found = source.data.indexOf(flat); if (found >= 0) S.at = apart(found, y.row); };
  const names = back ? ["dx", "dy"] : ["x", "y"], ins = back ? dxs : xs, out = back ? dy : y;
  if (back && !out) return needless();
  const inputs = ins.map((x, k) => x && x.row.join() === xs[k].row.join() && pictured(ins.length > 1 ? `${names[0]}[${k}]` : names[0], x, { width: 240, height: 220, mark: ofX(k), move: back_to(k) }));
  return [h("p", { class: "how" }, "Choose a number: where it comes from, or goes to, is marked in the other picture."),
    row(inputs, pictured(names[1], out, { width: 240, height: 220, mark: index, move: i => { S.at = i; } })),
    live(() => {
      const f = from(), k = f < 0 ? 0 : which(f);
      if (!back) return h("p", { class: "result" }, `y[${index().join(", ")}] = `, f < 0 ? "padding" : `x${xs.length > 1 ? `[${k}]` : ""}[${apart(f - starts[k], xs[k].row).join(", ")}]`, " = ", num(y, [S.n, ...index()], "strong"));
      if (f < 0) return h("p", { class: "result" }, "Padding: its gradient goes nowhere.");
      const found = new Map(); // where the layer behind has added up equal steps itself, dy has one for all of them
      source.data.forEach((v, place) => { if (v === f + 1) { const to = apart(place, y.row).map((m, axis) => Math.min(m, dy.row[axis] - 1)); found.set(to.join(", "), to); } });
      const at = apart(f - starts[k], xs[k].row), dx = dxs[k];
      return dx && dx.row.join() === xs[k].row.join() ? sumTable(`dx${xs.length > 1 ? `[${k}]` : ""}[${at.join(", ")}]: everything that was copied from it`, ["to", "dy"], [...found].map(([name, to]) => ({ cells: [name], value: dy.at(S.n, ...to) })), [], "dx", num(dx, [S.n, ...at])) : none("dx: none needed.");
    })];
};

VIEWS.merge = (call, back) => {
  const xs = call.x.map(T), y = one(call.y), dy = one(call.dy), dxs = (call.dx || []).map(T), sign = call.options.sign;
  const index = () => S.at && S.at.length === y.row.length ? S.at.map((k, axis) => Math.min(k, y.row[axis] - 1)) : y.row.map(() => 0);
  const same = x => x.row.length === y.row.length, of = x => index().map((k, axis) => Math.min(k, x.row[axis] - 1));
  const pick = (name, x) => x && pictured(name, x, same(x) ? { mark: () => of(x), move: i => { S.at = i; } } : {});
  if (back && !dy) return needless();
  const signs = sign === "mean" ? "+" : sign === "max" || sign === "min" ? ", " : sign;
  return [h("p", { class: "how" }, "Choose a number."), row(back ? [pick("dy", dy), dxs.map((d, k) => pick(`dx[${k}]`, d))] : [xs.map((x, k) => pick(`x[${k}]`, x)), pick("y", y)]),
    live(() => !xs.every(same) ? null : back
      ? table(["", "gradient"], [["dy", num(dy, [S.n, ...index()])], ...dxs.map((d, k) => [`dx[${k}]`, d ? num(d, [S.n, ...of(d)]) : "none needed"])])
      : h("p", { class: "result" }, sign === "mean" ? "mean of " : sign === "max" || sign === "min" ? sign + " of " : "", xs.map((x, k) => [k ? ` ${signs} ` : "", num(x, [S.n, ...of(x)])]), " = ", num(y, [S.n, ...index()], "strong")))];
};

// ---- recurrent layers ----

const GATES = {
  "rnn-lstm": { forward: [["i", "input"], ["f", "forget"], ["g", "cand."], ["o", "output"], ["c", "cell"], ["h", "state"]], backward: ["dh", "dc", "di", "df", "dg", "do"], by: "c", lines: ["i", "f", "o"], states: ["c", "h"], norms: ["dh", "dc"] },
  "rnn-gru": { forward: [["z", "update"], ["r", "reset"], ["g", "cand."], ["q", "recalled"], ["h", "state"]], backward: ["dh", "dz", "dr", "dg", "dq"], by: "h", lines: ["z", "r"], states: ["h"], norms: ["dh"] },
  "rnn-simple": { forward: [["z", "sum"], ["h", "state"]], backward: ["dh", "dz"], by: "h", lines: [], states: ["h"], norms: ["dh"] },
};
function through_time(kind, call, back) {
  const spec = GATES[kind], I = Object.fromEntries(Object.entries(call.inside).map(([name, id]) => [name, T(id)])), h_ = I.h, [Tn, U] = [h_.row[0] - 1, h_.row[1]];
  if (back && !I.dh) return needless();
  clampTo("t", Tn);
  const key = call.path + S.n, order = ORDERS[key] || (ORDERS[key] = Array.from({ length: U }, (_, u) => u).map(u => { let v = 0; const tensor = I[spec.by], from = tensor.place([S.n, 0, u]); for (let t = 1; t <= Tn; t++) v += tensor.data[from + t * U] ** 2; return [v, u]; }).sort((a, b) => b[0] - a[0]).map(([, u]) => u));
  if (S.u === null) S.u = order[0];
  clampTo("u", U);
  const rank = () => order.indexOf(S.u), later = tensor => tensor.row[0] > Tn ? 1 : 0;
  const map = (name, word) => { const tensor = I[name], tall = Math.max(60, Math.min(210, U * 12)); const data = tensor.data, from = tensor.place([S.n, later(tensor), 0]); let range = 1e-30;
    for (let k = from; k < from + Tn * U; k++) range = Math.max(range, Math.abs(data[k]));
    return picture({ name, label: word ? `${name} ${word}` : name, note: "±" + fmt(range), rows: U, cols: Tn, value: (r, t) => data[from + t * U + order[r]], range, family: back ? "gradients" : "values",
      at: (r, t) => `${name}[t=${t}, unit ${order[r]}]`, width: 82, height: tall, stretch: true, mark: () => [rank(), S.t], move: (r, t) => { S.u = order[r]; S.t = t; } }); };
  const x = one(call.x);
  const backwards = call.options.backwards;
  const xMap = picture({ name: "x", label: "x", note: shapeText(x.row), rows: x.row[0], cols: x.row[1], value: (t, d) => x.at(S.n, t, d), ink: inkOf(x), range: x.biggest || 1, width: 82, height: Math.min(210, Math.max(60, x.row[0] * 3)), stretch: true, at: (t, d) => `x[t=${t}, ${d}]`,
    mark: () => [backwards ? Tn - 1 - S.t : S.t, 0, 1, x.row[1]], move: t => { S.t = backwards ? Tn - 1 - t : t; } });
  const unit = name => Array.from({ length: Tn }, (_, t) => I[name].at(S.n, t + later(I[name]), S.u));
  const norm = name => Array.from({ length: Tn }, (_, t) => { let v = 0; const from = I[name].place([S.n, t, 0]); for (let u = 0; u < U; u++) v += I[name].data[from + u] ** 2; return Math.sqrt(v); });
  const title = live(() => h("p", { class: "how" }, "Step ", h("b", {}, "t = " + S.t), ` of ${Tn}, unit `, h("b", {}, S.u), ` of ${U} (sorted by activity). Click a picture, or [ ] for time; arrows when a picture has the focus.`));
  return [title, live(() => CELLS[kind](call, I, back)),
    row(xMap, (back ? spec.backward.map(name => [name]) : spec.forward).map(([name, word]) => map(name, word))),
    back ? section("Through time: the length of what comes back", chart(spec.norms.map((name, k) => ({ name: `|${name}|`, kind: "abcd"[k], values: norm(name) })), Tn, { t: () => S.t, label: "norms of the gradients through time" }), I.dx ? row(pictured("dx", I.dx, { label: "dx of each step", upright: false, width: 200, height: 120 })) : null)
      : section("This unit through time", live(() => [spec.lines.length ? chart(spec.lines.map((name, k) => ({ name, kind: "abcd"[k], values: unit(name) })), Tn, { t: () => S.t, loose: true, label: "gates of the unit through time" }) : null,
        chart(spec.states.map((name, k) => ({ name, kind: "cd"[k], values: unit(name) })), Tn, { t: () => S.t, loose: true, label: "states of the unit through time" })]))];
}
const ORDERS = {}, CELLS = {};
for (const kind of Object.keys(GATES)) VIEWS[kind] = (call, back) => through_time(kind, call, back);

// A value on a wire (blue) and the gradient on it (orange), which is not shown before it has been computed.
function wire(x, y, name, value, gradient, back, anchor = "middle") {
  const span = (content, kind) => s("tspan", { class: kind }, content);
  const part = v => v === null ? "" : Array.isArray(v) ? [s("tspan", { class: "n", "data-of": v[0].exact ? v[0].id + ":" + v[1].join(",") : null }, fmt(v[0].at(...v[1])))] : [fmt(v)];
  return [s("text", { x, y, "text-anchor": anchor, class: "wire" }, span(name + " ", "bold"), s("tspan", { class: "value" }, part(value))),
    back && gradient !== null ? s("text", { x, y: y + 14, "text-anchor": anchor, class: "wire gradient" }, "d" + name + " ", part(gradient)) : null];
}
const cell = (label, width, height, kids) => s("svg", { viewBox: `0 0 ${width} ${height}`, class: "cell", role: "img", "aria-label": label }, kids);
const path = d => s("path", { d, class: "path" });
const op = (x, y, sign) => [s("circle", { cx: x, cy: y, r: 10, class: "op" }), s("text", { x, y: y + 4, "text-anchor": "middle" }, sign)];
const gate = (x, y, name, kind) => [s("rect", { x: x - 17, y: y - 12, width: 34, height: 24, rx: 4, class: "gate " + kind }), s("text", { x, y: y + 4, "text-anchor": "middle" }, name)];

CELLS["rnn-lstm"] = (call, I, back) => {
  const at = (name, t = S.t) => [I[name], [S.n, t, S.u]], v = (name, t = S.t) => I[name].at(S.n, t, S.u), t = S.t;
  const g = name => back ? at("d" + name) : null, act = call.options.activation, Tn = I.i.row[0];
  const fc = v("f") * v("c", t), ig = v("i") * v("g"), dc = back ? v("dc") : 0;
  const from_next = back && t + 1 < Tn ? v("dc", t + 1) * v("f", t + 1) : 0, from_h = back ? dc - from_next : 0;
  const diagram = cell(`the cell at step ${t}, unit ${S.u}`, 660, 158, [
    path("M60 36H560"), path("M180 36V98"), path("M380 36V98"), path("M300 98V88H370"), path("M520 36V58"), path("M520 76V88H510"), path("M530 88H620"), path("M520 98V98"), path("M460 98V88H510"),
    op(180, 36, "×"), op(380, 36, "+"), op(380, 82, "×"), op(520, 88, "×"), s("rect", { x: 500, y: 52, width: 40, height: 22, rx: 4, class: "gate" }), s("text", { x: 520, y: 67, "text-anchor": "middle" }, act),
    gate(180, 110, "f", "kf"), gate(300, 110, "i", "ki"), gate(380, 110, "g", "kg"), gate(460, 110, "o", "ko"),
    wire(8, 12, "c₍ₜ₋₁₎", at("c", t), back ? dc * v("f") : null, back, "start"), wire(280, 12, "f·c", fc, back ? dc : null, back), wire(600, 12, "cₜ", at("c", t + 1), g("c"), back),
    wire(440, 62, "i·g", ig, back ? dc : null, back), wire(606, 106, "hₜ", at("h", t + 1), g("h"), back),
    wire(180, 138, "f", at("f"), g("f"), back), wire(290, 138, "i", at("i"), g("i"), back), wire(380, 138, "g", at("g"), g("g"), back), wire(472, 138, "o", at("o"), g("o"), back)]);
  const sum = (name, terms, own) => { const total = terms.reduce((p, [, q]) => p + q, 0), top = Math.max(...terms.map(([, q]) => Math.abs(q)), Math.abs(total)), d = Math.max(digitsOf(top), Math.min(digitsOf(total), digitsOf(top) + 3));
    return h("p", { class: "result sum" }, name, " = ", terms.map(([word, q], k) => [k ? " + " : "", word, " ", h("span", { class: "n", "data-term": fixed(q, d + 1).replace("−", "-") }, fixed(q, d + 1))]), " = ", h("span", { class: "n strong", "data-total": fixed(total, d).replace("−", "-") }, fixed(total, d)), " (the layer: ", own, ")"); };
  return [diagram, back ? sum("dc", [["dh·o·" + act + "′", from_h], ["f·dc of t+1", from_next]], num(I.dc, [S.n, t, S.u])) : sum("c", [["f·c", fc], ["i·g", ig]], num(I.c, [S.n, t + 1, S.u]))];
};
CELLS["rnn-gru"] = (call, I, back) => {
  const at = (name, t = S.t) => [I[name], [S.n, t, S.u]], v = (name, t = S.t) => I[name].at(S.n, t, S.u), t = S.t, g = name => back ? at("d" + name) : null;
  const keep = v("z") * v("h", t), take = (1 - v("z")) * v("g"), dh = back ? v("dh") : 0;
  return [cell(`the cell at step ${t}, unit ${S.u}`, 660, 150, [path("M60 36H600"), path("M200 36V98"), path("M400 36V78"), path("M400 98V98"), path("M300 98V82H390"),
    op(200, 36, "×"), op(400, 36, "+"), op(400, 80, "×"), gate(200, 108, "z", "kf"), gate(300, 108, "1−z", "kf"), gate(400, 108, "g", "kg"), gate(520, 108, "r", "ki"),
    wire(8, 12, "h₍ₜ₋₁₎", at("h", t), back ? dh * v("z") : null, back, "start"), wire(300, 12, "z·h", keep, back ? dh : null, back), wire(560, 12, "hₜ", at("h", t + 1), g("h"), back), wire(470, 66, "(1−z)·g", take, back ? dh : null, back),
    wire(200, 134, "z", at("z"), g("z"), back), wire(400, 134, "g", at("g"), g("g"), back), wire(520, 134, "r", at("r"), g("r"), back)]),
  back ? h("p", { class: "result" }, "dg = dh · (1 − z) = ", num(I.dh, [S.n, t, S.u]), " · ", plain(1 - v("z")), " = ", plain(dh * (1 - v("z")), "strong"), " (the layer: ", num(I.dg, [S.n, t, S.u]), ")")
    : h("p", { class: "result" }, "h = z·h + (1 − z)·g = ", plain(keep), " + ", plain(take), " = ", plain(keep + take, "strong"), " (the layer: ", num(I.h, [S.n, t + 1, S.u]), ")")];
};
CELLS["rnn-simple"] = (call, I, back) => {
  const at = (name, t = S.t) => [I[name], [S.n, t, S.u]], v = (name, t = S.t) => I[name].at(S.n, t, S.u), t = S.t, act = call.options.activation;
  return [cell(`the cell at step ${t}, unit ${S.u}`, 660, 110, [path("M60 50H600"), op(220, 50, "+"), s("rect", { x: 340, y: 38, width: 60, height: 24, rx: 4, class: "gate" }), s("text", { x: 370, y: 54, "text-anchor": "middle" }, act), path("M220 60V96"),
    wire(8, 24, "h₍ₜ₋₁₎", at("h", t), null, back, "start"), wire(280, 24, "z", at("z"), back ? at("dz") : null, back), wire(540, 24, "hₜ", at("h", t + 1), back ? at("dh") : null, back), s("text", { x: 228, y: 100 }, "x W + h R + b")]),
  back ? h("p", { class: "result" }, "dz = dh · slope = ", num(I.dh, [S.n, t, S.u]), " · ", plain(slopes(act, v("z"), v("h", t + 1)) ?? NaN), " = ", num(I.dz, [S.n, t, S.u], "strong"))
    : h("p", { class: "result" }, act, "(", num(I.z, [S.n, t, S.u]), ") = ", num(I.h, [S.n, t + 1, S.u], "strong"))];
};

// ---- normalization, attention, tokens, dropout ----

VIEWS.normalization = (call, back) => {
  const x = one(call.x), y = one(call.y), dy = one(call.dy), dx = one(call.dx), hat = T(call.inside.x_hat), dhat = T(call.inside.dx_hat), gamma = T(call.params.gamma), beta = T(call.params.beta);
  const index = () => S.at && S.at.length === x.row.length ? S.at.map((k, axis) => Math.min(k, x.row[axis] - 1)) : x.row.map(() => 0), last = () => index()[index().length - 1];
  const pick = (name, tensor) => pictured(name, tensor, { width: 200, height: 200, ink: false, mark: index, move: i => { S.at = i; } });
  if (back && !dy) return needless();
  const fits = (!gamma || gamma.shape.length === 1 && gamma.shape[0] === x.row[x.row.length - 1]);
  return [h("p", { class: "how" }, "Choose a number."), row(back ? [pick("dy", dy), pick("dx̂", dhat), pick("dx", dx)] : [pick("x", x), pick("x̂", hat), pick("y", y)]),
    live(() => !fits ? null : back ? (dhat && h("p", { class: "result" }, "dx̂ = γ · dy = ", gamma ? num(gamma, [last()]) : "1", " · ", num(dy, [S.n, ...index()]), " = ", num(dhat, [S.n, ...index()], "strong")))
      : sumTable(`y[${index().join(", ")}]`, ["", "γ", "x̂", "γ·x̂"], [{ cells: ["scaled", gamma ? num(gamma, [last()]) : "1", num(hat, [S.n, ...index()])], value: hat.at(S.n, ...index()) * (gamma ? gamma.at(last()) : 1) }], beta ? [{ cells: "shift β", value: beta.at(last()) }] : [], "y", num(y, [S.n, ...index()])))];
};

VIEWS.attention = (call, back) => {
  const P = T(call.inside.P), v = T(call.inside.v), heads = P.row.length === 3 ? P.row[0] : 0, [Q, K] = P.row.slice(-2);
  clampTo("c", heads || 1); clampTo("t", Q); clampTo("p", K); clampTo("d", v ? v.row[v.row.length - 1] : 1);
  const at = (t, k) => heads ? [S.n, S.c, t, k] : [S.n, t, k];
  const map = picture({ name: "P", label: "P: who looks where", note: `${Q} queries × ${K} keys`, rows: Q, cols: K, value: (r, c) => P.at(...at(r, c)), ink: true, range: P.max || 1, width: 280, height: 280, at: (r, c) => `P[query ${r}, key ${c}]`, mark: () => [S.t, S.p], move: (r, c) => { S.t = r; S.p = c; } });
  const values = v && picture({ name: "v", label: "v of the head", note: "", rows: v.row[v.row.length - 2], cols: v.row[v.row.length - 1], value: (r, c) => v.at(...at(r, c)), range: v.biggest || 1, width: 200, height: 280, at: (r, c) => `v[key ${r}, ${c}]`, mark: () => [S.p, S.d], move: (r, c) => { S.p = r; S.d = c; } });
  return [h("p", { class: "how" }, "Choose a query: its row says how much it takes from each key. c, C: head."), choose("head", "c", heads), row(map, values), back ? VIEWS.generic(call, true) : null,
    live(() => back ? null : v ? sumTable(`what query ${S.t} sees, number ${S.d}: P v`, ["key", "P", "v", "P·v"], Array.from({ length: K }, (_, k) => ({ cells: [String(k), num(P, at(S.t, k)), num(v, at(k, S.d))], value: P.at(...at(S.t, k)) * v.at(...at(k, S.d)) })), [], "y of the head", null)
      : sumTable(`the row of query ${S.t} adds up to 1`, ["key", "P"], Array.from({ length: K }, (_, k) => ({ cells: [String(k)], value: P.at(...at(S.t, k)) })), [], "sum", null))];
};

VIEWS.embedding = (call, back) => {
  const tokens = one(call.x), y = one(call.y), dy = one(call.dy), W = T(call.params.embeddings), dW = T(call.grads.embeddings), D = W.stored[1];
  if (tokens.row.length !== 1) return VIEWS.generic(call, back);
  clampTo("t", tokens.row[0]); clampTo("d", D);
  const list = h("div", { class: "tokens", role: "group", "aria-label": "tokens" }, Array.from({ length: tokens.row[0] }, (_, t) => h("button", { "data-t": t, onclick: () => { S.t = t; remark(); } }, num(tokens, [S.n, t]))));
  PICTURES.add({ mark: () => [...list.children].forEach((b, t) => b.setAttribute("aria-pressed", t === S.t)) });
  const grid = back ? dy : y;
  if (!grid) return needless();
  return [h("p", { class: "how" }, "Choose a token ([ ]): its row of W is its vector."), list,
    row(pictured(back ? "dy" : "y", grid, { width: 260, height: 240, upright: false, mark: () => [S.t, S.d], move: i => { [S.t, S.d] = i; } })),
    live(() => { const token = tokens.at(S.n, S.t);
      if (!back) return h("p", { class: "result" }, `y[${S.t}, ${S.d}] = W[${token}, ${S.d}] = `, num(W, [token, S.d]), " = ", num(y, [S.n, S.t, S.d], "strong"));
      const uses = []; for (let n = 0; n < tokens.shape[0]; n++) for (let t = 0; t < tokens.row[0]; t++) if (tokens.at(n, t) === token) uses.push([n, t]);
      return dW ? sumTable(`dW[${token}, ${S.d}]: from every place of token ${token}`, ["sample, place", "dy"], uses.map(u => ({ cells: [u.join(", ")], value: dy.at(...u, S.d) })), [], "dW", num(dW, [token, S.d])) : none("dW: none needed."); })];
};

VIEWS.dropout = (call, back) => {
  const mask = T(call.inside.mask);
  return [h("p", { class: "how" }, mask ? "In training some numbers are left out, and the others made larger; what was left out gets no gradient." : M.training ? "Nothing was left out." : "Outside of training nothing is left out. model.trace(x, y, training=True) shows the mask."),
    row(back ? [pictured("dy", one(call.dy)), pictured("mask", mask), pictured("dx", one(call.dx))] : [pictured("x", one(call.x)), pictured("mask", mask), pictured("y", one(call.y))])];
};
