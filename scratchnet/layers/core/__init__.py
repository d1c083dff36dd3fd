"""The layers that most models are made of."""

from scratchnet.layers.core.dense import Dense
from scratchnet.layers.core.einsum_dense import EinsumDense
from scratchnet.layers.core.embedding import Embedding
from scratchnet.layers.core.identity import Identity
from scratchnet.layers.core.input_layer import Input, InputLayer
from scratchnet.layers.core.lambda_layer import Lambda
from scratchnet.layers.core.masking import Masking
from scratchnet.layers.core.reversible_embedding import ReversibleEmbedding

__all__ = [
    "Dense",
    "EinsumDense",
    "Embedding",
    "Identity",
    "Input",
    "InputLayer",
    "Lambda",
    "Masking",
    "ReversibleEmbedding",
]
