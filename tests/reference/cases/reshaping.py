"""Layers that move numbers about, compared with Keras."""

IMAGE = (3, 7, 6, 2)

CASES = [
    ("UpSampling2D", {"size": (2, 3)}, IMAGE),
    ("Flatten", {}, IMAGE),
    ("Reshape", {"target_shape": (6, -1)}, IMAGE),
    ("RepeatVector", {"n": 3}, (3, 4)),
]
