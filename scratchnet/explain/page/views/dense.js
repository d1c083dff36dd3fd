// ---- dense ----

VIEWS.dense = (call, back) => {
  const x = one(call.x), y = one(call.y), z = T(call.inside.z), dz = T(call.inside.dz), W = T(call.params.kernel), b = T(call.params.bias);
  const dW = T(call.grads.kernel), D = W.shape[0], U = W.shape[1], places = x.row.slice(0, -1), count = places.reduce((p, q) => p * q, 1);
  if (S.u === null) { const first = Array.from({ length: U }, (_, u) => Math.abs(y.data[u])); S.u = first.indexOf(Math.max(...first)); }
  clampTo("u", U); clampTo("d", D); clampTo("p", count);
  const at = p => apart(p, places);
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
