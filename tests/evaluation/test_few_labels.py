"""Ways of learning compared on the same few labels."""

import numpy as np
import pytest

from scratchnet.evaluation import few_labels_accuracy, few_labels_table, plot_few_labels


class Nearest:
    """Tells the class of the nearest of the samples it was given."""

    def __init__(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x, batch_size, verbose):
        nearest = np.abs(x[:, None] - self.x).argmin(axis=1)
        return np.eye(4)[self.labels[nearest]]


X = np.linspace(0, 4, 40, endpoint=False)
DATA = (X, X.astype(int)), (X + 0.01, X.astype(int))


def test_more_labels_tell_more_and_every_way_gets_the_same(capsys):
    seen = {"a": [], "b": []}

    def way(name):
        return lambda x, labels: seen[name].append((x, labels)) or Nearest(x, labels)

    accuracies = few_labels_accuracy({name: way(name) for name in seen}, *DATA, counts=(2, 40), draws=3, seed=5)
    assert [len(x) for x, _ in seen["a"]] == [2, 2, 2, 40, 40, 40]
    for (x, labels), (same, same_labels) in zip(seen["a"], seen["b"]):
        np.testing.assert_array_equal(x, same)
        np.testing.assert_array_equal(labels, x.astype(int))
        np.testing.assert_array_equal(labels, same_labels)
    assert any((seen["a"][0][0] != seen["a"][k][0]).any() for k in (1, 2))
    assert accuracies["a"].shape == (2, 3)
    assert (accuracies["a"][1] == 1).all() and (accuracies["a"][0] <= 0.5).all()
    assert capsys.readouterr().out.splitlines()[1] == "2 labels, draw 2 of 3: done"
    again = few_labels_accuracy({"b": way("b")}, *DATA, counts=(2, 40), draws=3, seed=5, verbose=0)
    np.testing.assert_array_equal(again["b"], accuracies["b"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("counts", [(0,), (10, 41)])
def test_a_count_that_is_not_there_is_refused(counts):
    with pytest.raises(ValueError, match="counts must be from 1 to the 40 samples"):
        few_labels_accuracy({"nearest": Nearest}, *DATA, counts=counts)


def test_the_table_has_means_and_spreads():
    accuracies = {"way": np.array([[0.5, 0.7], [0.8, 0.8]])}
    headings, rows = few_labels_table(accuracies, (10, 100))
    assert headings == ("accuracy with", "10 labels", "100 labels")
    assert rows == [("way", "60.0 +- 10.0 %", "80.0 +- 0.0 %")]
    assert few_labels_table({"way": np.array([[0.5]])}, (10,))[1] == [("way", "50.0 %")]


def test_the_plot_has_a_line_for_each_way():
    pytest.importorskip("matplotlib")
    accuracies = {"one": np.array([[0.5, 0.7], [0.8, 0.8]]), "other": np.array([[0.4, 0.4], [0.9, 0.7]])}
    (ax,) = plot_few_labels(accuracies, (10, 100)).axes
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "other"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["10", "100"]
    np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(), [0.6, 0.8])
