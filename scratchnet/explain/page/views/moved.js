// ---- layers that move numbers, or merge them ----

VIEWS.moved = (call, back) => {
  const source = T(call.inside.source), xs = call.x.map(T), y = one(call.y), dy = one(call.dy), dxs = (call.dx || []).map(T);
  if (!source) return VIEWS.generic(call, back);
  const index = () => S.at && S.at.length === y.row.length ? S.at.map((k, axis) => Math.min(k, y.row[axis] - 1)) : y.row.map(() => 0);
  const from = () => source.at(0, ...index()) - 1; // of all inputs, one behind the other
  const sizes = xs.map(x => x.size), starts = sizes.map((_, k) => sizes.slice(0, k).reduce((p, q) => p + q, 0));
  const which = k => starts.reduce((found, start, n) => k >= start ? n : found, 0);
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
  const pick = (name, x) => x && pictured(name, x, same(x) ? { ink: false, mark: () => of(x), move: i => { S.at = i; } } : {});
  if (back && !dy) return needless();
  const signs = sign === "mean" ? "+" : sign === "max" || sign === "min" ? ", " : sign;
  return [h("p", { class: "how" }, "Choose a number."), row(back ? [pick("dy", dy), dxs.map((d, k) => pick(`dx[${k}]`, d))] : [xs.map((x, k) => pick(`x[${k}]`, x)), pick("y", y)]),
    live(() => !xs.every(same) ? null : back
      ? table(["", "gradient"], [["dy", num(dy, [S.n, ...index()])], ...dxs.map((d, k) => [`dx[${k}]`, d ? num(d, [S.n, ...of(d)]) : "none needed"])])
      : h("p", { class: "result" }, sign === "mean" ? "mean of " : sign === "max" || sign === "min" ? sign + " of " : "", xs.map((x, k) => [k ? ` ${signs} ` : "", num(x, [S.n, ...of(x)])]), " = ", num(y, [S.n, ...index()], "strong")))];
};
