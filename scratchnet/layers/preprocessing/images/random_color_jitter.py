"""Brightness, contrast, saturation and hue, each changed at random, one after the other."""

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer, check_value_range
from scratchnet.layers.preprocessing.images.random_brightness import RandomBrightness
from scratchnet.layers.preprocessing.images.random_contrast import RandomContrast
from scratchnet.layers.preprocessing.images.random_hue import RandomHue
from scratchnet.layers.preprocessing.images.random_saturation import RandomSaturation
from scratchnet.registry import register


@register("layers")
class RandomColorJitter(RandomImageLayer):
    """(N, H, W, 3) -> (N, H, W, 3), in training.

    Args:
        value_range: the smallest and the largest value of a pixel.
        brightness_factor, contrast_factor, saturation_factor, hue_factor: those of `RandomBrightness` and so on; None
            leaves that alone.
        seed: an integer of at least 0 makes the numbers repeatable by themselves.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for an invalid factor or range.
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: Seed = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed, data_format, **kwargs)
        self.value_range = check_value_range(self, value_range)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        self._parts = {}
        for name, factor, cls in (
            ("brightness", brightness_factor, RandomBrightness),
            ("contrast", contrast_factor, RandomContrast),
            ("saturation", saturation_factor, RandomSaturation),
            ("hue", hue_factor, RandomHue),
        ):
            if factor is not None:
                self._parts[name] = cls(factor, value_range, name=name, dtype=self.dtype)
                self._parts[name].random = self.random  # one stream: what each draws comes behind what others drew

    def image_shape(self, shape):
        for part in self._parts.values():
            shape = part.image_shape(shape)
        return shape

    def draw(self, shape):
        return {name: part.draw(shape) for name, part in self._parts.items()}

    def transform(self, x, drawn):
        kept = {}
        for name, part in self._parts.items():
            x, kept[name] = part.transform(x, drawn[name])
        return x, kept

    def transform_backward(self, dy, drawn, kept):
        for name, part in reversed(self._parts.items()):
            dy = part.transform_backward(dy, drawn[name], kept[name])
        return dy
