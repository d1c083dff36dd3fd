// ---- convolutions of sequences and of volumes ----
//
// Time goes to the right, channels stand below one another; of a volume the slices of one channel stand side by side. Places
// and taps are counted through: S.i of z, S.p of x, S.a of the kernel.

VIEWS.convnd = (call, back) => {
  const { x, y, z, dz, dy, W, b, dW, dx, groups, activation } = partsOf(call), { strides, padding, dilation } = call.options, D = strides.length, axes = [...strides.keys()];
  const L = x.row.slice(0, D), Q = z.row.slice(0, D), K = W.stored.slice(0, D), C = x.row[D], F = z.row[D], CG = W.stored[D], per = F / groups;
  const total = shape => shape.reduce((p, q) => p * q, 1), places = total(Q), taps = total(K);
  const within = (at, shape) => at.every((k, axis) => k >= 0 && k < shape[axis]);
  if (S.a === undefined) S.a = taps >> 1;
  if (S.f === undefined && S.i === undefined && y) [S.i, S.f] = largest(back ? dz : y, F);
  if (back && dx && S.p === undefined && S.c === undefined) [S.p, S.c] = largest(dx, C);
  clampTo("i", places); clampTo("p", total(L)); clampTo("a", taps); clampTo("f", F); clampTo("c", C);
  if (groups > 1) S.c = Math.floor(S.f / per) * CG + S.c % CG;
  const at = () => apart(S.i, Q), from = () => apart(S.p, L), tap = () => apart(S.a, K), group = f => Math.floor(f / per) * CG;
  const big = (q, a) => axes.map(axis => q[axis] * strides[axis] + a[axis] * dilation[axis] - padding[axis]);
  const extent = axes.map(axis => (K[axis] - 1) * dilation[axis] + 1);
  // A sequence as channels x time, a volume as the slices of a channel.
  const grid = (name, tensor, shape, channels, key, o) => {
    if (!tensor) return null;
    const own = shape === K ? [] : [S.n], lay = layout([...shape, 1], undefined, 1), flatly = D === 1;
    const index = (r, c) => { if (flatly) return [c, r]; const found = lay.index(r, c); return found && [...found.slice(0, -1), S[key] % channels]; };
    const rest = shape === K ? [S.f] : [], value = (r, c) => { const i = index(r, c); return i ? tensor.at(...own, ...i, ...rest) : null; };
    return picture({ name: flatly ? name : `${name}[…, ${[S[key] % channels, ...rest].join(", ")}]`, rows: flatly ? channels : lay.rows, cols: flatly ? shape[0] : lay.cols, value, exact: tensor.exact, ink: inkOf(tensor), range: tensor.biggest || 1, family: name[0] === "d" ? "gradients" : "values",
      at: (r, c) => { const i = index(r, c); return i ? `${name}[${[...i, ...rest].join(", ")}]` : ""; }, ...(flatly ? { width: shape === K ? Math.max(40, Math.min(120, 28 * K[0])) : 250, height: Math.max(28, Math.min(130, 16 * channels)), stretch: true } : { width: shape === K ? 130 : 200, height: 150 }),
      mark: () => { const i = o.at(), cell = flatly ? [S[key] % channels, i[0]] : lay.find([...i, 0]); return o.size ? o.size(cell) : cell; },
      move: (r, c) => { const i = index(r, c); if (i) o.to(i.slice(0, D), i[D]); } });
  };
  const onZ = (name, tensor) => grid(name, tensor, Q, F, "f", { at, to: (q, f) => { S.i = flat(q, Q); S.f = f; } });
  const onKernel = (name, tensor) => grid(name, tensor, K, CG, "c", { at: tap, to: (a, c) => { S.a = flat(a, K); S.c = group(S.f) + c; } });
  // The window over x: all channels of its steps; of a volume, the plane under the chosen tap.
  const window_ = cell => {
    if (D === 1) { const p = big(at(), [0])[0], first = Math.max(0, p); return [group(S.f), first, CG, Math.max(1, Math.min(L[0], p + extent[0]) - first)]; }
    const corner = big(at(), [tap()[0], 0, 0]), kept = corner.map((k, axis) => Math.max(0, Math.min(L[axis] - 1, k))), [r, c] = layout([...L, 1], undefined, 1).find([...kept, 0]);
    return [r, c, Math.min(extent[1], L[1] - kept[1]), Math.min(extent[2], L[2] - kept[2])];
  };
  const windowed = (name, tensor) => grid(name, tensor, L, C, "c", { at: () => from(), size: window_, to: (p, c) => { S.i = flat(axes.map(axis => Math.max(0, Math.min(Q[axis] - 1, Math.floor((p[axis] + padding[axis] - (extent[axis] >> 1)) / strides[axis])))), Q); S.c = c; } });
  const onX = (name, tensor) => grid(name, tensor, L, C, "c", { at: from, to: (p, c) => { S.p = flat(p, L); S.c = c; } });
  const all = Array.from({ length: taps }, (_, k) => apart(k, K)), chosen = [CG > 1 || D > 1 ? choose("channel", "c", C) : null, choose("filter", "f", F)];
  const heads = (name, other) => [D === 1 ? "a, c, f" : "a…, c, f", name, "W", `${name}·W`];
  if (!back) return [h("p", { class: "how" }, "Choose a place of y: its window is marked in x. f, F: filter; c, C: channel."), chosen, row(windowed("x", x), onKernel("W", W), onZ("y", y)),
    live(() => {
      const q = at(), f = S.f, terms = [], out = [];
      for (const a of all) { const p = big(q, a); if (!within(p, L)) { out.push(p.join(", ")); continue; }
        for (let c = 0; c < CG; c++) terms.push({ cells: [[...a, c, f].join(", "), num(x, [S.n, ...p, group(f) + c]), num(W, [...a, c, f])], value: x.at(S.n, ...p, group(f) + c) * W.at(...a, c, f) }); }
      return [D === 1 ? h("p", { class: "how" }, `y[${q}] sees the steps ${all.map(a => big(q, a)[0]).join(", ")} of x`, out.length ? `; ${out.join(", ")} ${out.length > 1 ? "are" : "is"} padding: zeros.` : ".") : out.length ? h("p", { class: "how" }, `${out.length} of the ${taps} places of the window are padding: zeros.`) : null,
        sumTable(`z[${[...q, f].join(", ")}]: the window times the kernel`, heads("x"), terms, b ? [{ cells: `bias b[${f}]`, value: b.at(f) }] : [], "z", num(z, [S.n, ...q, f])),
        activation === "linear" ? null : h("p", { class: "result" }, activation, "(z) = y = ", num(y, [S.n, ...q, f], "strong"))];
    })];
  if (!dz) return needless();
  return [h("p", { class: "how" }, "Choose an element of the kernel, or a number of dx. f, F: filter; c, C: channel."), chosen,
    row(onZ("dy", dy), onZ("dz", dz), windowed("x", x)), row(onKernel("W", W), onKernel("dW", dW), onX("dx", dx)),
    live(() => {
      const f = S.f, c = groups > 1 ? group(f) + S.c % CG : S.c, a = tap(), w = [...a, c % CG, f], terms = [], back_ = [];
      for (let n = 0; n < x.shape[0]; n++) for (let k = 0; k < places; k++) {
        const q = apart(k, Q), p = big(q, a), value = within(p, L) ? x.at(n, ...p, c) * dz.at(n, ...q, f) : 0;
        if (value) terms.push({ n, q, p, value });
      }
      terms.sort((p, q) => Math.abs(q.value) - Math.abs(p.value));
      terms.forEach((t, k) => t.cells = k < 5 ? [t.q.join(", "), num(x, [t.n, ...t.p, c]), num(dz, [t.n, ...t.q, f])] : ["", "", ""]);
      const into = S.c, first = Math.floor(into / CG) * per, place = from();
      for (const e of all) { const q = axes.map(axis => (place[axis] + padding[axis] - e[axis] * dilation[axis]) / strides[axis]);
        if (q.every(Number.isInteger) && within(q, Q)) for (let u = first; u < first + per; u++) back_.push({ cells: [[...e, into % CG, u].join(", "), num(dz, [S.n, ...q, u]), num(W, [...e, into % CG, u])], value: dz.at(S.n, ...q, u) * W.at(...e, into % CG, u) }); }
      return h("div", { class: "beside" },
        dW ? sumTable(`dW[${w.join(", ")}]: x · dz over all places`, [D === 1 ? "t" : "place", "x", "dz", "product"], terms, [], "dW", num(dW, w), 5) : none("dW: none needed."),
        dx ? sumTable(`dx[${[...place, into].join(", ")}]: what dz brings here`, heads("dz"), back_, [], "dx", num(dx, [S.n, ...place, into]), 5) : none("dx: none needed."));
    })];
};
// The place (counted through) and the channel of the largest number of a sample.
function largest(tensor, channels) {
  let best = -1, found = 0;
  const size = tensor.size, start = size * Math.min(S.n, tensor.shape[0] - 1);
  for (let k = 0; k < size; k++) { const v = Math.abs(tensor.data[start + k]); if (v > best) { best = v; found = k; } }
  return [Math.floor(found / channels), found % channels];
}
