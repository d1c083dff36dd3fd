"""How long a training step of small models takes, one for every kind of layer that the seven of `models` do not have.

    python benches/layers.py --peers tensorflow jax torch

Measured as in `models`, and read as there.
"""

from layer_models import LAYERS
from models import draw, main, sections  # noqa: F401 (the page of benchmarks asks for draw)


def markdown(result):
    """A section of the page of benchmarks."""
    return sections(result, "Other layers beside their peers", "PyTorch has no `ConvLSTM2D`.")


if __name__ == "__main__":
    main("layers", LAYERS, __doc__)
