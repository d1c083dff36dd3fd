"""Models as scikit-learn's estimators: for its pipelines, searches and cross-validation."""

import copy

import numpy as np

from scratchnet.models import Model, clone_model
from scratchnet.names import defined_in
from scratchnet.optional import require

_base = require("sklearn.base")
_validation = require("sklearn.utils.validation")
_multiclass = require("sklearn.utils.multiclass")


class Wrapper(_base.BaseEstimator):
    """What the three wrappers have in common.

    Args:
        model: a compiled `Model`, of which each `fit` trains a copy with new parameters; or a function that is called
            with X, y and the `model_kwargs` and returns one.
        warm_start: whether `fit` goes on training the same model: the given one, or that of the `fit` before.
        model_kwargs: dict of what the function gets besides.
        fit_kwargs: dict of what the model's `fit` gets besides; what is given to the wrapper's own `fit` comes first.

    Attributes (after fit): `model_`, `history_`, `n_features_in_`.

    To repeat a result, let the function call `scratchnet.utils.set_random_seed`.
    """

    _takes_several_outputs = True

    def __init__(self, model, warm_start=False, model_kwargs=None, fit_kwargs=None):
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # parameters and batches are drawn
        tags.target_tags.required = True
        tags.target_tags.multi_output = self._takes_several_outputs
        return tags

    def _more_tags(self):  # scikit-learn before 1.6
        return {"non_deterministic": True, "requires_y": True, "poor_score": True}

    def fit(self, X, y, **kwargs):
        """Train on X (N, ...) and targets y; `kwargs` go to the model's `fit`. Returns self.

        Raises TypeError if `model` is no model and no function that returns one, RuntimeError if it is not compiled.
        """
        X, y = self._validated(X, y, reset=True)
        y = self._encoded(y)
        model = self._model(X, y)
        if not model.compiled or model.loss is None:
            raise RuntimeError(f"{type(self).__name__}: the model must have been compiled with a loss")
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _model(self, X, y):
        """The model that `fit` trains."""
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if isinstance(self.model, Model):
            return self.model if self.warm_start else _new(self.model)
        if not callable(self.model):
            raise TypeError(
                f"{type(self).__name__}: expected a model or a function that returns one, got {self.model!r}"
            )
        model = self.model(X=X, y=y, **(self.model_kwargs or {}))
        if not isinstance(model, Model):
            raise TypeError(f"{type(self).__name__}: the function must return a model, it returned {model!r}")
        return model

    def _outputs(self, X):
        """What the model makes of X."""
        _validation.check_is_fitted(self, "model_")
        return self.model_.predict(self._validated(X), verbose=0)

    def _validated(self, *arrays, reset=False):
        """X, or X and y, as arrays, checked by scikit-learn; `reset` lets it remember the features of X."""
        options = {"allow_nd": True, "reset": reset}
        if len(arrays) == 2 and self._takes_several_outputs:
            options["multi_output"] = True
        if hasattr(_validation, "validate_data"):
            return _validation.validate_data(self, *arrays, **options)
        return self._validate_data(*arrays, **options)  # scikit-learn before 1.6

    def _encoded(self, y):
        """Targets as the model gets them: with an axis for its outputs."""
        if _multiclass.type_of_target(y) == "unknown":
            raise ValueError(f"{type(self).__name__}: Unknown label type: y must be numbers, got {y.dtype}")
        self._target_ndim = y.ndim
        return y[:, None] if y.ndim == 1 else y


def _new(model):
    """A model of the same architecture, compiled alike, that has learnt nothing."""
    fresh = clone_model(model)
    if model.compiled and not fresh.compiled:
        optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
        fresh.compile(**{**copy.deepcopy(model._compile_config), "optimizer": optimizer})
    return fresh


class SKLearnClassifier(_base.ClassifierMixin, Wrapper):
    """A model as a classifier; the arguments are those of `Wrapper`.

    The model gets one-hot targets and has an output for each class. After `fit`, `classes_` are the classes.
    """

    _takes_several_outputs = False

    def predict(self, X):
        """The class of each sample: that of the largest output."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X):
        """The outputs (N, classes), which are probabilities if the model ends in a softmax."""
        return self._outputs(X)

    def decision_function(self, X):
        """The outputs (N, classes); of two classes, as scikit-learn wants it, the second's minus the first's (N,)."""
        outputs = self._outputs(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    def _encoded(self, y):
        _multiclass.check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"SKLearnClassifier: y has only one class, {self.classes_[0]!r}")
        return np.eye(len(self.classes_), dtype="float32")[labels]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # in the few epochs that checks allow
        return tags


class SKLearnRegressor(_base.RegressorMixin, Wrapper):
    """A model as a regressor; the arguments are those of `Wrapper`. Targets are (N,) or (N, outputs)."""

    def predict(self, X):
        """The outputs (N, outputs), or (N,) if the targets were; float64, as scikit-learn wants it."""
        outputs = self._outputs(X).astype("float64")
        return outputs[:, 0] if self._target_ndim == 1 else outputs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(_base.TransformerMixin, Wrapper):
    """A model whose outputs are features for what follows in a pipeline; the arguments are those of `Wrapper`."""

    def transform(self, X):
        """The outputs (N, ...)."""
        return self._outputs(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def __dir__():
    return defined_in(globals())
