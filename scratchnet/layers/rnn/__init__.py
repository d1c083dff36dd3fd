"""Layers that go through time."""

from scratchnet.layers.rnn.bidirectional import Bidirectional
from scratchnet.layers.rnn.gru import GRU
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.layers.rnn.simple_rnn import SimpleRNN
from scratchnet.layers.rnn.time_distributed import TimeDistributed

__all__ = [
    "Bidirectional",
    "GRU",
    "LSTM",
    "SimpleRNN",
    "TimeDistributed",
]
