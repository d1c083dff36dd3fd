"""The anomaly detector, used with scikit-learn's own tools, and the measures of how well it detects."""

import warnings

import numpy as np
import pytest

from scratchnet.evaluation import ReconstructionDetector, detection_scores, detection_table, plot_error_histogram

pytest.importorskip("sklearn")
matplotlib_figure = pytest.importorskip("matplotlib.figure")


def zeros(X):
    """Reconstructs everything as 0: the error of a sample is the mean of its squares."""
    return 0 * X


class KerasLike:
    def predict(self, x, batch_size=None, verbose="auto"):
        assert verbose == 0
        return zeros(x)


class ScikitLike:
    def predict(self, X):
        return zeros(X)


NORMAL = np.sqrt(np.arange(1.0, 102))[:, None] * np.ones((1, 2))  # errors 1, 2, ..., 101


@pytest.mark.parametrize("model", [zeros, KerasLike(), ScikitLike()])
def test_threshold_is_the_quantile_of_normal_errors(model):
    detector = ReconstructionDetector(model, quantile=0.9)
    assert detector.fit(NORMAL) is detector
    assert detector.threshold_ == pytest.approx(91)
    assert detector.offset_ == -detector.threshold_
    assert detector.n_features_in_ == 2


def test_scores_by_hand():
    detector = ReconstructionDetector(zeros, quantile=0.5).fit(NORMAL)
    X = np.array([[1.0, 3.0], [7.0, 7.0], [10.0, 2.0]])  # errors 5, 49, 52; the threshold is 51
    np.testing.assert_allclose(detector.errors(X), [5, 49, 52])
    np.testing.assert_allclose(detector.score_samples(X), [-5, -49, -52])
    np.testing.assert_allclose(detector.decision_function(X), [46, 2, -1])
    np.testing.assert_array_equal(detector.predict(X), [1, 1, -1])
    assert detector.score(X, [1, -1, -1]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.99])
def test_the_users_quantile_of_normal_data_is_normal(quantile):
    X = np.random.default_rng(0).normal(size=(1000, 3, 2))
    predicted = ReconstructionDetector(zeros, quantile).fit_predict(X)
    assert np.mean(predicted == 1) == pytest.approx(quantile, abs=1.5e-3)


def test_the_error_at_the_threshold_counts_as_normal():
    detector = ReconstructionDetector(zeros).fit(np.ones((5, 2)))
    np.testing.assert_array_equal(detector.predict(np.ones((2, 2))), [1, 1])


def test_it_can_be_fitted_again_on_data_of_another_size():
    detector = ReconstructionDetector(zeros).fit(np.ones((5, 2)))
    assert detector.fit(np.ones((5, 4, 3))).n_features_in_ == 12


def test_scikit_learns_checks_of_an_estimator():
    from sklearn.exceptions import SkipTestWarning
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)  # checks with packages that are not installed, such as pandas
        check_estimator(ReconstructionDetector(zeros))


def test_clone_has_the_parameters_and_no_threshold():
    from sklearn.base import clone, is_outlier_detector

    detector = ReconstructionDetector(zeros, quantile=0.8, measure="mae").fit(NORMAL)
    copy = clone(detector)
    assert copy.get_params() == {"model": zeros, "quantile": 0.8, "measure": "mae"}
    assert not hasattr(copy, "threshold_")
    assert copy.set_params(quantile=0.7).quantile == 0.7
    assert is_outlier_detector(copy)


def test_clone_of_a_real_model_predicts_the_same():
    from sklearn.base import clone

    from scratchnet.layers import Dense, Input
    from scratchnet.models import Sequential

    model = Sequential([Input((2,)), Dense(2)])
    X = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    detector = ReconstructionDetector(model).fit(X)
    np.testing.assert_allclose(clone(detector).fit(X).threshold_, detector.threshold_)
    assert clone(detector).model is not model


def test_cross_validation_and_grid_search():
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(80, 4, 2)), 3 * rng.normal(size=(40, 4, 2))])
    y = np.r_[np.ones(80), -np.ones(40)]
    cv = StratifiedKFold(4)
    scores = cross_val_score(ReconstructionDetector(zeros), X, y, scoring="roc_auc", cv=cv)
    assert scores.shape == (4,) and scores.min() > 0.9
    detector = ReconstructionDetector(zeros).fit(X[:80])
    assert roc_auc_score(y, detector.score_samples(X)) > 0.95
    search = GridSearchCV(ReconstructionDetector(zeros), {"quantile": [0.1, 0.65]}, cv=cv).fit(X, y)
    assert search.best_params_ == {"quantile": 0.65}


def test_before_fit_there_is_no_threshold():
    from sklearn.exceptions import NotFittedError

    detector = ReconstructionDetector(zeros)
    for method in (detector.predict, detector.decision_function, detector.score_samples):
        with pytest.raises(NotFittedError):
            method(NORMAL)
    assert detector.errors(NORMAL)[0] == 1


@pytest.mark.parametrize("quantile", [0, 1, -0.5, 2, "0.9", None, float("nan")])
def test_what_is_no_quantile_is_refused(quantile):
    with pytest.raises(ValueError, match="quantile must be between 0 and 1"):
        ReconstructionDetector(zeros, quantile).fit(NORMAL)


def test_other_mistakes_are_named():
    with pytest.raises(ValueError, match="NaN"):
        ReconstructionDetector(zeros).fit(np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        ReconstructionDetector(zeros).fit(np.zeros((0, 2)))
    with pytest.raises(TypeError, match="must have predict or be a function, got None"):
        ReconstructionDetector().fit(NORMAL)
    with pytest.raises(ValueError, match=r"reconstructions of shape \(101, 1\)"):
        ReconstructionDetector(lambda X: X[:, :1]).fit(NORMAL)
    with pytest.raises(ValueError, match='measure must be "mse"'):
        ReconstructionDetector(zeros, measure="max").fit(NORMAL)
    with pytest.raises(ValueError, match="X has 3 features, but ReconstructionDetector is expecting 2"):
        ReconstructionDetector(zeros).fit(NORMAL).predict(np.ones((2, 3)))


def test_an_error_inside_the_model_is_its_own():
    class Broken:
        def predict(self, x, verbose=0):
            raise TypeError("inside the model")

    with pytest.raises(TypeError, match="inside the model"):
        ReconstructionDetector(Broken()).fit(NORMAL)


def test_detection_scores_by_hand():
    # Of the six pairs, the anomaly has the larger error in (2, 1), (4, 1), (4, 2.5), (4, 3): 4 of 6. Above 2.6 are 3
    # (normal) and 4 (an anomaly): precision 1/2; one of two anomalies is found.
    scores = detection_scores([1, 2.5, 3], {"a": [2, 4], "none": [0, 0]}, threshold=2.6)
    assert scores["a"] == pytest.approx({"roc_auc": 4 / 6, "precision": 1 / 2, "recall": 1 / 2, "anomalies": 2})
    assert scores["none"] == {"roc_auc": 0, "precision": 0, "recall": 0, "anomalies": 2}


def test_detection_area_is_of_the_errors_not_of_the_decision():
    # No error is above the threshold, so the decision tells nothing (0.5); the order is perfect.
    assert detection_scores([1, 2], {"a": [3, 4]}, threshold=10)["a"]["roc_auc"] == 1


def test_detection_scores_agree_with_the_detector():
    detector = ReconstructionDetector(zeros, 0.9).fit(NORMAL)
    strange = 1.3 * NORMAL
    scores = detection_scores(detector.errors(NORMAL), {"a": detector.errors(strange)}, detector.threshold_)
    assert scores["a"]["recall"] == np.mean(detector.predict(strange) == -1)


def test_detection_table():
    headings, rows = detection_table([1, 2.5, 3], {"a": [2, 4]}, 2.6)
    assert headings == ("anomaly", "ROC-AUC", "precision", "recall", "images (normal: 3)")
    assert rows == [["a", "0.6667", "0.500", "0.500", "2"]]


def test_histogram_has_every_kind_and_the_threshold():
    figure = plot_error_histogram([0.0, 1, 2, 2], {"a": [3, 4], "b": [0.5]}, 2.5, title="T", measure="MAE")
    ax = figure.axes[0]
    assert isinstance(figure, matplotlib_figure.Figure)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["normal", "a", "b", "threshold 2.5"]
    assert sum(bar.get_height() for bar in ax.containers[0]) == pytest.approx(100)
    assert ax.get_title() == "T" and "MAE" in ax.get_xlabel() and "%" in ax.get_ylabel()
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [2.5, 2.5])


def test_histogram_draws_on_given_axes():
    ax = matplotlib_figure.Figure().subplots()
    assert plot_error_histogram([1, 1], {}, 1, ax=ax) is ax.figure


@pytest.mark.parametrize("function", [detection_scores, plot_error_histogram])
def test_errors_that_are_none_are_refused(function):
    with pytest.raises(ValueError, match="errors of normal data of shape"):
        function([], {"a": [1]}, 1)
    with pytest.raises(ValueError, match="errors of 'a' hold NaN"):
        function([1], {"a": [np.nan]}, 1)
