"""Convolutions that are compared with Keras."""

IMAGE = (3, 7, 6, 2)


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


CASES = [
    *(
        ("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2, **options}, (2, 7, 6, 4))
        for options in ({}, {"strides": 2})
    ),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 2, "padding": "same"}, IMAGE),
    *(("Conv2D", options, IMAGE) for options in conv_options()),
    ("Conv2D", {"filters": 1, "kernel_size": 3, "padding": "same", "activation": "sigmoid"}, (2, 6, 6, 8)),
]
