"""Bidirectional: what the two directions found, side by side, and how it is merged. Within it each has its own view."""

from scratchnet.explain.views.base import Line, View
from scratchnet.layers import Bidirectional


def _both(layer, call):
    """a and b, what the layers that go forward and backward gave, in the order of x; behind a pass back da and db."""
    if layer.merge_mode is None:
        return {}
    found = {"a": call.cache.a, "b": call.cache.b}
    dy = call.dy[0] if isinstance(call.dy, list) else call.dy
    if dy is not None:
        found["da"], found["db"] = layer.merge_adjoint(dy, call.cache.a, call.cache.b)
    return found


def _when(mode):
    return lambda layer: layer.merge_mode == mode


_MERGE, _ADJOINT = Bidirectional._merge, Bidirectional.merge_adjoint
_RETURN_SUM = "return a + b if self.merge_mode == "
BIDIRECTIONAL = {
    Bidirectional: View(
        "bidirectional",
        _both,
        (
            Line("y", "y = [ a , b ]", _MERGE, "return np.concatenate([a, b], axis=-1)", _when("concat")),
            Line("y", "y = a ⊙ b", _MERGE, "return a * b", _when("mul")),
            Line("y", "y = a + b", _MERGE, _RETURN_SUM, _when("sum")),
            Line("y", "y = ( a + b ) / 2", _MERGE, _RETURN_SUM, _when("ave")),
        ),
        (
            Line("da", "[ da , db ] = dy", _ADJOINT, "return dy[..., : a.shape[-1]]", _when("concat")),
            Line("da", "da = dy ⊙ b , db = dy ⊙ a", _ADJOINT, "return dy * b, dy * a", _when("mul")),
            Line("da", "da = db = dy", _ADJOINT, "return (dy, dy) if self.merge_mode", _when("sum")),
            Line("da", "da = db = dy / 2", _ADJOINT, "return (dy, dy) if self.merge_mode", _when("ave")),
            Line("dx", "dx = dx_a + dx_b", Bidirectional.backward, "return dx + other_dx, grads  # both have read x"),
        ),
        lambda layer, call: {"mode": layer.merge_mode},
    )
}
