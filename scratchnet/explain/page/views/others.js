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
