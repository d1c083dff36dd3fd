"""Finding what does not belong: an autoencoder reconstructs badly what it was not trained on.

The idea is old (Japkowicz, Myers and Gluck, "A novelty detection approach to classification", 1995). It has a known
weakness: what is *simpler* than the training data, such as a digit on black, may well be reconstructed better.
"""

import inspect
import numbers

import numpy as np

from scratchnet.evaluation.reconstruction import reconstruction_error
from scratchnet.optional import require

_base = require("sklearn.base")
_validation = require("sklearn.utils.validation")


class ReconstructionDetector(_base.OutlierMixin, _base.BaseEstimator):
    """An outlier detector by reconstruction error, in the manner of scikit-learn's.

    Args:
        model: a trained autoencoder: anything with ``predict(X)`` or a function, that gives arrays of X's shape. It is
            not trained further.
        quantile: in (0, 1): the share of normal data that counts as normal. The threshold is this quantile of the
            errors on the data given to `fit`, which have to be normal; anomalies play no part in it.
        measure: "mse", "mae" or "bce"; see `reconstruction_error`.

    Attributes (after fit):
        threshold_: the largest error that counts as normal.
        offset_: ``-threshold_``, as scikit-learn counts: decision_function = score_samples - offset_.
        n_features_in_: how many values a sample has.

    X is (N, D), or (N, ...) such as images. To `sklearn.base.clone` a detector copies the model, weights and all.
    Raises ValueError unless 0 < quantile < 1 and the measure is known, for NaN or infinity, for samples of another size
    than in `fit`, and for reconstructions of another shape; scikit-learn's NotFittedError before `fit`.
    """

    def __init__(self, model=None, quantile=0.95, measure="mse"):
        self.model = model
        self.quantile = quantile
        self.measure = measure

    def fit(self, X, y=None):
        """Set the threshold from normal data X; y is not used. Returns self."""
        if not isinstance(self.quantile, numbers.Real) or not 0 < self.quantile < 1:
            raise ValueError(f"ReconstructionDetector: quantile must be between 0 and 1, got {self.quantile!r}")
        X = self._check(X)
        errors = self._errors(X)
        self.n_features_in_ = X[0].size
        self.threshold_ = float(np.quantile(errors, self.quantile))
        self.offset_ = -self.threshold_
        return self

    def errors(self, X):
        """The reconstruction error of each sample (N,); needs no `fit`."""
        X = self._check(X)
        expected = getattr(self, "n_features_in_", X[0].size)
        if X[0].size != expected:
            # scikit-learn's own words, which its checks of an estimator look for.
            raise ValueError(
                f"X has {X[0].size} features, but ReconstructionDetector is expecting {expected} features as input"
            )
        return self._errors(X)

    def score_samples(self, X):
        """The higher, the more normal: the negative error of each sample (N,)."""
        _validation.check_is_fitted(self, "threshold_")
        return -self.errors(X)

    def decision_function(self, X):
        """Positive or 0 for normal samples, negative for outliers (N,)."""
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """1 for normal samples, -1 for outliers (N,)."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def score(self, X, y):
        """The share of samples on which `predict` agrees with y, (N,) of 1 and -1 (as `EllipticEnvelope.score`)."""
        return float(require("sklearn.metrics").accuracy_score(y, self.predict(X)))

    def _check(self, X):
        return _validation.check_array(X, allow_nd=True, estimator=self)

    def _errors(self, X):
        predict = getattr(self.model, "predict", self.model)
        if not callable(predict):
            raise TypeError(f"ReconstructionDetector: model must have predict or be a function, got {self.model!r}")
        options = {"verbose": 0} if "verbose" in _parameters(predict) else {}
        return reconstruction_error(X, predict(X, **options), self.measure)


def _parameters(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function that is not written in Python may not tell
        return ()
