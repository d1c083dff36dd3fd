// ---- convolutions ----
//
// A convolution ties a large image to a small one: z[i, j] = sum of x[S i + E a - P, ...] W[a, b]. The transposed one goes the
// other way, so both have the same picture with the roles changed.

// What the picture is made of: the tensors, and what they are called.
const partsOf = call => ({ x: one(call.x), y: one(call.y), z: T(call.inside.z), dz: T(call.inside.dz), dy: one(call.dy), W: T(call.params.kernel), b: T(call.params.bias),
  dW: T(call.grads.kernel), dx: one(call.dx), groups: call.options.groups || 1, activation: call.options.activation, names: { y: "y", z: "z", dz: "dz", W: "W", tap: "a, b, c, f" } });
// A depthwise kernel (KH, KW, C, M) as that of a convolution in C groups, (KH, KW, 1, C M).
function inGroups(tensor) {
  if (!tensor) return null;
  const [KH, KW, C, M] = tensor.stored;
  return lifted(tensor, [KH, KW, 1, C * M], ([a, b, , f]) => [a, b, Math.floor(f / M), f % M]);
}
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
const productsOf = (found, tensor, W) => found.map(t => ({ cells: [W.real(t.w).join(", "), num(tensor, t.x), num(W, t.w)], value: tensor.at(...t.x) * W.at(...t.w) }));

function convolution(call, back, transposed, o = partsOf(call)) {
  const { x, y, z, dz, dy, W, b, dW, dx, groups, activation, names } = o, g = geometry(call), [KH, KW] = W.shape;
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
  const kernel = (name, tensor) => tensor && picture({ name: `${name}[${W.real([":", ":", cg(), S.f]).join(", ")}]`, rows: KH, cols: KW, exact: tensor.exact, value: (r, c) => tensor.at(r, c, cg(), S.f), range: tensor.biggest || 1,
    at: (r, c) => `${name}[${W.real([r, c, cg(), S.f]).join(", ")}]`, width: 96, height: 96, mark: () => [S.a, S.b], move: (r, c) => { S.a = r; S.b = c; } });
  const channels = [groups > 1 && W.shape[2] === 1 ? null : choose(transposed ? "filter" : "channel", "c", L[2]), choose(names.places || (transposed ? "channel" : "filter"), "f", Q[2])];
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
  const act = () => activation === "linear" ? null : h("p", { class: "result" }, activation, "(z) = y = ", num(y, transposed ? [S.n, S.p, S.q, S.c] : [S.n, S.i, S.j, S.f], "strong"));
  const bias = u => b ? [{ cells: `bias b[${u}]`, value: b.at(u) }] : [];
  const less = { width: 128, height: 128 };
  const onBig = { mark: () => [S.p, S.q], move: (r, c) => { S.p = r; S.q = c; } };
  if (!back && !transposed) return [h("p", { class: "how" }, "Click a picture, or focus it and use the arrow keys. f, F: filter; c, C: channel."), channels,
    h("div", { class: "beside" }, h("div", {}, row(plane("x", x, S.c, { ...onLarge, ...less }), kernel(names.W, W), plane(names.y, y, S.f, { ...onSmall, ...less })), live(() => [KW <= 5 && KH <= 5 ? window_() : null, act()])),
      live(() => sumTable(`${names.z}[${S.i}, ${S.j}, ${S.f}]: the window times the kernel`, [names.tap, "x", names.W, "x·" + names.W], productsOf(gathered(call, x, W, [S.i, S.j, S.f], groups), x, W), bias(S.f), names.z, num(z, [S.n, S.i, S.j, S.f]), 9))),
    strip(names.y, y, "f")];
  if (!back) return [h("p", { class: "how" }, "Choose a number of y: each is the sum of what the windows over it spread there."), channels,
    row(plane("x", x, S.f, onSmall), kernel(names.W, W), plane(names.y, y, S.c, onBig)),
    live(() => [sumTable(`${names.z}[${S.p}, ${S.q}, ${S.c}]: what x spreads here`, ["a, b, f, c", "x", "W", "x·W"], productsOf(spread(call, x, W, [S.p, S.q, S.c], 1), x, W), bias(S.c), "z", num(z, [S.n, S.p, S.q, S.c]), 9), act()]),
    strip(names.y, y, "c")];
  if (!dz) return needless();
  const [dLarge, dSmall, ds] = transposed ? [dz, x, "x"] : [x, dz, names.dz], big = transposed ? "dz" : "x";
  const shifted = picture({ name: `${big} under ${names.W}[${S.a}, ${S.b}] times ${ds}`, label: `${big} × ${ds}`, rows: Q[0], cols: Q[1], width: 150, height: 150, range: dLarge.biggest * dSmall.biggest || 1,
    value: (r, c) => { const p = g.big(r, S.a, 0), q = g.big(c, S.b, 1); return p < 0 || q < 0 || p >= L[0] || q >= L[1] ? 0 : dLarge.at(S.n, p, q, S.c) * dSmall.at(S.n, r, c, S.f); }, ...onSmall });
  const drawn = [S.a, S.b].join();
  return [h("p", { class: "how" }, "Choose an element of the kernel, or a number of dx. f, F: filter; c, C: channel."), channels,
    row(transposed ? plane("dy", dy, S.c) : plane("dy", dy, S.f), transposed ? plane("dz", dz, S.c, onLarge) : plane(names.dz, dz, S.f, onSmall), transposed ? plane("x", x, S.f, onSmall) : plane("x", x, S.c, onLarge), shifted),
    row(kernel(names.W, W), kernel("d" + names.W, dW), transposed ? plane("dx", dx, S.f, onSmall) : plane("dx", dx, S.c, onBig)),
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
        dW ? sumTable(`d${names.W}[${W.real([S.a, S.b, cg(), S.f]).join(", ")}]: ${big} · ${ds} over all places`, ["i, j", big, ds, "product"], terms, [], "d" + names.W, num(dW, [S.a, S.b, cg(), S.f]), 5) : none(`d${names.W}: none needed.`),
        dx ? sumTable(`dx[${at.join(", ")}]: what ${names.dz} brings here`, [names.tap, names.dz, names.W, `${names.dz}·${names.W}`], productsOf(found, dz, W), [], "dx", num(dx, [S.n, ...at]), 5) : none("dx: none needed."));
    }),
    strip(names.dz, dz, transposed ? "c" : "f")];
}

// Every channel by itself: a convolution in C groups.
VIEWS.depthwise2d = (call, back) => {
  const o = partsOf(call);
  return convolution(call, back, false, { ...o, W: inGroups(o.W), dW: inGroups(o.dW), groups: o.W.stored[2], names: { ...o.names, tap: "a, b, c, m" } });
};
// Two halves: every channel by itself, h; then all maps of one place with one another, as in a dense layer.
VIEWS.separable2d = (call, back) => {
  const o = partsOf(call), D = T(call.params.depthwise_kernel), P = T(call.params.pointwise_kernel), dP = T(call.grads.pointwise_kernel), h_ = T(call.inside.h), dh = T(call.inside.dh), F = P.shape[3], K = P.shape[2];
  clampTo("d", F);
  const first = convolution(call, back, false, { ...o, y: h_, z: h_, dz: dh, dy: null, W: inGroups(D), dW: inGroups(T(call.grads.depthwise_kernel)), b: null, groups: D.stored[2], activation: "linear", names: { y: "h", z: "h", dz: "dh", W: "D", tap: "a, b, c, m", places: "map" } });
  if (back && !dh) return first;
  const at = () => [S.n, S.i, S.j], map = (name, tensor) => tensor && picture({ name: `${name}[:, :, ${S.d}]`, rows: tensor.row[0], cols: tensor.row[1], value: (r, c) => tensor.at(S.n, r, c, S.d), ink: inkOf(tensor), at: (r, c) => `${name}[${r}, ${c}, ${S.d}]`,
    range: tensor.biggest || 1, family: back ? "gradients" : "values", width: 128, height: 128, mark: () => [S.i, S.j], move: (r, c) => { S.i = r; S.j = c; } });
  const second = section("Second half: across the maps of one place", choose("filter of y", "d", F), h("div", { class: "beside" },
    row(back ? [map("dy", o.dy), map("dz", o.dz)] : [map("z", o.z), map("y", o.y)]), live(() => back
      ? [sumTable(`dh[${S.i}, ${S.j}, ${S.f}]: what every filter brings back`, ["f", "dz", "P", "dz·P"], Array.from({ length: F }, (_, f) => ({ cells: [String(f), num(o.dz, [...at(), f]), num(P, [0, 0, S.f, f])], value: o.dz.at(...at(), f) * P.at(0, 0, S.f, f) })), [], "dh", num(dh, [...at(), S.f]), 5),
        dP ? productsOver(h_, o.dz, [0, 0, S.f, S.d], dP) : none("dP: none needed.")]
      : [sumTable(`z[${S.i}, ${S.j}, ${S.d}]: all maps of this place`, ["k", "h", "P", "h·P"], Array.from({ length: K }, (_, k) => ({ cells: [String(k), num(h_, [...at(), k]), num(P, [0, 0, k, S.d])], value: h_.at(...at(), k) * P.at(0, 0, k, S.d) })), o.b ? [{ cells: `bias b[${S.d}]`, value: o.b.at(S.d) }] : [], "z", num(o.z, [...at(), S.d])),
        o.activation === "linear" ? null : h("p", { class: "result" }, o.activation, "(z) = y = ", num(o.y, [...at(), S.d], "strong"))])));
  return back ? [second, section("First half: each channel by itself", first)] : [section("First half: each channel by itself", first), second];
};
// dP[k, f]: h times dz over all places.
function productsOver(h_, dz, index, dP) {
  const terms = [], [k, f] = index.slice(2);
  for (let n = 0; n < dz.shape[0]; n++) for (let i = 0; i < dz.row[0]; i++) for (let j = 0; j < dz.row[1]; j++) {
    const value = h_.at(n, i, j, k) * dz.at(n, i, j, f);
    if (value) terms.push({ where: [n, i, j], value });
  }
  terms.sort((p, q) => Math.abs(q.value) - Math.abs(p.value));
  terms.forEach((t, m) => t.cells = m < 5 ? [t.where.slice(1).join(", "), num(h_, [...t.where, k]), num(dz, [...t.where, f])] : ["", "", ""]);
  return sumTable(`dP[${k}, ${f}]: h · dz over all places`, ["i, j", "h", "dz", "product"], terms, [], "dP", num(dP, index), 5);
}
VIEWS.conv2d = (call, back) => convolution(call, back, false);
VIEWS["conv2d-transpose"] = (call, back) => convolution(call, back, true);
