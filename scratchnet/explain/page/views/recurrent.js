// ---- recurrent layers ----

const GATES = {
  "rnn-lstm": { forward: [["i", "input"], ["f", "forget"], ["g", "cand."], ["o", "output"], ["c", "cell"], ["h", "state"]], backward: ["dh", "dc", "di", "df", "dg", "do"], by: "c", lines: ["i", "f", "o"], states: ["c", "h"], norms: ["dh", "dc"] },
  "rnn-gru": { forward: [["z", "update"], ["r", "reset"], ["g", "cand."], ["q", "recalled"], ["h", "state"]], backward: ["dh", "dz", "dr", "dg", "dq"], by: "h", lines: ["z", "r"], states: ["h"], norms: ["dh"] },
  "rnn-simple": { forward: [["z", "sum"], ["h", "state"]], backward: ["dh", "dz"], by: "h", lines: [], states: ["h"], norms: ["dh"] },
};
function through_time(kind, call, back) {
  const spec = GATES[kind], I = Object.fromEntries(Object.entries(call.inside).map(([name, id]) => [name, T(id)])), h_ = I.h, [Tn, U] = [h_.row[0] - 1, h_.row[1]];
  if (back && !I.dh) return needless();
  if (S.t === null) S.t = Tn >> 1; // at the first step there is no past, at the last nothing comes back from later ones
  clampTo("t", Tn);
  const key = call.path + S.n, order = ORDERS[key] || (ORDERS[key] = Array.from({ length: U }, (_, u) => u).map(u => { let v = 0; const tensor = I[spec.by], from = tensor.place([S.n, 0, u]); for (let t = 1; t <= Tn; t++) v += tensor.data[from + t * U] ** 2; return [v, u]; }).sort((a, b) => b[0] - a[0]).map(([, u]) => u));
  if (S.u === null) { // the most active unit; backward the one that most comes back to
    const come = u => Math.abs(I.dh.at(S.n, S.t, u));
    S.u = back ? order.reduce((best, u) => come(u) > come(best) ? u : best) : order[0];
  }
  clampTo("u", U);
  const rank = () => order.indexOf(S.u), later = tensor => tensor.row[0] > Tn ? 1 : 0;
  const wide = Math.max(56, Math.min(82, Math.floor(($("main").clientWidth - 28 - 72) / 7))); // seven beside one another
  const map = (name, word) => { const tensor = I[name], tall = Math.max(60, Math.min(210, U * 12)); const data = tensor.data, from = tensor.place([S.n, later(tensor), 0]); let range = 1e-30;
    for (let k = from; k < from + Tn * U; k++) range = Math.max(range, Math.abs(data[k]));
    return picture({ name, label: word ? `${name} ${word}` : name, note: "±" + fmt(range), rows: U, cols: Tn, value: (r, t) => data[from + t * U + order[r]], range, family: back ? "gradients" : "values",
      at: (r, t) => `${name}[t=${t}, unit ${order[r]}]`, width: wide, height: tall, stretch: true, mark: () => [rank(), S.t], move: (r, t) => { S.u = order[r]; S.t = t; } }); };
  const x = one(call.x);
  const backwards = call.options.backwards;
  const xMap = picture({ name: "x", label: "x", note: shapeText(x.row), rows: x.row[0], cols: x.row[1], value: (t, d) => x.at(S.n, t, d), ink: inkOf(x), range: x.biggest || 1, width: wide, height: Math.min(210, Math.max(60, x.row[0] * 3)), stretch: true, at: (t, d) => `x[t=${t}, ${d}]`,
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
const cell = (label, width, height, kids) => s("svg", { viewBox: `0 0 ${width} ${height}`, class: "cell", role: "img", "aria-label": label, tabindex: "0" }, kids);
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
