"""Recurrent layers that are compared with Keras."""

SEQUENCE = (3, 5, 4)


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


CASES = [
    *(("SimpleRNN", {"units": 3, **options}, SEQUENCE) for options in recurrent_options()),
    *(("LSTM", {"units": 3, **options}, SEQUENCE) for options in recurrent_options()),
    ("LSTM", {"units": 3, "recurrent_activation": "hard_sigmoid"}, SEQUENCE),
    ("LSTM", {"units": 3, "unit_forget_bias": False}, SEQUENCE),
]
