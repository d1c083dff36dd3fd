"""What fit is given: numbers and words that make no sense."""

import warnings

import numpy as np
import pytest

import scratchnet
from scratchnet import ops
from scratchnet.layers import Dense, Input
from scratchnet.models import Model, Sequential
from scratchnet.utils import set_random_seed


@pytest.fixture(autouse=True)
def default_threads():
    yield
    scratchnet.set_num_threads(None)


def classifier(*, seed=0, extra=(), loss="sparse_categorical_crossentropy", optimizer="adam"):
    set_random_seed(seed)
    model = Sequential([Input((5,)), Dense(8, activation="tanh"), *extra, Dense(3, activation="softmax")])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def data(count=90, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 5)) + y[:, None]).astype("float32"), y


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"validation_split": 1.5}, "validation_split must be between 0 and 1"),
        ({"validation_split": "half"}, "validation_split must be between 0 and 1, got 'half'"),
        ({"class_weight": {0: -1.0}}, "gives the class 0 the weight -1.0"),
        ({"class_weight": {0: float("nan")}}, "the weight nan"),
        ({"class_weight": {0: "heavy"}}, "the weight 'heavy'"),
        ({"validation_split": 0.999}, "leaves one part empty"),
        ({"verbose": 3}, "verbose"),
        ({"validation_data": np.ones(3)}, r"validation_data must be \(x, y\)"),
        ({"sample_weight": np.ones(3)}, "sample_weight has 3"),
        ({"epochs": -1}, "epochs must be an integer of at least 0, got -1"),
        ({"epochs": True}, "epochs must be an integer of at least 0, got True"),
        ({"shuffle": "rows"}, "shuffle must be True, False or \"batch\", got 'rows'"),
        ({"class_weight": {7: 1.0}}, "names the class 7; classes are integers from 0 to 2"),
        ({"class_weight": {"a": 1.0}}, "names the class 'a'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(*data(), **{"verbose": 0, **arguments})


def test_without_anything_to_train_fit_warns():
    model = classifier()
    model.trainable = False
    with pytest.warns(UserWarning, match="there is nothing to train"):
        model.fit(*data(), verbose=0)


def test_weights_of_classes_are_a_dict_and_need_one_label_a_sample():
    with pytest.raises(TypeError, match=r"class_weight must be a dict from class to weight, got \[1, 2\]"):
        classifier().fit(*data(), class_weight=[1, 2], verbose=0)
    model = Sequential([Input((4, 5)), Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"needs one label for each sample, got targets of shape \(2, 4, 1\)"):
        model.fit(np.ones((2, 4, 5)), np.zeros((2, 4, 1), int), class_weight={0: 2.0}, verbose=0)


@pytest.mark.parametrize("shuffle", ["batch", 1, 0])
def test_rows_may_stay_together_with_those_of_their_batch(shuffle):
    history = classifier().fit(*data(), shuffle=shuffle, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_weights_of_classes_are_the_same_for_labels_and_one_hot_rows():
    x, y = data()
    weights = {0: 1.0, 1: 3.0, 2: 0.5}
    kept = []
    for loss, targets in (("sparse_categorical_crossentropy", y), ("categorical_crossentropy", np.eye(3)[y])):
        model = classifier(loss=loss)
        model.fit(x, targets, class_weight=weights, verbose=0, shuffle=False)
        kept.append(model.get_weights())
    for a, b in zip(*kept):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_of_soft_targets_the_largest_has_the_weight_of_its_class():
    x, y = data(12)
    soft = np.eye(3)[y] * 0.7 + 0.1
    by_class, by_sample = (classifier(loss="categorical_crossentropy") for _ in range(2))
    by_class.fit(x, soft, class_weight={0: 1.0, 1: 3.0, 2: 0.5}, verbose=0, shuffle=False)
    by_sample.fit(x, soft, sample_weight=np.array([1.0, 3.0, 0.5])[y], verbose=0, shuffle=False)
    for a, b in zip(by_class.get_weights(), by_sample.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("row", [[1, 1, 0], [0, 0, 0], [0.5, 0.2, 0.1], [1.5, -0.5, 0]])
def test_rows_with_several_labels_or_none_have_no_class(row):
    x, y = data(3)
    rows = np.eye(3)[y]
    rows[1] = row
    with pytest.raises(ValueError, match="class_weight needs one class for each sample, got rows with several labels"):
        classifier(loss="categorical_crossentropy").fit(x, rows, class_weight={0: 2.0}, verbose=0)


@pytest.mark.parametrize("batches", [False, True])
@pytest.mark.parametrize("sample_weight", [None, (5,), (5, 4)])
def test_each_step_of_a_sequence_of_labels_has_the_weight_of_its_class(sample_weight, batches):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 4, 5)), rng.integers(0, 3, (5, 4))
    of_steps = np.array([1.0, 3.0, 0.5])[y]
    given = None if sample_weight is None else rng.random(sample_weight)
    wanted = of_steps if given is None else of_steps * given.reshape(5, -1)

    def fitted(class_weight, weights):
        set_random_seed(0)
        model = Sequential([Input((4, 5)), Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        if batches:
            model.fit(iter([(x, y, weights)]), class_weight=class_weight, verbose=0)
        else:
            model.fit(x, y, sample_weight=weights, class_weight=class_weight, verbose=0, shuffle=False)
        return model.get_weights()

    for a, b in zip(fitted({0: 1.0, 1: 3.0, 2: 0.5}, given), fitted(None, wanted)):
        np.testing.assert_array_equal(a, b)


def test_weights_of_classes_need_classes():
    model = Sequential([Input((5,)), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="needs one class for each sample, got the target 0.5"):
        model.fit(np.ones((2, 5)), np.array([0.0, 0.5]), class_weight={0: 2.0}, verbose=0)


def unseen(head, loss, y):
    model = Sequential([Input((5,)), head])
    model.compile("sgd", loss)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(np.ones((len(y), 5)), y, validation_split=0.25, verbose=0)
    return [str(warning.message) for warning in told]


def test_classes_that_only_the_validation_has_are_told_whatever_the_targets_look_like():
    labels = np.repeat([0, 1, 2, 3], 2)
    for y, loss, head in (
        (labels, "sparse_categorical_crossentropy", Dense(4, activation="softmax")),
        (np.eye(4)[labels], "categorical_crossentropy", Dense(4, activation="softmax")),
        (labels // 3, "binary_crossentropy", Dense(1, activation="sigmoid")),
    ):
        (message,) = unseen(head, loss, y)
        assert "training never sees class " in message and "shuffle the data" in message
        assert unseen(head, loss, y[[0, 6, 2, 4, 1, 3, 5, 7]]) == []
    assert unseen(Dense(1, activation="sigmoid"), "binary_crossentropy", labels / 4) == []
    assert unseen(Dense(1), "mse", labels) == []


def test_a_softmax_of_one_unit_is_told_also_where_it_is_an_operation():
    tensor = Input((5,))
    model = Model(tensor, ops.softmax(Dense(1)(tensor)))
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="a softmax of one unit is always 1"):
        model.fit(np.ones((2, 5)), np.ones((2, 1)), verbose=0)
