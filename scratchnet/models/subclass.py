"""Models that are written as a class with `call`: it is traced, and what results is a graph like that of other models.

    class Autoencoder(Model):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = Dense(32, activation="relu"), Dense(784, activation="sigmoid")

        def call(self, x):
            return self.decoder(self.encoder(x))

Such a model is built for the first data that it sees, or by `build`; it is traced anew for data of other shapes.
"""

import numpy as np

from scratchnet import registry
from scratchnet.graph.walk import first_non_finite
from scratchnet.layers.base import Layer
from scratchnet.layers.sublayers import HoldsLayers
from scratchnet.layers.traced import EndingInLogits, Traced
from scratchnet.structure import as_lists, flatten


class TracedModel(Traced):
    """What a class gets among its bases that derives from `Model` and defines `call`."""

    supports_masking = False

    # ---- the graph of the data that the model was built for ----

    _first_call = None  # the Arguments of that call

    def traced(self, arguments, masked, training, logits=()):
        found = super().traced(arguments, masked, training, logits)
        if self._first_call is None and not any(masked):
            self._first_call = arguments
        return found

    def _first(self, training=False):
        call = self._first_call
        return None if call is None else self.traced(call, [False] * len(call.specs), training)

    @property
    def graph(self):
        """What `call` does in inference; None before the model is built."""
        first = self._first()
        return None if first is None else first.graph

    @property
    def inputs(self):
        return [] if self._first_call is None else self.graph.inputs

    @property
    def outputs(self):
        first = self._first()
        return [] if first is None else flatten(first.outputs)

    @property
    def _input_structure(self):
        by_name = list(self._first_call.by_name(self.inputs).values())
        return as_lists(by_name[0]) if len(by_name) == 1 else self.inputs

    @property
    def _output_structure(self):
        return self._first().outputs

    @property
    def names_outputs(self):
        return isinstance(self._output_structure, dict)

    @property
    def layers(self):
        """The layers in the attributes, in their order."""
        return list(dict.fromkeys(self.sublayers.values()))

    _layers = operations = layers
    input_layers = ()
    weight_keys = HoldsLayers.weight_keys

    @property
    def in_one_part(self):
        calls = [self._first(training) for training in (False, True)]
        return any(call.counted or call.graph.in_one_part for call in calls)

    # ---- training ----

    def forward(self, x, training=False, mask=None, arguments=None, logits=()):
        """As of every layer. In a step of fit, layers within train where `call` asks for `training`, as in Keras 3."""
        if training and arguments is None and "training" not in self.call_signature.parameters:
            training = None  # nobody says it to them
        return super().forward(x, training, mask, arguments, logits)

    def build_on(self, x):
        """Build for data: an array, or a structure of arrays."""
        self.traced(self._arguments_of(x), [False] * len(flatten(x)), False)

    def trace_ahead(self, modes=(False, True)):
        self.forget_traces_of_other_layers()
        for training in modes:
            found = self._first(training)
            found.changes.bring_about()
            found.graph.prepare(training)

    def check_inputs(self, xs):
        """Whatever `call` takes may be given; it is traced for each shape."""

    def pack_outputs(self, ys):
        return self._first().packed(ys)

    def ending_in_logits(self, outputs):
        call = self._first_call
        found = self.last_activations(call, [False] * len(call.specs), outputs)
        return EndingInLogits(self, found), found

    def first_non_finite(self, x):
        for key, parameter in self.params.items():
            if not np.isfinite(parameter).all():
                return f"the parameter {key}"
        arguments = self._arguments_of(x)
        found = self.traced(arguments, [False] * len(arguments.specs), True)
        return first_non_finite(found.graph, flatten(x), training=True)

    # ---- configuration: the constructor's arguments, as of a layer ----

    def get_config(self):
        return Layer.get_config(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model that `get_config` described, with new parameters."""
        with registry.CustomObjectScope(custom_objects):
            return Layer.from_config.__func__(cls, config)
