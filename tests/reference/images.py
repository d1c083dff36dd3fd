"""Image layers with what they draw given: written once for both libraries. ``python images.py`` stores Keras's values.

A case is ``(name, options, drawn)``: `drawn` are the numbers that the layer would have drawn, in Keras's names; None
for a layer that draws nothing.
"""

from pathlib import Path
from unittest import mock

import numpy as np

STORED = Path(__file__).parent / "expected" / "images.npz"
RNG = np.random.default_rng(3)
X = np.random.default_rng(4).uniform(0, 255, (2, 5, 6, 3)).astype("float32")
MOVED = {"translations": np.array([[1.25, -2.0], [-7.5, 0.625]])}
TURNED = {"angle": np.array([30.0, -110.0])}
ZOOMED = {"height_zoom": np.array([[0.7], [1.8]]), "width_zoom": np.array([[0.6], [1.5]])}
SHEARED = {"shear_factor": np.array([[0.3, 0.1], [-0.4, -0.8]])}
FLIPPED = {"flips": np.array([True, False]).reshape(2, 1, 1, 1)}
MODES = [
    {"fill_mode": mode, "interpolation": interpolation, "fill_value": 7.0}
    for mode in ("reflect", "wrap", "constant", "nearest")
    for interpolation in ("bilinear", "nearest")
]
BRIGHTER = {"rgb_delta": np.array([60.0, -90.0]).reshape(2, 1, 1, 1)}
CONTRAST = {"contrast_factor": np.array([1.7, 0.3]).reshape(2, 1, 1, 1)}
CHOSEN = np.array([True, False])
STRONGER = {"factor": np.array([3.0, 0.25])}
HUES = [{"factor": np.array(pair)} for pair in ((0.1, -0.3), (0.5, -0.5), (0.02, 0.35))]
BLUR = {"should_apply_blur": CHOSEN, "blur_factor": np.array([0.6, 0.9])}
ERASED = {
    "apply_erasing": np.array([True, True]),
    "batch_masks": np.broadcast_to(np.random.default_rng(7).random((2, 5, 6, 1)) > 0.5, (2, 5, 6, 3)).copy(),
    "fill_value": np.float32(9.0),
}
MIXED = {"mix_weight": np.array([0.8, 0.3]), "permutation_order": np.array([1, 0])}
CUT = {**MIXED, "batch_masks": ERASED["batch_masks"]}
SOLAR = {
    "additions": np.array([20.0, 90.0]).reshape(2, 1, 1, 1),
    "thresholds": np.array([100, 30.0]).reshape(2, 1, 1, 1),
}
SIZES = {"height": 4, "width": 8}
CORNERS = np.array([[0, 0], [5, 0], [0, 4], [5, 4]], "float64")  # of X
TILTED = {
    "apply_perspective": np.array([True, True]),
    "start_points": np.stack([CORNERS, CORNERS]),
    "end_points": CORNERS * np.random.default_rng(5).uniform(0.6, 1.4, (2, 4, 2)),
}
LARGE = np.random.default_rng(6).uniform(0, 255, (2, 24, 22, 1)).astype("float32")  # large enough to smooth the shifts
BENT = {
    "apply_transform": np.array([True, False]),
    "distortion_factor": np.float32(0.95),
    "noise": np.random.default_rng(8).standard_normal((2, 24, 22, 2)),
}

CASES = [
    *(("RandomTranslation", {"height_factor": 0.5, "width_factor": 0.5, **mode}, MOVED) for mode in MODES),
    *(("RandomRotation", {"factor": 0.5, **mode}, TURNED) for mode in MODES),
    *(("RandomZoom", {"height_factor": 0.5, **mode}, ZOOMED) for mode in MODES[::3]),
    *(("RandomShear", {"x_factor": 0.5, **mode}, SHEARED) for mode in MODES[::3]),
    *(("RandomFlip", {"mode": mode}, FLIPPED) for mode in ("horizontal", "vertical", "horizontal_and_vertical")),
    *(
        ("Resizing", {**SIZES, **options}, None)
        for options in (
            *({"interpolation": name} for name in ("bilinear", "nearest", "area", "lanczos3", "lanczos5")),
            {"interpolation": "bicubic", "antialias": True},
            {"crop_to_aspect_ratio": True},
            {"pad_to_aspect_ratio": True, "fill_value": 3.0},
            {"height": 3, "width": 3, "antialias": True},
            {"height": 7, "width": 3, "pad_to_aspect_ratio": True},
        )
    ),
    ("RandomBrightness", {"factor": 0.5}, BRIGHTER),
    ("RandomContrast", {"factor": 0.5}, CONTRAST),
    ("RandomInvert", {}, {"apply_inversion": CHOSEN}),
    ("RandomGrayscale", {}, {"should_apply": CHOSEN.reshape(2, 1, 1, 1)}),
    *(("RandomSaturation", {"factor": 0.5, "value_range": r}, STRONGER) for r in ((0, 255), (0, 1), (0, 0.6))),
    *(("RandomHue", {"factor": 0.5, "value_range": r}, h) for h in HUES for r in ((0, 255), (-20, 300))),
    *(("RandomGaussianBlur", {"kernel_size": size}, BLUR) for size in (3, 5)),
    ("RandomErasing", {}, ERASED),
    *(("AutoContrast", {"value_range": r}, None) for r in ((0, 255), (-100, 300))),
    *(("Equalization", {"value_range": r, "bins": b}, None) for r, b in (((0, 255), 256), ((0, 300), 20))),
    ("RandomColorDegeneration", {"factor": 0.5}, {"factor": np.array([0.4, -0.7]).reshape(2, 1, 1, 1)}),
    ("RandomSharpness", {"factor": 0.5}, {"factor": np.array([0.9, 0.2])}),
    ("RandomPosterization", {"factor": 5}, {"shift_factor": np.array([3, 6], "uint8")}),
    *(("Solarization", {"value_range": r}, SOLAR) for r in ((0, 255), (-50, 260))),
    *(("RandomPerspective", {"interpolation": how, "fill_value": 9.0}, TILTED) for how in ("bilinear", "nearest")),
    ("RandomPerspective", {}, {**TILTED, "apply_perspective": CHOSEN}),
    *(("RandomElasticTransform", {"fill_mode": mode, "fill_value": 9.0}, BENT) for mode in ("nearest", "constant")),
    *(
        ("ContrastLimitedAdaptiveHistogramEqualization", options, None)
        for options in (
            {"tile_grid_size": (2, 2)},
            {"tile_grid_size": (3, 4), "clip_limit": 0, "value_range": (-20, 300)},
            {"tile_grid_size": (1, 2), "clip_limit": 40.0},
        )
    ),
    ("MixUp", {}, MIXED),
    ("CutMix", {}, CUT),
    *(("CenterCrop", {"height": h, "width": w}, None) for h, w in ((2, 3), (5, 6), (7, 4), (3, 9))),
]


def name_of(case):
    name, options, drawn = case
    turned = f" {drawn['factor'].tolist()}" if name == "RandomHue" else ""
    turned = f" {drawn['apply_perspective'].tolist()}" if name == "RandomPerspective" else turned
    return f"{name} {options}{turned}"


def ours(layers, case):
    name, options, drawn = case
    layer = getattr(layers, name)(**options)
    x = LARGE if name == "RandomElasticTransform" else X
    return layer(x, training=True) if drawn is None else layer.transform_images(x, drawn)


def kerass(layers, case):
    name, options, drawn = case
    layer = getattr(layers, name)(**options)
    if drawn is None:
        return np.asarray(layer(X, training=True))
    drawn = {key: value.astype("float32") if value.dtype.kind == "f" else value for key, value in drawn.items()}
    if name == "RandomGrayscale":
        drawn = drawn["should_apply"]
    if name == "RandomRotation":
        zeros, ones = np.zeros(2, "float32"), np.ones(2, "float32")
        angle = layer.backend.convert_to_tensor(drawn["angle"])
        drawn["rotation_matrix"] = layer._compute_affine_matrix(
            0.5, 0.5, angle, zeros, zeros, ones, zeros, zeros, *X.shape[1:3]
        )
    if name == "RandomElasticTransform":
        return with_noise(layer, drawn)
    return np.asarray(layer.transform_images(X, drawn))


def with_noise(layer, drawn):
    """What the layer makes of LARGE, with what it draws on the way, columns first, put in the place of its numbers."""
    import tensorflow as tf

    noise = iter([drawn["noise"][..., 1], drawn["noise"][..., 0]])
    with mock.patch.object(tf.random, "stateless_normal", lambda *_, **__: tf.constant(next(noise))):
        return np.asarray(layer.transform_images(LARGE, {**drawn, "seed": 1}))


if __name__ == "__main__":
    import keras

    np.savez_compressed(STORED, **{name_of(case): kerass(keras.layers, case) for case in CASES})
    print(f"wrote {STORED}: {len(CASES)} cases, {STORED.stat().st_size:,} bytes")
