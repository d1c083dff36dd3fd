"""The report of several classifiers: its numbers by hand, its texts, its files."""

import numpy as np
import pytest

from scratchnet.evaluation import ClassifierReport, evaluate_classifiers

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

Y = np.array([0, 0, 1, 2])
# Right, wrong (said 1), right, wrong (said 0); the true classes have the probabilities 1/2, 1/4, 1/2, 1/4.
P = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25]])
PERFECT = np.eye(3)[Y]


class Guesser:
    """A model in Keras's manner."""

    def __init__(self, probabilities):
        self.probabilities = probabilities
        self.calls = []

    def predict(self, x, batch_size=None, verbose="auto"):
        self.calls.append((len(x), batch_size, verbose))
        return self.probabilities


def test_scores_by_hand():
    scores = ClassifierReport(Y, {"a": P}).scores()["a"]
    assert scores["loss"] == pytest.approx(1.5 * np.log(2))  # the mean of log 2, log 4, log 2 and log 4
    assert scores["accuracy"] == 0.5
    assert scores["precision"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert scores["recall"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert scores["f1"] == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
    # By pairs (one of the class, one of the rest), a tie counting one half: 2/4 of class 0, 2.5/3 of 1, 1.5/3 of 2.
    assert scores["auc"] == pytest.approx((0.5 + 2.5 / 3 + 0.5) / 3)


def test_a_perfect_classifier():
    scores = ClassifierReport(Y, {"a": PERFECT}).scores()["a"]
    assert scores.pop("loss") == 0
    assert set(scores.values()) == {1.0}


def test_the_loss_of_certainty_in_error_is_finite():
    wrong = np.eye(3)[(Y + 1) % 3]
    assert ClassifierReport(Y, {"a": wrong}).scores()["a"]["loss"] == pytest.approx(-np.log(1e-7))


def test_summary_has_the_same_loss_as_the_library():
    from scratchnet.losses import SparseCategoricalCrossentropy

    value, _ = SparseCategoricalCrossentropy().forward(Y, P)
    assert ClassifierReport(Y, {"a": P}).scores()["a"]["loss"] == pytest.approx(float(value))


def test_text_fits_the_screen_even_with_long_names():
    names = {"a network with quite a long name, longer than any column should be": P, "b": PERFECT}
    text = str(ClassifierReport(Y, names))
    assert "weighted avg" in text
    assert max(map(len, text.splitlines()[-3:])) <= 80
    assert text.splitlines()[-3].split() == ["model", "test", "loss", "accuracy", "precision", "recall", "F1"]


def test_markdown_table():
    lines = ClassifierReport(Y, {"a|b": P, "perfect": PERFECT}).to_markdown().splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert [cell.strip() for cell in table[0].strip("|").split("|")] == list(ClassifierReport.headings)
    assert table[1] == "|---|---:|---:|---:|---:|---:|"
    assert table[2].startswith(r"| a\|b ")
    assert "100.00 %" in table[3]


def test_models_are_asked_for_their_probabilities():
    model = Guesser(P)
    report = evaluate_classifiers({"model": model, "array": PERFECT}, Y, x=np.zeros((4, 5)), batch_size=2)
    assert model.calls == [(4, 2, 0)]
    assert report.scores()["model"]["accuracy"] == 0.5
    assert report.scores()["array"]["accuracy"] == 1.0


def test_models_may_have_inputs_of_their_own():
    a, b = Guesser(P), Guesser(PERFECT)
    evaluate_classifiers({"a": a, "b": b}, Y, x={"a": np.zeros((4, 2)), "b": np.zeros((4, 2, 1))})
    assert a.calls == b.calls == [(4, None, 0)]


def test_a_real_model_can_be_evaluated():
    from scratchnet.layers import Dense, Input
    from scratchnet.models import Sequential

    model = Sequential([Input((5,)), Dense(3, activation="softmax")])
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    assert 0 < evaluate_classifiers({"m": model}, Y, x).scores()["m"]["loss"] < 20


def test_a_model_without_inputs_is_refused():
    with pytest.raises(ValueError, match="x, its test inputs, is missing"):
        evaluate_classifiers({"a": Guesser(P)}, Y)
    with pytest.raises(ValueError, match="'b' is a model"):
        evaluate_classifiers({"b": Guesser(P)}, Y, x={"a": np.zeros((4, 1))})


@pytest.mark.parametrize(
    ("classifiers", "message"),
    [
        ({}, "no classifiers"),
        ({"a": P, "b": P[:3]}, r"b: probabilities of shape \(3, 3\), but those of a are \(4, 3\)"),
        ({"a": P[:3]}, "a: 4 labels for the probabilities of 3 samples"),
        ({"a": P * 2}, "a: the numbers of sample 0 are not probabilities"),
    ],
)
def test_what_does_not_match_is_refused(classifiers, message):
    with pytest.raises(ValueError, match=message):
        ClassifierReport(Y, classifiers)


def test_save_writes_report_and_pictures_and_names_them(tmp_path):
    from matplotlib.image import imread

    history = {"loss": [1.0, 0.5], "accuracy": [0.5, 0.75]}
    report = ClassifierReport(Y, {"A/B net": P, "a b net": P, "perfect": PERFECT}, histories={"A/B net": history})
    folder = tmp_path / "new" / "folder"
    paths = report.save(folder, images=np.random.default_rng(0).random((4, 6, 6, 3)))
    names = [path.removeprefix(str(folder)).lstrip("/\\") for path in paths]
    assert sorted(names) == sorted(path.name for path in folder.iterdir())
    assert names[:2] == ["report.md", "curves.png"]
    assert {"a_b_net_mistakes.png", "a_b_net-2_mistakes.png", "perfect_confusion.png"} < set(names)
    assert "perfect_mistakes.png" not in names
    text = (folder / "report.md").read_text()
    for name, path in zip(names[1:], paths[1:]):
        assert f"]({name})" in text
        assert imread(path)[..., :3].std() > 0.02


def test_save_refuses_another_count_of_images_before_writing(tmp_path):
    with pytest.raises(ValueError, match="3 images for 4 labels"):
        ClassifierReport(Y, {"a": P}).save(tmp_path / "out", images=np.zeros((3, 2, 2)))
    assert not (tmp_path / "out").exists()


def test_save_of_a_single_class_has_no_roc(tmp_path):
    paths = ClassifierReport([1, 1], {"a": P[:2]}).save(tmp_path)
    assert [path.rsplit("_")[-1] for path in paths[1:]] == ["confusion.png"]
