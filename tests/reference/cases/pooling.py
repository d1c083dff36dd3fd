"""Pooling that is compared with Keras."""

IMAGE = (3, 7, 6, 2)


def pool_options():
    for padding in ("valid", "same"):
        for pool, strides in ((2, None), (3, 2), ((1, 2), (2, 1)), (2, 3)):
            yield {"pool_size": pool, "strides": strides, "padding": padding}


CASES = [
    *(("MaxPooling2D", options, IMAGE) for options in pool_options()),
    *(("AveragePooling2D", options, IMAGE) for options in pool_options()),
    ("GlobalAveragePooling2D", {}, IMAGE),
]
