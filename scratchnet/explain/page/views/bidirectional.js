// ---- two directions ----

VIEWS.bidirectional = (call, back) => {
  const a = T(call.inside.a), b = T(call.inside.b), da = T(call.inside.da), db = T(call.inside.db), x = one(call.x), y = one(call.y), dy = one(call.dy), dx = one(call.dx), mode = call.options.mode;
  if (!a || call.x.length > 1) return VIEWS.generic(call, back);
  if (back && !da) return needless();
  const U = a.row[a.row.length - 1], steps = a.row.length > 1 ? a.row[0] : 1, seq = a.row.length > 1, of = (t, u) => seq ? [S.n, t, u] : [S.n, u];
  const width = y.row[y.row.length - 1];
  clampTo("t", steps); if (S.u === null) S.u = 0; clampTo("u", width);
  const isB = () => mode === "concat" && S.u >= U, unit = () => isB() ? S.u - U : S.u % U;
  const pic = (name, label, tensor, merged, side) => tensor && picture({ name, label, note: shapeText(tensor.row), rows: steps, cols: tensor.row[tensor.row.length - 1], value: (t, u) => tensor.at(...of(t, u)), range: tensor.biggest || 1, family: back ? "gradients" : "values", width: 150, height: Math.max(20, Math.min(200, 14 * steps)), stretch: true,
    at: (t, u) => `${name}[${of(t, u).slice(1).join(", ")}]`, mark: () => merged ? [S.t, S.u] : mode === "concat" && isB() !== (side === "b") ? null : [S.t, unit()], move: (t, u) => { S.t = t; S.u = merged || mode !== "concat" || side === "a" ? u : u + U; } });
  const name = k => M.calls[call.calls[k]] ? M.calls[call.calls[k]].name : "";
  const parts = back ? [pic("dy", "dy", dy, true), pic("da", `da, to ${name(0)}`, da, false, "a"), pic("db", `db, to ${name(1)}`, db, false, "b")]
    : [pic("a", `a: ${name(0)}, reads ↓`, a, false, "a"), pic("b", `b: ${name(1)}, reads ↑`, b, false, "b"), pic("y", "y", y, true)];
  const where = (n, u) => `${n}[${of(S.t, u).slice(1).join(", ")}]`, val = (tensor, u, kind) => num(tensor, of(S.t, u), kind);
  return [h("p", { class: "how" }, seq ? "Two layers read the same sequence, one from its beginning, one from its end; b stands in the order of x. [ ] step, f F unit." : "Two layers read the same sequence, one from its beginning, one from its end. f F: unit."), row(parts),
    live(() => {
      const u = S.u, v = unit(), line = (...kids) => h("p", { class: "result" }, kids);
      if (!back) return mode === "concat" ? line(`${where("y", u)} = ${where(isB() ? "b" : "a", v)} = `, val(isB() ? b : a, v), " = ", val(y, u, "strong"))
        : line(`${where("y", u)} = `, mode === "ave" ? "(" : "", val(a, u), mode === "mul" ? " · " : " + ", val(b, u), mode === "ave" ? ") / 2" : "", " = ", plain(mode === "mul" ? a.at(...of(S.t, u)) * b.at(...of(S.t, u)) : (a.at(...of(S.t, u)) + b.at(...of(S.t, u))) / (mode === "ave" ? 2 : 1)), " (the layer: ", val(y, u, "strong"), ")");
      if (mode === "concat") return line(`${where(isB() ? "db" : "da", v)} = ${where("dy", u)} = `, val(dy, u), " = ", val(isB() ? db : da, v, "strong"));
      return [["da", b, da], ["db", a, db]].map(([n, other, own]) => line(`${where(n, u)} = dy`, mode === "mul" ? ` · ${n === "da" ? "b" : "a"} = ` : mode === "ave" ? " / 2 = " : " = ", val(dy, u), mode === "mul" ? [" · ", val(other, u)] : mode === "ave" ? " / 2" : "", " = ", val(own, u, "strong")));
    }),
    back && dx ? sumOfDx(call, dx) : null];
};
// dx is the sum of what both hand back: of one step and feature.
function sumOfDx(call, dx) {
  const [p, q] = call.calls.map(k => one(M.calls[k].dx));
  if (!p || !q || dx.row.length !== 2) return null;
  clampTo("p", dx.row[0]); clampTo("d", dx.row[1]);
  const pic = (name, tensor) => pictured(name, tensor, { upright: false, width: 120, height: 160, mark: () => [S.p, S.d], move: i => { [S.p, S.d] = i; } });
  return section("dx: the sum of what both hand back", row(pic("dx of a", p), pic("dx of b", q), pic("dx", dx)), live(() => { const at = [S.n, S.p, S.d];
    return sumTable(`dx[${S.p}, ${S.d}]`, ["from", "number"], [{ cells: ["a"], value: p.at(...at) }, { cells: ["b"], value: q.at(...at) }], [], "dx", num(dx, at)); }));
}
