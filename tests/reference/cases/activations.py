"""Activations that are compared with Keras."""

SEQUENCE = (3, 5, 4)
FUNCTIONS = "relu elu selu softplus silu leaky_relu tanh log_softmax hard_sigmoid softsign".split()

CASES = [
    *(("Activation", {"activation": function}, SEQUENCE) for function in FUNCTIONS),
    ("LeakyReLU", {"negative_slope": 0.1}, SEQUENCE),
    *(("ELU", {"alpha": alpha}, SEQUENCE) for alpha in (0.7, -0.7)),
    *(("Softmax", {"axis": axis}, SEQUENCE) for axis in (0, [0, -1])),
    ("PReLU", {}, SEQUENCE),
    ("PReLU", {"shared_axes": [1]}, SEQUENCE),
    ("PReLU", {"shared_axes": [-1]}, SEQUENCE),
    ("PReLU", {"shared_axes": [0]}, SEQUENCE),
]
