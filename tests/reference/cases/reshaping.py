"""Layers that move numbers about, compared with Keras."""

IMAGE, SEQUENCE, VOLUME = (3, 7, 6, 2), (3, 5, 4), (2, 4, 5, 3, 2)

# Not "bicubic": TensorFlow looks its kernel up in a table of 1,024 entries and is off by a thousandth.

CASES = [
    ("UpSampling2D", {"size": (2, 3)}, IMAGE),
    *(("UpSampling2D", {"size": (2, 3), "interpolation": kind}, IMAGE) for kind in ("bilinear", "lanczos3")),
    ("UpSampling1D", {"size": 3}, SEQUENCE),
    ("UpSampling3D", {"size": (2, 1, 3)}, VOLUME),
    ("Flatten", {}, IMAGE),
    ("Reshape", {"target_shape": (6, -1)}, IMAGE),
    ("RepeatVector", {"n": 3}, (3, 4)),
    ("Permute", {"dims": (3, 1, 2)}, IMAGE),
    ("ZeroPadding1D", {"padding": (1, 2)}, SEQUENCE),
    *(("ZeroPadding2D", {"padding": padding}, IMAGE) for padding in (1, (1, 2), ((0, 1), (2, 3)))),
    ("ZeroPadding3D", {"padding": (1, 0, 2)}, VOLUME),
    ("Cropping1D", {"cropping": (1, 2)}, SEQUENCE),
    *(("Cropping2D", {"cropping": cropping}, IMAGE) for cropping in (1, (1, 2), ((0, 1), (2, 3)))),
    ("Cropping3D", {"cropping": ((1, 0), (0, 2), (1, 1))}, VOLUME),
]
