"""Images made larger or smaller at random: the new pixels lie z times as far from the middle of the old image.

x - cx = z_x (X - cx)        y - cy = z_y (Y - cy)        (cx, cy) = ((W - 1) / 2, (H - 1) / 2)
"""

from typing import Any

from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.image_layer import check_range
from scratchnet.layers.preprocessing.images.random_mapping import RandomAffine
from scratchnet.registry import register


@register("layers")
class RandomZoom(RandomAffine):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        height_factor: z_y - 1: two numbers in (-1, 1], or one for both signs; negative ones make the image larger.
        width_factor: z_x - 1; by default the image keeps its proportions.
        fill_mode: what is seen where there is no pixel: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.
        fill_value: what is seen with "constant".
        data_format: "channels_last" or "channels_first".

    Raises ValueError for invalid factors, modes and interpolations.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Seed = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._height = check_range(self, "height_factor", height_factor, -1, 1, above=True)
        self._width = (
            None if width_factor is None else check_range(self, "width_factor", width_factor, -1, 1, above=True)
        )

    def draw(self, shape):
        u = self.random.uniform((shape[0], 2))
        (low, high), (narrow, wide) = self._height, self._width or self._height
        height_zoom = 1 + low + (high - low) * u[:, :1]  # (N, 1)
        width_zoom = height_zoom if self._width is None else 1 + narrow + (wide - narrow) * u[:, 1:]
        return {"height_zoom": height_zoom, "width_zoom": width_zoom}

    def matrices(self, drawn, H, W):
        zx, zy = drawn["width_zoom"][:, 0], drawn["height_zoom"][:, 0]
        return zx, 0, (1 - zx) * (W - 1) / 2, 0, zy, (1 - zy) * (H - 1) / 2
