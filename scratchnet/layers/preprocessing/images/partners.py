"""Each image of a batch with a partner: another one of the whole batch, by a random order.

partner[n] = x[order[n]]            dx[order[n]] = d[n]
"""

import numpy as np

from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer
from scratchnet.parallel.batch import gather_over_batch, rows_of_batch


class Mixing(RandomImageLayer):
    """Base of `MixUp` and `CutMix`, which mix images, and labels that are vectors, with those of a partner.

    A subclass draws "permutation_order" by `order`, and "mix_weight", the part of each image that is its own.
    """

    in_one_part = False

    def order(self, N):
        """A random order of the whole batch, of which N images are here."""
        return np.argsort(self.random.uniform((1, rows_of_batch(N)), by_row=False)[0])

    def beta(self, N, alpha):
        """N numbers of the beta distribution with both parameters `alpha`; each image has a generator of its own."""
        seeds = (self.random.uniform((N, 1))[:, 0] * 2**53).astype(np.int64)
        return np.array([np.random.default_rng(seed).beta(alpha, alpha) for seed in seeds])

    @staticmethod
    def partners(x, order):
        """The partners of the images, or labels, that are here."""
        whole, rows = gather_over_batch(x)
        return whole[order[rows]]

    @staticmethod
    def partners_backward(d, order):
        """The adjoint of `partners`."""
        whole, rows = gather_over_batch(d)
        dx = np.empty_like(whole)
        dx[order] = whole
        return dx[rows]

    def transform_labels(self, labels, transformation, training=True):
        """Labels (N, classes) in the proportion in which the images are mixed."""
        if labels.ndim != 2:
            raise self.error(f"labels must be vectors (N, classes), such as one-hot ones, got {labels.shape}")
        own = transformation["mix_weight"].reshape(-1, 1)
        return own * labels + (1 - own) * self.partners(labels, transformation["permutation_order"])
