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
const apart = (k, shape) => { const out = []; for (const n of shape.slice().reverse()) { out.unshift(k % n); k = Math.floor(k / n); } return out; };
const flat = (index, shape) => index.reduce((place, k, axis) => place * shape[axis] + k, 0);
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
