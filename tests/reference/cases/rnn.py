"""Recurrent layers that are compared with Keras."""

SEQUENCE = (3, 5, 4)


MASK = [[1, 1, 0, 1, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]]


def recurrent_options():
    yield {}
    yield {"return_sequences": True}
    yield {"go_backwards": True, "return_sequences": True}
    yield {"go_backwards": True}
    yield {"use_bias": False}
    yield {"activation": "relu"}
    yield {"activation": "sigmoid", "return_sequences": True}
    yield {"activation": None}
    yield {"activation": "silu"}
    yield {"return_state": True, "return_sequences": True}


def masked(name):
    for options in ({}, {"return_sequences": True}, {"return_sequences": True, "zero_output_for_mask": True}):
        yield name, {"units": 3, **options}, SEQUENCE, {"mask": MASK}
        yield name, {"units": 3, **options, "go_backwards": True, "return_state": True}, SEQUENCE, {"mask": MASK}


def bidirectional():
    for merge_mode in ("concat", "sum", "mul", "ave"):
        for options in ({}, {"return_sequences": True}, {"return_sequences": True, "return_state": True}):
            yield "Bidirectional", {"layer": ("LSTM", {"units": 3, **options}), "merge_mode": merge_mode}, SEQUENCE
    sequences = ("GRU", {"units": 3, "return_sequences": True})
    yield "Bidirectional", {"layer": sequences}, SEQUENCE, {"mask": MASK}
    yield "Bidirectional", {"layer": ("GRU", {"units": 3})}, SEQUENCE, {"mask": MASK}
    other = ("LSTM", {"units": 2, "return_sequences": True, "go_backwards": True})
    yield "Bidirectional", {"layer": sequences, "backward_layer": other}, SEQUENCE


def cells():
    for name in ("SimpleRNNCell", "LSTMCell", "GRUCell"):
        for options in ({}, {"return_sequences": True, "return_state": True}, {"go_backwards": True}):
            yield "RNN", {"cell": (name, {"units": 3}), **options}, SEQUENCE
        for options in ({}, {"return_sequences": True}, {"return_sequences": True, "zero_output_for_mask": True}):
            yield "RNN", {"cell": (name, {"units": 3}), **options}, SEQUENCE, {"mask": MASK}


def images():
    shape, options = (2, 3, 5, 4, 2), {"filters": 3, "kernel_size": (3, 2)}
    for more in (
        {},
        {"padding": "same", "return_sequences": True},
        {"strides": 2, "return_state": True},
        {"dilation_rate": 2, "padding": "same", "go_backwards": True, "use_bias": False},
        {"recurrent_activation": "hard_sigmoid", "activation": "relu", "unit_forget_bias": False},
    ):
        yield "ConvLSTM2D", {**options, **more}, shape
    yield "ConvLSTM1D", {"filters": 2, "kernel_size": 2, "return_sequences": True}, (2, 3, 5, 2)
    yield "ConvLSTM3D", {"filters": 2, "kernel_size": 2, "padding": "same"}, (2, 3, 3, 2, 3, 2)


CASES = [
    *(("SimpleRNN", {"units": 3, **options}, SEQUENCE) for options in recurrent_options()),
    *(("LSTM", {"units": 3, **options}, SEQUENCE) for options in recurrent_options()),
    ("LSTM", {"units": 3, "recurrent_activation": "hard_sigmoid"}, SEQUENCE),
    ("LSTM", {"units": 3, "unit_forget_bias": False}, SEQUENCE),
    *(("GRU", {"units": 3, **options}, SEQUENCE) for options in recurrent_options()),
    *(("GRU", {"units": 3, "reset_after": False, **options}, SEQUENCE) for options in recurrent_options()),
    ("GRU", {"units": 3, "recurrent_activation": "hard_sigmoid"}, SEQUENCE),
    *(case for name in ("SimpleRNN", "LSTM", "GRU") for case in masked(name)),
    *bidirectional(),
    *cells(),
    *images(),
]
