// ---- the LSTM of images: every gate is a map ----

VIEWS["rnn-conv"] = (call, back) => {
  const I = Object.fromEntries(Object.entries(call.inside).map(([name, id]) => [name, T(id)])), x = one(call.x), W = T(call.params.kernel), R = T(call.params.recurrent_kernel), b = T(call.params.bias);
  if (!I.h || I.h.row.length !== 4 || call.x.length > 1) return VIEWS.generic(call, back);
  if (back && !I.dh) return needless();
  const [T1, H, V, F] = I.h.row, Tn = T1 - 1, [, , , C] = x.row, { of_x, of_h, activation, backwards, plain: whole } = call.options, act = FUNCTIONS[activation];
  if (S.i === undefined && S.j === undefined) { S.f = S.f || 0; S.t = S.t || Tn - 1; let best = -1; clampTo("t", Tn); clampTo("f", F); for (let r = 0; r < H; r++) for (let c = 0; c < V; c++) { const v = Math.abs(I.h.at(S.n, S.t + 1, r, c, S.f)); if (v > best) { best = v; [S.i, S.j] = [r, c]; } } }
  clampTo("t", Tn); clampTo("f", F); clampTo("c", C); clampTo("i", H); clampTo("j", V); clampTo("a", 4);
  const later = tensor => tensor.row[0] > Tn ? 1 : 0, step = () => backwards ? Tn - 1 - S.t : S.t, drawn = S.t;
  const map = (name, word, shift) => { const tensor = I[name], t = S.t + (shift === undefined ? later(tensor) : shift); return picture({ name: `${name}[t=${t - later(tensor)}]`, label: word ? `${name} ${word}` : name, rows: H, cols: V, value: (r, c) => tensor.at(S.n, t, r, c, S.f), range: tensor.biggest || 1, family: name[0] === "d" ? "gradients" : "values", width: 100, height: 100, stretch: true,
    at: (r, c) => `${name}[t=${t - later(tensor)}, ${r}, ${c}, unit ${S.f}]`, mark: () => [S.i, S.j], move: (r, c) => { S.i = r; S.j = c; } }); };
  const xMap = picture({ name: `x[t=${step()}, :, :, ${S.c}]`, label: "x", rows: x.row[1], cols: x.row[2], value: (r, c) => x.at(S.n, step(), r, c, S.c), ink: inkOf(x), range: x.biggest || 1, width: 100, height: 100, stretch: true, at: (r, c) => `x[t=${step()}, ${r}, ${c}, ${S.c}]` });
  const at = (name, shift) => [S.n, S.t + (shift === undefined ? later(I[name]) : shift), S.i, S.j, S.f], v = (name, shift) => I[name].at(...at(name, shift)), n = (name, shift, kind) => num(I[name], at(name, shift), kind);
  const series = name => Array.from({ length: Tn }, (_, t) => I[name].at(S.n, t + later(I[name]), S.i, S.j, S.f));
  const again = draw => live(() => { if (S.t !== drawn) { setTimeout(redraw); return null; } return draw(); }); // other maps at another time
  const head = [h("p", { class: "how" }, "Step ", h("b", {}, "t = " + S.t), ` of ${Tn}. [ ] time; f F unit; click a map, or arrows in it, for a place.`), choose("step", "t", Tn), choose("unit", "f", F), choose("channel of x", "c", C)];
  if (back) return [head, row(["dh", "dc", "di", "df", "dg", "do"].map(name => map(name))), again(() => {
    const fromNext = S.t + 1 < Tn ? I.dc.at(S.n, S.t + 1, S.i, S.j, S.f) * I.f.at(S.n, S.t + 1, S.i, S.j, S.f) : 0, slope = act ? act[1](v("c"), act[0](v("c"))) : null;
    const products = [["di", "g", n("g"), v("g")], ["df", "c before", n("c", 0), v("c", 0)], ["dg", "i", n("i"), v("i")]]
      .map(([name, word, shown, value]) => [`${name} = dc · ${word}`, n("dc"), shown, plain(v("dc") * value), n(name, undefined, "strong")]);
    return [slope === null ? null : sumTable(`dc at [${S.i}, ${S.j}], unit ${S.f}`, ["", "number"], [{ cells: [`dh·o·${activation}′`], value: v("dh") * v("o") * slope }, { cells: ["f·dc of t+1"], value: fromNext }], [], "dc", n("dc")),
      table(["", "dc", "", "product", "the layer"], products),
      act ? h("p", { class: "result" }, `do = dh · ${activation}(c) = `, n("dh"), " · ", plain(act[0](v("c"))), " = ", plain(v("dh") * act[0](v("c"))), " (the layer: ", n("do", undefined, "strong"), ")") : null]; }),
    section("This place through time", again(() => chart(["dh", "dc"].map((name, k) => ({ name, kind: "cd"[k], values: series(name) })), Tn, { t: () => S.t, loose: true, label: "gradients of the place through time" })))];
  return [head, row(xMap, map("h", "before", 0), map("c", "before", 0)), row(map("i", "input"), map("f", "forget"), map("g", "cand."), map("o", "output"), map("c", "cell"), map("h", "state")), again(() => [
    h("div", { class: "beside" }, h("div", {}, sumTable(`c at [${S.i}, ${S.j}], unit ${S.f}`, ["", "", "", "product"], [{ cells: ["f·c before", n("f"), n("c", 0)], value: v("f") * v("c", 0) }, { cells: ["i·g", n("i"), n("g")], value: v("i") * v("g") }], [], "c", n("c")),
        act ? [h("p", { class: "result" }, `h = o · ${activation}(c) = `, n("o"), " · ", plain(act[0](v("c")))), h("p", { class: "result" }, "= ", plain(v("o") * act[0](v("c"))), " (the layer: ", n("h", undefined, "strong"), ")")] : null),
      h("div", {}, choose("pre-activation of", "a", 4, k => "ifgo"[k]), whole ? windowSum() : h("p", { class: "note" }, "Each gate sees its own part of x and h: the rest was dropped."))),
    ]), section("This place through time", again(() => [chart(["i", "f", "o"].map((name, k) => ({ name, kind: "abcd"[k], values: series(name) })), Tn, { t: () => S.t, loose: true, label: "gates of the place through time" }),
    chart(["c", "h"].map((name, k) => ({ name, kind: "cd"[k], values: series(name) })), Tn, { t: () => S.t, loose: true, label: "states of the place through time" })]))];
  // z of a gate: a window of x_t times W, and one of h_(t-1) times R.
  function windowSum() {
    const unit = S.a * F + S.f, terms = [];
    for (const [name, tensor, kernel, g, t] of [["x", x, W, of_x, step()], ["h", I.h, R, of_h, S.t]]) {
      const [KH, KW, CK] = kernel.stored, [, HT, WT] = tensor.row;
      for (let a = 0; a < KH; a++) for (let e = 0; e < KW; e++) {
        const p = S.i * g.strides[0] + a * g.dilation[0] - g.padding[0], q = S.j * g.strides[1] + e * g.dilation[1] - g.padding[1];
        if (p < 0 || q < 0 || p >= HT || q >= WT) continue;
        for (let c = 0; c < CK; c++) terms.push({ cells: [`${name}[${p}, ${q}, ${c}]`, num(tensor, [S.n, t, p, q, c]), num(kernel, [a, e, c, unit])], value: tensor.at(S.n, t, p, q, c) * kernel.at(a, e, c, unit) });
      }
    }
    return sumTable(`z of ${"ifgo"[S.a]}: x with W, h before with R`, ["of", "number", "kernel", "product"], terms, b ? [{ cells: "bias", value: b.at(unit) }] : [], "z", I.z ? num(I.z, [S.n, S.t, S.i, S.j, unit]) : null, 6);
  }
};
