"""Tables: each column through a layer of its own, and all of them side by side as one vector for each row.

    column                    through                       and then
    float                     nothing
    float_rescaled            Rescaling
    float_normalized          Normalization, adapted
    float_discretized         Discretization, adapted       one-hot
    integer_categorical       IntegerLookup, adapted        one-hot
    string_categorical        StringLookup, adapted         one-hot
    integer_hashed            Hashing                       one-hot
    string_hashed             Hashing                       one-hot
    a_X_b                     HashedCrossing of the numbers that a and b have become, one-hot

The crossed columns are for what two categories mean together and neither means alone (Cheng et al., "Wide & deep
learning for recommender systems", 2016). Columns are concatenated in the order of their names, the crossed ones behind
the others.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import ops, registry
from scratchnet.files.saving import Saver
from scratchnet.graph.symbolic import is_symbolic
from scratchnet.hints import PathLike
from scratchnet.layers import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    Identity,
    Input,
    IntegerLookup,
    Normalization,
    Rescaling,
    StringLookup,
    TextVectorization,
)
from scratchnet.layers.composite import Composite
from scratchnet.models.features import Cross, Feature
from scratchnet.names import unique_name
from scratchnet.registry import register
from scratchnet.structure import flatten, map_structure

_KINDS = (
    *("float", "float_rescaled", "float_normalized", "float_discretized"),
    *("integer_categorical", "string_categorical", "integer_hashed", "string_hashed"),
)
_SAMPLES_AT_ONCE = 32  # as Keras puts single rows together: the boundaries of bins depend on it


@register("layers")
class FeatureSpace(Saver, Composite):
    """A dict of columns -> vectors (N, all of them), or a dict of what became of each.

    Args:
        features: dict from the name of a column to its kind, such as "float_normalized" or
            ``FeatureSpace.float_discretized(num_bins=10)``.
        output_mode: "concat", or "dict" for a dict.
        crosses: list of tuples of names, or of ``FeatureSpace.cross(names, crossing_dim)``.
        crossing_dim: into how many bins crossed columns are hashed, unless they say it themselves.
        hashing_dim: into how many bins those of the kinds "integer_hashed" and "string_hashed" are.
        num_discretization_bins: how many bins "float_discretized" has.

    `adapt` first finds what the layers must know of the data. Then the space is called on a dict of arrays (N,) or
    (N, 1), or on one row, a dict of single values. `get_inputs` and `get_encoded_features` are its symbolic ends: a
    model between the second and its outputs trains on encoded rows, one from the first on takes raw ones.

    Raises:
        ValueError: for an unknown kind or mode, a cross of columns that there are not, a one-hot column whose number
            of categories is unknown, and numbers of categories among what is concatenated.
    """

    compiled, optimizer = False, None  # what a saver asks of models

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int | None = 32,
        hashing_dim: int | None = 32,
        num_discretization_bins: int | None = 32,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.built = False
        if not features:
            raise self.error("needs features, a dict from the name of a column to its kind")
        if output_mode not in ("concat", "dict"):
            raise self.error(f'output_mode must be "concat" or "dict", got {output_mode!r}')
        self.output_mode = output_mode
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {name: self._feature(name, kind) for name, kind in features.items()}
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {cross.name: HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses}
        self.inputs = {name: Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()}
        self.one_hot_encoders = {}
        self.encoded_features = None
        self._is_adapted = False

    @property
    def sublayers(self):
        groups = ("preprocessors", "crossers", "one_hot_encoders")
        return {f"{group}.{name}": layer for group in groups for name, layer in vars(self).get(group, {}).items()}

    # ---- kinds of columns ----

    @classmethod
    def cross(cls, feature_names, crossing_dim, output_mode="one_hot"):
        """Columns of categories, crossed: hashed together into `crossing_dim` bins."""
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype, preprocessor, output_mode):
        """A column through a layer of one's own; `output_mode` says what that gives: "int", "one_hot" or "float"."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name=None):
        """Numbers as they are."""
        return Feature("float32", Identity(name=_name(name, "float")), "float")

    @classmethod
    def float_rescaled(cls, scale=1.0, offset=0.0, name=None):
        """Numbers x as scale x + offset."""
        return Feature("float32", Rescaling(scale, offset, name=_name(name, "float_rescaled")), "float")

    @classmethod
    def float_normalized(cls, name=None):
        """Numbers with mean 0 and variance 1."""
        return Feature("float32", Normalization(axis=-1, name=_name(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(cls, num_bins, bin_boundaries=None, output_mode="one_hot", name=None):
        """Numbers as the numbers of bins that hold equally many, or, with num_bins=None, that have these boundaries."""
        layer = Discretization(bin_boundaries, num_bins, name=_name(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(cls, max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None):
        """Integers that are names of categories."""
        layer = IntegerLookup(max_tokens, num_oov_indices, name=_name(name, "integer_categorical"))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(cls, max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None):
        """Strings that are names of categories."""
        layer = StringLookup(max_tokens, num_oov_indices, name=_name(name, "string_categorical"))
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(cls, num_bins, output_mode="one_hot", name=None):
        """Strings, of which there are too many to list them."""
        return Feature("string", Hashing(num_bins, name=_name(name, "string_hashed")), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins, output_mode="one_hot", name=None):
        """Integers that are names, of which there are too many to list them."""
        return Feature("int32", Hashing(num_bins, name=_name(name, "integer_hashed")), output_mode)

    def _feature(self, name, kind):
        """The Feature that the constructor was told of."""
        if isinstance(kind, dict):
            kind = registry.deserialize(kind, "layers")
        if isinstance(kind, Feature):
            return kind
        if kind not in _KINDS:
            raise self.error(f"the column {name!r} is of no known kind, {kind!r}; there are {', '.join(_KINDS)}")
        hashed, bins = {"num_bins": self.hashing_dim}, {"num_bins": self.num_discretization_bins}
        further = {"integer_hashed": hashed, "string_hashed": hashed, "float_discretized": bins}
        return getattr(self, kind)(**further.get(kind, {}), name=name)

    def _cross(self, cross):
        """The Cross that the constructor was told of."""
        if isinstance(cross, dict):
            cross = registry.deserialize(cross, "layers")
        if not isinstance(cross, Cross):
            if not self.crossing_dim:
                raise self.error("crosses need a crossing_dim")
            cross = Cross(cross, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise self.error(f"the cross {cross.name} is of columns that are not among the features: {unknown}")
        return cross

    # ---- what must be known of the data ----

    def adapt(self, dataset: Mapping[str, Any] | Iterable[Any]) -> None:
        """Adapt each layer that can be.

        Args:
            dataset: a dict of arrays or lists, or an iterable of dicts: batches, or single rows.

        Raises ValueError for anything else.
        """
        if not isinstance(dataset, dict):
            dataset = list(dataset) if iter(dataset) is dataset else dataset  # it is gone through for each column
        for name in self._to_adapt():
            self.preprocessors[name].adapt(self._batches(name, dataset))
        self._is_adapted = True
        self._finish()

    def _to_adapt(self):
        """The names of the columns whose layers have to be adapted: not those that were told all that they need."""
        given = {
            Normalization: lambda layer: layer.input_mean is not None,
            Discretization: lambda layer: layer.num_bins is None,
            StringLookup: lambda layer: layer.has_given_vocabulary,
            IntegerLookup: lambda layer: layer.has_given_vocabulary,
            TextVectorization: lambda layer: layer.has_given_vocabulary,
        }
        layers = {name: layer for name, layer in self.preprocessors.items() if hasattr(layer, "adapt")}
        return [name for name, layer in layers.items() if not given.get(type(layer), lambda layer: False)(layer)]

    def _batches(self, name, dataset):
        """The column of that name, batch by batch: arrays (N, 1), or of more axes where it has them."""
        if isinstance(dataset, dict):
            column = self._column(name, dataset)
            parts = (column[k : k + _SAMPLES_AT_ONCE] for k in range(0, len(column), _SAMPLES_AT_ONCE))
        else:
            parts = (self._column(name, part) for part in dataset)
            first = next(parts, None)
            if first is None:
                raise self.error("adapt was given no data")
            parts = itertools.chain([first], parts)
            parts = _together(parts) if first.ndim == 0 else parts
        return (part[:, None] if part.ndim == 1 else part for part in parts)

    def _column(self, name, part):
        if not isinstance(part, dict):
            raise self.error(f"adapt takes a dict of columns, or an iterable of such dicts, got {type(part).__name__}")
        if name not in part:
            raise self.error(f"the data have no column {name!r}: there are {', '.join(map(str, part))}")
        return self._as_array(name, part[name])

    def _as_array(self, name, column):
        dtype = self.features[name].dtype
        return np.asarray(column, dtype if dtype.startswith("float") else None)

    def _finish(self):
        """Make the one-hot encoders, and find out what comes out."""
        if self.built:
            return
        if not self._is_adapted and self._to_adapt():
            raise self.error(f"must be adapted first, by adapt(data): {', '.join(self._to_adapt())}")
        found = self._looked_up(self.inputs)
        modes = {feature_name: feature.output_mode for feature_name, feature in self.features.items()}
        modes.update((cross.name, cross.output_mode) for cross in self.crosses)
        for name, tensor in found.items():
            if modes[name] == "one_hot":
                self.one_hot_encoders[name] = CategoryEncoding(self._categories(name, tensor.dtype), "multi_hot")
            elif self.output_mode == "concat" and not tensor.dtype.startswith("float"):
                raise self.error(
                    f'{name!r} is of dtype {tensor.dtype}, which cannot be concatenated: encode it as "one_hot", or '
                    'say output_mode="dict"'
                )
        self.encoded_features = self._encoded(found)
        self.built = True

    def _categories(self, name, dtype):
        """How many categories a column has that is to be encoded."""
        layer = self.preprocessors.get(name) or self.crossers[name]
        if not dtype.startswith("int"):
            raise self.error(
                f"{name!r} is to be one-hot, which takes numbers of categories; {layer.name} gives {dtype}"
            )
        if isinstance(layer, (IntegerLookup, StringLookup)):
            return layer.vocabulary_size()
        if isinstance(layer, Discretization):
            return len(layer.bin_boundaries) + 1
        if isinstance(layer, (HashedCrossing, Hashing)):
            return layer.num_bins
        raise self.error(f'{name!r} is to be one-hot, but how many categories there are is unknown; say "int"')

    # ---- encoding ----

    def get_inputs(self):
        """The symbolic columns, by name."""
        self._finish()
        return self.inputs

    def get_encoded_features(self):
        """What the symbolic columns become: a tensor, or a dict of them."""
        self._finish()
        return self.encoded_features

    def __call__(self, data):
        """The encoded rows of a dict of columns, or of one row."""
        self._finish()
        if not isinstance(data, dict):
            raise self.error(f"is called on a dict of columns, got {type(data).__name__}")
        if data.keys() != self.features.keys():
            raise self.error(f"expected the columns {', '.join(self.features)}, got {', '.join(map(str, data))}")
        if is_symbolic(data):
            return self._encoded(self._looked_up(data))
        columns = {name: self._as_array(name, column) for name, column in data.items()}
        is_one_row = any(column.ndim == 0 for column in columns.values())
        columns = {name: column if column.ndim > 1 else column.reshape(-1, 1) for name, column in columns.items()}
        found = self._encoded(self._looked_up(columns))
        return map_structure(lambda y: y[0] if len(y) == 1 else y, found) if is_one_row else found

    def _looked_up(self, columns):
        """Each column through its layer, in the order of the names, and then the crossed ones."""
        through = {name: self.preprocessors[name](columns[name]) for name in sorted(self.features)}
        crossed = {
            cross.name: self.crossers[cross.name]([through[name] for name in cross.feature_names])
            for cross in sorted(self.crosses, key=lambda cross: cross.name)
        }
        return {**through, **crossed}

    def _encoded(self, found):
        encoders = self.one_hot_encoders
        found = {name: encoders[name](x) if name in encoders else x for name, x in found.items()}
        return found if self.output_mode == "dict" else ops.concatenate(flatten(found), axis=-1)

    # ---- files ----

    def save(self, filepath: PathLike) -> None:
        """Write the space to a file: `.npz`, or Keras's `.keras`; `models.load_model` reads it."""
        self._finish()
        super().save(filepath)

    def get_config(self):
        """The constructor's arguments, the columns with their layers."""
        return {
            "features": self.features,
            "output_mode": self.output_mode,
            "crosses": self.crosses,
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config):
        """The space that `get_config` described."""
        return cls(**config)

    def get_build_config(self):
        """The shape that each layer was built for: there is one where the space has been adapted."""
        return {name: {"input_shape": [None, 1]} for name in self.features} if self._is_adapted or self.built else None

    def build_from_config(self, config):
        """Build the layers, whose weights and vocabularies come next."""
        for layer in self.preprocessors.values():
            layer.ensure_built((None, 1))
        self._is_adapted = True


def _together(values):
    """Single values as arrays."""
    while some := list(itertools.islice(values, _SAMPLES_AT_ONCE)):
        yield np.stack(some)


def _name(name, kind):
    return f"{name or unique_name(kind)}_preprocessor"
