"""Numbers as the numbers of the bins that they fall into: bin k holds boundary[k - 1] <= x < boundary[k].

`adapt` chooses boundaries so that each bin holds as many of the data as the others: they are quantiles. Of data that
come in batches only a summary is kept, a few of the values with the number of those that each stands for; two summaries
are merged by sorting, and thinned out again (Greenwald and Khanna, "Space-efficient online computation of quantile
summaries", 2001, has the idea with bounds for the errors).
"""

from collections.abc import Sequence

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.layers.preprocessing.adapting import batches_of
from scratchnet.layers.preprocessing.categories.token_layer import TokenLayer
from scratchnet.registry import register


@register("layers")
class Discretization(TokenLayer):
    """Numbers (N, ...) -> the numbers of their bins, or what `output_mode` makes of these.

    Args:
        bin_boundaries: in ascending order; there is one bin more.
        num_bins: how many bins `adapt` is to find boundaries for, instead.
        epsilon: how exactly: summaries have 1 / epsilon values.
        output_mode: "int", "one_hot", "multi_hot" or "count".
        sparse: False.

    Raises ValueError without boundaries or a number of bins, and for both.
    """

    takes_strings = keeps_integers = False

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool | None = False,
        dtype: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(sparse=sparse, dtype=dtype, name=name, **kwargs)
        self.output_mode = self.check_output_mode(output_mode, ("int", "one_hot", "multi_hot", "count"))
        if (bin_boundaries is None) == (num_bins is None):
            raise self.error("needs either bin_boundaries, or num_bins and then adapt(data)")
        self.num_bins = None if num_bins is None else check_positive_int(self, "num_bins", num_bins)
        self.bin_boundaries = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        if bin_boundaries is not None and sorted(self.bin_boundaries) != self.bin_boundaries:
            raise self.error(f"bin_boundaries must ascend, got {bin_boundaries!r}")
        self.epsilon = epsilon

    @classmethod
    def from_config(cls, config):
        found = config.get("bin_boundaries") if config.get("num_bins") is not None else None
        layer = super().from_config({**config, "bin_boundaries": None} if found is not None else config)
        if found is not None:
            layer.bin_boundaries = list(found)
        return layer

    def adapt(self, data, steps=None):
        """Choose the boundaries by `data`, an array or batches; `steps`: of how many batches."""
        if self.num_bins is None:
            raise self.error("was made with bin_boundaries: there is nothing to adapt")
        summary = np.zeros((2, 0), np.float32)
        for k, batch in enumerate(batches_of(self, data)[1]):
            if k == steps:
                break
            both = np.concatenate([_summary(batch.astype(np.float32), self.epsilon), summary], axis=1)
            summary = _thinned(both[:, np.argsort(both[0])], self.epsilon)
        self.bin_boundaries = _thinned(summary, 1 / self.num_bins)[0, :-1].tolist()

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return self.encoded_shape(input_shape, depth)

    def forward(self, x, training=False):
        if self.bin_boundaries is None:
            raise self.error("has no boundaries yet: adapt(data) finds them")
        return self.encoded(np.digitize(x, self.bin_boundaries), len(self.bin_boundaries) + 1), None


def _summary(values, epsilon):
    """Some of the values, evenly spaced in their order, and how many each stands for: (2, about 1 / epsilon)."""
    values = np.sort(values, axis=None)
    step = max(values.size * epsilon, 1)
    chosen = values[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _thinned(summary, epsilon):
    """A summary with values at the shares epsilon, 2 epsilon, ... of all that it stands for."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0, 1, epsilon)
    counts = summary[1].cumsum()
    values = np.interp(shares, counts / counts[-1], summary[0])
    up_to = np.interp(shares, counts / counts[-1], counts)
    return np.stack([values, np.diff(up_to, prepend=0)]).astype(np.float32)
