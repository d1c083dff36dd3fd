"""Dense layers that are compared with Keras."""

SEQUENCE = (3, 5, 4)

CASES = [
    ("Dense", {"units": 4, "activation": activation, "use_bias": use_bias}, SEQUENCE)
    for activation in (None, "relu", "softmax", "gelu")
    for use_bias in (True, False)
]
