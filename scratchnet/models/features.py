"""What `FeatureSpace` is told of a column, and of columns that are crossed."""

from scratchnet import registry
from scratchnet.registry import register


@register("layers")
class Feature:
    """One column.

    Args:
        dtype: of its entries: "float32", "int32" or "string".
        preprocessor: the layer that they go through, or what `registry.serialize` wrote of it.
        output_mode: what becomes of the layer's output: "one_hot" encodes numbers of categories, "int" leaves them as
            they are, "float" says that it is a vector already.

    Raises ValueError for another mode.
    """

    def __init__(self, dtype, preprocessor, output_mode):
        self.dtype = dtype
        self.preprocessor = registry.deserialize(preprocessor, "layers")
        self.output_mode = _check_mode("Feature", output_mode, ("int", "one_hot", "float"))

    def get_config(self):
        """The constructor's arguments."""
        return {"dtype": self.dtype, "preprocessor": self.preprocessor, "output_mode": self.output_mode}


@register("layers")
class Cross:
    """Several columns of categories as one, of what stands in all of them together.

    Args:
        feature_names: of the columns.
        crossing_dim: how many bins the pairs, triples, ... are hashed into.
        output_mode: "one_hot", or "int" for the numbers of the bins.

    Raises ValueError for another mode.
    """

    def __init__(self, feature_names, crossing_dim, output_mode="one_hot"):
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = _check_mode("Cross", output_mode, ("int", "one_hot"))

    @property
    def name(self):
        """ "a_X_b" of the columns "a" and "b"."""
        return "_X_".join(self.feature_names)

    def get_config(self):
        """The constructor's arguments."""
        return {
            "feature_names": self.feature_names,
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }


def _check_mode(name, output_mode, modes):
    if output_mode not in modes:
        raise ValueError(f"{name}: output_mode must be one of {', '.join(modes)}, got {output_mode!r}")
    return output_mode
