"""Models as scikit-learn's estimators, by scikit-learn's own checks."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from scratchnet.layers import Dense, Flatten, Input
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.utils import set_random_seed
from scratchnet.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer


class Build:
    """Builds a small model for data and targets of any width; a class for its name, which the tests' names contain."""

    def __call__(self, X, y, loss, activation=None, units=8):
        set_random_seed(0)  # scikit-learn's checks compare two fits
        layers = [Input(X.shape[1:]), Dense(units, activation="relu"), Dense(y.shape[1], activation=activation)]
        model = Sequential(layers)
        model.compile(Adam(0.01), loss)
        return model

    def __repr__(self):
        return "build"


build = Build()


CLASSIFIER = SKLearnClassifier(
    build, model_kwargs={"loss": "categorical_crossentropy", "activation": "softmax"}, fit_kwargs={"verbose": 0}
)
REGRESSOR = SKLearnRegressor(build, model_kwargs={"loss": "mse"}, fit_kwargs={"verbose": 0})
TRANSFORMER = SKLearnTransformer(build, model_kwargs={"loss": "mse"}, fit_kwargs={"verbose": 0})


@parametrize_with_checks([CLASSIFIER, REGRESSOR, TRANSFORMER])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


X = np.random.default_rng(0).normal(size=(60, 3))
NAMES = np.array(["low", "high", "middle"])[np.digitize(X[:, 0], [-0.5, 0.5]) - 1]


def test_classes_keep_their_names_and_probabilities_go_with_them():
    classifier = clone(CLASSIFIER).set_params(fit_kwargs={"epochs": 60, "verbose": 0}).fit(X, NAMES)
    assert classifier.classes_.tolist() == ["high", "low", "middle"]
    assert classifier.score(X, NAMES) > 0.9
    probabilities = classifier.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(classifier.decision_function(X), probabilities)
    assert len(classifier.history_.epoch) == 60
    two = clone(CLASSIFIER).fit(X, NAMES == "low")
    np.testing.assert_array_equal(two.decision_function(X) > 0, two.predict(X))


def test_targets_keep_their_shape():
    for y, shape in ((X[:, 0], (60,)), (X[:, :1], (60, 1)), (X[:, :2], (60, 2))):
        assert clone(REGRESSOR).fit(X, y).predict(X).shape == shape
    features = clone(TRANSFORMER).set_params(model_kwargs={"loss": "mse"}).fit_transform(X, X[:, :2])
    assert features.shape == (60, 2)


def test_images_will_do():
    images = X.reshape(20, 3, 3)
    model = Sequential([Input((3, 3)), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    assert SKLearnRegressor(model, fit_kwargs={"verbose": 0}).fit(images, X[:20, 0]).predict(images).shape == (20,)


def test_a_model_is_copied_for_each_fit_unless_it_goes_on():
    model = Sequential([Input((3,)), Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    fresh = SKLearnRegressor(model).fit(X, X[:, 0], verbose=0)
    assert fresh.model_ is not model and (model.get_weights()[0] == before).all()
    warm = SKLearnRegressor(model, warm_start=True).fit(X, X[:, 0], verbose=0)
    assert warm.model_ is model and warm.fit(X, X[:, 0], verbose=0).model_ is model
    made = SKLearnRegressor(build, True, {"loss": "mse"}, {"verbose": 0}).fit(X, X[:, 0])
    first = made.model_
    assert made.fit(X, X[:, 0]).model_ is first


def test_what_is_given_to_fit_comes_before_what_is_given_at_first():
    regressor = SKLearnRegressor(build, model_kwargs={"loss": "mse"}, fit_kwargs={"epochs": 2, "verbose": 0})
    assert len(regressor.fit(X, X[:, 0], epochs=3).history_.epoch) == 3
    assert regressor.fit_kwargs == {"epochs": 2, "verbose": 0}


def test_it_is_searched_and_piped():
    search = GridSearchCV(
        SKLearnRegressor(build, fit_kwargs={"verbose": 0}),
        {
            "model_kwargs": [{"loss": "mse", "units": units} for units in (2, 16)],
            "fit_kwargs": [{"epochs": 2, "verbose": 0}],
        },
        cv=2,
    )
    search.fit(X, X[:, 0])
    assert set(search.best_params_) == {"model_kwargs", "fit_kwargs"}
    pipeline = make_pipeline(clone(TRANSFORMER), LogisticRegression()).fit(X, NAMES == "low")
    assert pipeline.predict(X).shape == (60,)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (Sequential([Input((3,)), Dense(1)]), RuntimeError, "must have been compiled with a loss"),
        ("a model", TypeError, "expected a model or a function that returns one, got 'a model'"),
        (lambda X, y: None, TypeError, "the function must return a model, it returned None"),
    ],
)
def test_what_is_no_model_is_told(model, error, message):
    with pytest.raises(error, match=message):
        SKLearnRegressor(model).fit(X, X[:, 0])
