"""Images tilted at random, as if seen from another side: their corners move, straight lines stay straight.

The place (x, y) that is seen at the pixel (X, Y) is a projective map of it, a quotient with a vanishing line where the
denominator is 0:

    x = (a0 X + a1 Y + a2) / k        y = (b0 X + b1 Y + b2) / k        k = c0 X + c1 Y + 1

Its eight numbers are those that send four new corners to the four old ones. Each corner says, multiplied by k, two
linear equations in them,

    a0 X + a1 Y + a2 - x (c0 X + c1 Y) = x        b0 X + b1 Y + b2 - y (c0 X + c1 Y) = y

eight in all (Hartley and Zisserman, "Multiple view geometry in computer vision", 2000, section 4.1). A new corner is
p + p u with u drawn for itself: the corner (0, 0) stays where it is. The image is linear in the old one, see
`scratchnet.layers.preprocessing.images.mapping`.
"""

import numpy as np

from scratchnet.hints import Any, Seed
from scratchnet.layers.preprocessing.images.image_layer import check_range
from scratchnet.layers.preprocessing.images.random_mapping import RandomMapping
from scratchnet.registry import register


@register("layers")
class RandomPerspective(RandomMapping):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: the probability, itself drawn between two numbers in [0, 1]; one number f stands for (0, f).
        scale: how far corners move: u is drawn between -scale / 2 and scale / 2; in [0, 1].
        interpolation: "bilinear" or "nearest".
        fill_value: what is seen where there is no pixel.
        seed: an integer of at least 0 makes the numbers repeatable by themselves.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for an invalid factor, scale or interpolation.
    """

    unrecorded = (*RandomMapping.unrecorded, "fill_mode")  # there is no choice

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: Seed = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__("constant", interpolation, fill_value, seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, 0, 1, mirrored=False)
        self.scale = check_range(self, "scale", scale, 0, 1)[1]

    def draw(self, shape):
        N, H, W, _ = shape
        chosen = self.chosen(N, self.factor)
        u = self.scale * (self.random.uniform((N, 4, 2)) - 0.5)
        return {"apply_perspective": chosen, "end_points": _corners(H, W) * (1 + u)}  # (N,), (N, 4, 2)

    def places(self, drawn, H, W):
        Y, X = np.mgrid[:H, :W]
        chosen = drawn["apply_perspective"][:, None, None]
        a0, a1, a2, b0, b1, b2, c0, c1 = projective_maps(drawn["end_points"], _corners(H, W)).T[:, :, None, None]
        k = c0 * X + c1 * Y + 1  # (N, H, W)
        vanishing = k == 0
        k = np.where(vanishing, 1, k)
        rows, columns = (b0 * X + b1 * Y + b2) / k, (a0 * X + a1 * Y + a2) / k
        nowhere = -2.0  # none of the four pixels around is in the image
        rows, columns = np.where(vanishing, nowhere, rows), np.where(vanishing, nowhere, columns)
        return np.where(chosen, rows, Y), np.where(chosen, columns, X)


def _corners(H, W):
    """x and y of the four corners: (4, 2)."""
    return np.array([[0, 0], [W - 1, 0], [0, H - 1], [W - 1, H - 1]], np.float64)


def projective_maps(points, images):
    """a0, a1, a2, b0, b1, b2, c0, c1 of the maps that send four points (N, 4, 2) to their images (4, 2): (N, 8)."""
    X, Y = np.moveaxis(np.asarray(points, np.float64), -1, 0)  # (N, 4)
    x, y = images.T  # (4,)
    zeros, ones = np.zeros_like(X), np.ones_like(X)
    of_x = np.stack([X, Y, ones, zeros, zeros, zeros, -x * X, -x * Y], axis=-1)  # (N, 4, 8)
    of_y = np.stack([zeros, zeros, zeros, X, Y, ones, -y * X, -y * Y], axis=-1)
    A = np.concatenate([of_x, of_y], axis=1)  # (N, 8, 8)
    b = np.broadcast_to(np.concatenate([x, y]), A.shape[:2])[..., None]  # (N, 8, 1)
    return np.linalg.solve(A, b)[..., 0]
