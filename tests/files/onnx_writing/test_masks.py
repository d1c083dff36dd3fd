"""Masks are tensors of bools in a graph: what reads one counts what it counts."""

import pytest

from scratchnet import layers
from scratchnet.layers import (
    GRU,
    LSTM,
    Attention,
    Bidirectional,
    Dense,
    Embedding,
    Input,
    Masking,
    MultiHeadAttention,
    SimpleRNN,
)  # fmt: skip
from scratchnet.models import Model
from tests.files.onnx_writing.comparing import FILM, SERIES, TOKENS, Leaky, check, data, moved

L = layers


def masked_series():
    """Series of which steps at the beginning, in the middle and at the end do not count; one has none that does."""
    x = data(SERIES)
    x[0, :2] = x[0, 3] = x[1, 4:] = x[2] = 0
    return x


READ_MASKS = {
    "LSTM": lambda x: LSTM(3)(x),
    "LSTM, all steps": lambda x: LSTM(3, return_sequences=True)(x),
    "LSTM, backwards, with states": lambda x: LSTM(3, go_backwards=True, return_sequences=True, return_state=True)(x),
    "GRU": lambda x: GRU(3, return_sequences=True, reset_after=False)(GRU(3, return_sequences=True)(x)),
    "SimpleRNN": lambda x: SimpleRNN(3, zero_output_for_mask=True, return_sequences=True)(x),
    "RNN": lambda x: L.RNN([L.LSTMCell(3), L.GRUCell(2)])(x),
    "Bidirectional": lambda x: Bidirectional(LSTM(3))(Bidirectional(GRU(2, return_sequences=True))(x)),
    "Bidirectional, both": lambda x: Bidirectional(LSTM(3, return_sequences=True), merge_mode=None)(x),
    "TimeDistributed": lambda x: LSTM(3)(L.TimeDistributed(L.GRU(2))(L.Masking()(L.Reshape((3, 2, 4))(x)))),
    "TimeDistributed, of steps": lambda x: LSTM(3)(L.TimeDistributed(LSTM(2))(L.TimeDistributed(L.Reshape((2, 2)))(x))),
    "GlobalAveragePooling1D": lambda x: L.GlobalAveragePooling1D()(Dense(3)(L.Dropout(0.5)(x))),
    "GlobalAveragePooling1D, keepdims": lambda x: L.GlobalAveragePooling1D(keepdims=True)(x),
    "Attention": lambda x: Attention()([x, x]),
    "MultiHeadAttention": lambda x: MultiHeadAttention(2, 3)(x, x),
    "MultiHeadAttention, causal, with scores": lambda x: list(
        MultiHeadAttention(2, 3)(x, x, use_causal_mask=True, return_attention_scores=True)
    ),
    "Add": lambda x: LSTM(3)(L.Add()([x, Dense(4)(x)])),
    "Concatenate": lambda x: LSTM(3)(L.Concatenate(axis=1)([x, Dense(4)(x)])),
    "Concatenate, channels": lambda x: LSTM(3)(L.Concatenate()([x, Dense(4)(x)])),
    "Concatenate, some without": lambda x: LSTM(3)(L.Concatenate(axis=1)([L.Reshape(SERIES)(x), x])),
    "Concatenate, none": lambda x: LSTM(3)(L.Concatenate()([L.Reshape(SERIES)(x), L.Reshape(SERIES)(x)])),
    "Multiply": lambda x: LSTM(3)(L.Multiply()([x, L.Masking(0.5)(Dense(4)(x))])),
    "Multiply, one": lambda x: L.Multiply()([x, L.Reshape(SERIES)(x)]),
    "Maximum": lambda x: LSTM(3)(L.Maximum()([x, L.Masking(0.5)(Dense(4)(x)), x])),
    "Minimum, one": lambda x: L.Minimum()([Dense(4)(L.Reshape(SERIES)(x)), x]),
    "a cell of one's own": lambda x: L.RNN(L.StackedRNNCells([Leaky(3)]), return_sequences=True)(x),
    "BatchNormalization": lambda x: LSTM(3)(L.BatchNormalization()(x)),
}


@pytest.mark.parametrize("name", READ_MASKS)
def test_masks_are_written_as_tensors(tmp_path, name):
    inputs = Input(SERIES)
    check(moved(Model(inputs, READ_MASKS[name](Masking()(inputs)))), str(tmp_path / "m.onnx"), masked_series())


def test_masks_of_tokens_and_through_models(tmp_path):
    inputs, series = Input((6,), dtype="int32"), Input((6, 3))
    encoder = Model(series, Bidirectional(LSTM(3, return_sequences=True))(series))
    x = encoder(Embedding(10, 3, mask_zero=True)(inputs))
    tokens = data(TOKENS)
    tokens[:, 3:] = tokens[1] = 0
    check(moved(Model(inputs, Dense(2)(LSTM(4)(x)))), str(tmp_path / "m.onnx"), tokens)


def test_masks_of_images_in_time(tmp_path):
    inputs, x = Input(FILM), data(FILM)
    x[0, 1:3] = x[1, 0] = 0
    model = Model(inputs, L.ConvLSTM2D(2, 3, padding="same", return_sequences=True)(Masking()(inputs)))
    check(moved(model), str(tmp_path / "m.onnx"), x)


def test_softmax_of_what_counts(tmp_path):
    class Last(layers.Layer):
        def __init__(self):
            super().__init__()
            self.softmax = L.Softmax()

        def call(self, x):
            return self.softmax(x, mask=x > 0)

    inputs = Input((4, 5))
    check(Model(inputs, Last()(inputs)), str(tmp_path / "m.onnx"), data((4, 5)))


def test_a_mask_of_something_else_is_refused(tmp_path):
    class Last(layers.Layer):
        def forward(self, x, training=False, mask=None):
            return x, None

    inputs = Input(SERIES)
    model = Model(inputs, Last()(Masking()(inputs)))
    with pytest.raises(ValueError, match="cannot be exported to ONNX: "):
        model.export(tmp_path / "m.onnx")
