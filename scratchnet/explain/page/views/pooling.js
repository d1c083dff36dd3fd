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
