"""Convolutions that are compared with Keras."""

IMAGE, SEQUENCE, VOLUME = (3, 7, 6, 2), (3, 8, 4), (2, 5, 4, 6, 2)


def conv_options():
    for padding in ("valid", "same"):
        for options in (
            {},
            {"strides": 2},
            {"strides": (3, 1)},
            {"dilation_rate": 2},
            {"use_bias": False},
            {"kernel_size": (2, 4)},
            {"kernel_size": 1, "strides": 2},
        ):
            yield {"filters": 3, "kernel_size": 3, "padding": padding, **options}


def of_each_padding(name, shape, *all_options, paddings=("valid", "same"), **common):
    for padding in paddings:
        for options in all_options:
            yield name, {**common, "padding": padding, **options}, shape


CASES = [
    *(("Conv2D", options, IMAGE) for options in conv_options()),
    ("Conv2D", {"filters": 1, "kernel_size": 3, "padding": "same", "activation": "sigmoid"}, (2, 6, 6, 8)),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 2}, (2, 6, 6, 4)),
    *of_each_padding(
        "Conv1D",
        SEQUENCE,
        {},
        {"dilation_rate": 2},
        {"strides": 2, "activation": "tanh"},
        {"groups": 2, "filters": 4},
        paddings=("valid", "same", "causal"),
        filters=3,
        kernel_size=3,
    ),
    *of_each_padding(
        "Conv2DTranspose",
        IMAGE,
        {},
        {"strides": 2},
        {"strides": 2, "kernel_size": 2, "use_bias": False},
        {"strides": (3, 2), "kernel_size": (2, 4), "activation": "relu"},
        {"strides": 2, "output_padding": 1},
        {"strides": (3, 2), "output_padding": (2, 0)},
        filters=3,
        kernel_size=3,
    ),
    *of_each_padding(
        "Conv1DTranspose", SEQUENCE, {}, {"strides": 2}, {"strides": 3, "kernel_size": 2}, filters=3, kernel_size=3
    ),
    *of_each_padding(
        "Conv3D", VOLUME, {}, {"strides": (2, 1, 2)}, {"groups": 2, "filters": 4}, filters=3, kernel_size=(3, 2, 3)
    ),
    *of_each_padding("Conv3DTranspose", VOLUME, {}, {"strides": 2}, filters=3, kernel_size=(3, 2, 2)),
    *of_each_padding(
        "DepthwiseConv2D", IMAGE, {}, {"strides": 2, "depth_multiplier": 3}, {"activation": "relu"}, kernel_size=3
    ),
    *of_each_padding("DepthwiseConv1D", SEQUENCE, {}, {"strides": 2, "depth_multiplier": 2}, kernel_size=3),
    *of_each_padding(
        "SeparableConv2D",
        IMAGE,
        {},
        {"strides": 2, "depth_multiplier": 3, "activation": "relu"},
        filters=5,
        kernel_size=3,
    ),
    *of_each_padding(
        "SeparableConv1D", SEQUENCE, {}, {"depth_multiplier": 2, "use_bias": False}, filters=5, kernel_size=3
    ),
]
