"""Pooling that is compared with Keras."""

IMAGE, SEQUENCE, VOLUME = (3, 7, 6, 2), (3, 7, 4), (2, 5, 6, 4, 2)


def pool_options():
    for padding in ("valid", "same"):
        for pool, strides in ((2, None), (3, 2), ((1, 2), (2, 1)), (2, 3)):
            yield {"pool_size": pool, "strides": strides, "padding": padding}


CASES = [
    *(
        (f"Adaptive{kind}Pooling{rank}D", {"output_size": size}, shape)
        for kind in ("Average", "Max")
        for rank, size, shape in ((1, 3, SEQUENCE), (2, (2, 4), IMAGE), (2, 7, IMAGE), (3, (2, 4, 3), VOLUME))
    ),
    *(("MaxPooling2D", options, IMAGE) for options in pool_options()),
    *(("AveragePooling2D", options, IMAGE) for options in pool_options()),
    *(
        (name, {"pool_size": 3, "strides": strides, "padding": padding}, SEQUENCE)
        for name in ("MaxPooling1D", "AveragePooling1D")
        for strides in (None, 2)
        for padding in ("valid", "same")
    ),
    *(
        (name, {"pool_size": (2, 3, 2), "strides": strides, "padding": padding}, VOLUME)
        for name in ("MaxPooling3D", "AveragePooling3D")
        for strides in (None, (2, 1, 3))
        for padding in ("valid", "same")
    ),
    *(
        (f"Global{kind}Pooling{rank}D", {"keepdims": keepdims}, shape)
        for kind in ("Average", "Max")
        for rank, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))
        for keepdims in (False, True)
    ),
]
