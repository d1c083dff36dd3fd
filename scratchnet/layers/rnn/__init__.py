"""Layers that go through time."""

from scratchnet.layers.rnn.bidirectional import Bidirectional
from scratchnet.layers.rnn.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from scratchnet.layers.rnn.gru import GRU
from scratchnet.layers.rnn.gru_cell import GRUCell
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.layers.rnn.lstm_cell import LSTMCell
from scratchnet.layers.rnn.rnn import RNN
from scratchnet.layers.rnn.simple_rnn import SimpleRNN
from scratchnet.layers.rnn.simple_rnn_cell import SimpleRNNCell
from scratchnet.layers.rnn.stacked_rnn_cells import StackedRNNCells
from scratchnet.layers.rnn.time_distributed import TimeDistributed

__all__ = [
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "RNN",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "TimeDistributed",
]
