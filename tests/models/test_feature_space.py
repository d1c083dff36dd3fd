"""FeatureSpace: every kind of column, with the numbers of Keras 3.15; how it is adapted, called, and refused."""

import subprocess
import sys

import numpy as np
import pytest

from scratchnet import layers, registry
from scratchnet.models import Model, load_model
from scratchnet.utils import Dataset, FeatureSpace

RAW = {
    "f": [0.0, 0.1, 0.2, 0.3],
    "g": [1, 2, 3, 4],
    "h": [1.0, 5.0, 3.0, 4.0],
    "d": [1.0, 2.0, 5.0, 9.0],
    "s": ["zero", "one", "two", "one"],
    "i": [0, 1, 2, 2],
    "hs": ["a", "b", "c", "d"],
    "hi": [3, 4, 5, 6],
}
# The places of the ones among what is one-hot, of each row, in the order of the names: d hi hs i s hs_X_i s_X_i.
ONES = [[0, 7, 14, 18, 21, 25, 29], [1, 9, 12, 17, 20, 26, 34], [2, 9, 12, 16, 22, 23, 33], [2, 9, 10, 16, 20, 28, 30]]
FLOATS = [[-1.3416407, 1, 0.5], [-0.4472136, 2, 2.5], [0.4472135, 3, 1.5], [1.3416407, 4, 2]]  # f g h, at 3 to 5


def every_kind(**options):
    features = {
        "f": "float_normalized",
        "g": "float",
        "h": FeatureSpace.float_rescaled(scale=0.5),
        "d": FeatureSpace.float_discretized(num_bins=3),
        "s": "string_categorical",
        "i": "integer_categorical",
        "hs": FeatureSpace.string_hashed(num_bins=5),
        "hi": FeatureSpace.integer_hashed(num_bins=4),
    }
    crosses = [("s", "i"), FeatureSpace.cross(("hs", "i"), crossing_dim=6)]
    return FeatureSpace(features, crosses=crosses, crossing_dim=8, **options)


def expected():
    y = np.zeros((4, 37))
    for row, (ones, floats) in enumerate(zip(ONES, FLOATS)):
        y[row, ones] = 1
        y[row, 3:6] = floats
    return y


def adapted(features, data, **options):
    space = FeatureSpace(features, **options)
    space.adapt(data)
    return space


def test_every_kind_of_column_as_in_keras():
    space = every_kind()
    space.adapt(RAW)
    y = space(RAW)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected(), rtol=1e-6)
    np.testing.assert_allclose(space({name: np.array(column) for name, column in RAW.items()}), y)
    np.testing.assert_allclose(space({name: np.array(column)[:, None] for name, column in RAW.items()}), y)
    one_row = space({name: column[1] for name, column in RAW.items()})
    np.testing.assert_allclose(one_row, y[1])
    assert list(space.crossers) == ["s_X_i", "hs_X_i"] and space.preprocessors["i"].vocabulary_size() == 4


@pytest.mark.parametrize("by", ["rows", "batches", "columns", "generator"])
def test_what_it_is_adapted_to(by):
    rows = Dataset.from_tensor_slices(RAW)
    data = {
        "rows": rows,
        "batches": rows.batch(3),
        "columns": rows.batch(4).map(lambda part: {name: column[:, None] for name, column in part.items()}),
        "generator": (part for part in rows.batch(2)),
    }[by]
    space = every_kind()
    space.adapt(data)
    found = np.delete(space(RAW), range(3), axis=1)  # boundaries of bins depend on how the data come
    np.testing.assert_allclose(found, np.delete(expected(), range(3), axis=1), rtol=1e-6)


def test_more_rows_than_are_taken_at_once():
    x = np.arange(70.0)
    space = adapted({"x": "float_normalized"}, {"x": x})
    np.testing.assert_allclose(space({"x": x})[:, 0], (x - x.mean()) / x.std(), rtol=1e-5)


def test_a_dict_of_what_became_of_each_column():
    space = adapted(
        {"s": FeatureSpace.string_categorical(output_mode="int"), "x": "float"},
        RAW | {"x": RAW["f"]},
        output_mode="dict",
        crosses=[FeatureSpace.cross(("s", "s"), crossing_dim=7, output_mode="int")],
    )
    found = space({"s": RAW["s"], "x": RAW["f"]})
    assert list(found) == ["s", "x", "s_X_s"]
    np.testing.assert_array_equal(found["s"], [[2], [1], [3], [1]])
    assert found["s_X_s"].shape == (4, 1) and found["s_X_s"].dtype == np.int64
    assert {name: t.dtype for name, t in space.get_encoded_features().items()} == {
        "s": "int64",
        "x": "float32",
        "s_X_s": "int64",
    }
    row = space({"s": "two", "x": 0.5})
    assert row["s"].tolist() == [3] and row["x"].tolist() == [0.5]


def test_models_on_encoded_and_on_raw_columns():
    space = every_kind()
    space.adapt(RAW)
    encoded = space.get_encoded_features()
    assert encoded.shape == (None, 37) and space.get_inputs()["s"].dtype == "string"
    outputs = layers.Dense(2)(encoded)
    on_rows, on_columns = Model(encoded, outputs), Model(space.get_inputs(), outputs)
    on_rows.compile("sgd", "mse")
    data = Dataset.from_tensor_slices((RAW, np.ones((4, 2)))).batch(2).map(lambda x, y: (space(x), y))
    assert len(on_rows.fit(data, epochs=2, verbose=0).history["loss"]) == 2
    columns = {name: np.array(column) for name, column in RAW.items()}
    np.testing.assert_allclose(on_columns.predict(columns, verbose=0), on_rows.predict(space(RAW), verbose=0))
    assert space({name: tensor for name, tensor in space.get_inputs().items()}).shape == (None, 37)


def test_layers_of_ones_own():
    texts = {"t": ["a b", "b c", "a a b", "d"]}
    vectorized = layers.TextVectorization(output_mode="multi_hot")
    space = adapted({"t": FeatureSpace.feature("string", vectorized, "float")}, texts)
    assert space(texts).shape == (4, 5)
    given = layers.StringLookup(vocabulary=["x", "y"])
    space = FeatureSpace(
        {
            "s": FeatureSpace.feature("string", given, "one_hot"),
            "b": FeatureSpace.float_discretized(None, bin_boundaries=[0.0, 1.0]),
            "n": FeatureSpace.feature("float32", layers.Normalization(mean=1.0, variance=4.0), "float"),
            "t": FeatureSpace.feature(
                "string", layers.TextVectorization(vocabulary=["a"], output_mode="count"), "float"
            ),
        }
    )
    found = space({"s": ["y"], "b": [0.5], "n": [3.0], "t": ["a a"]})  # there is nothing to adapt
    np.testing.assert_allclose(found, [[0, 1, 0, 1, 0, 0, 1, 0, 2]])


@pytest.mark.parametrize("of", ["npz", "config"])
def test_there_and_back(tmp_path, of):
    space = every_kind(name="table")
    space.adapt(RAW)
    if of == "npz":
        space.save(tmp_path / "space.npz")
        again = load_model(tmp_path / "space.npz")
        assert not again.built  # which columns are one-hot is looked at when it is used
    else:
        again = registry.clone(space)
        again.preprocessors["f"].state["mean"][...] = space.preprocessors["f"].state["mean"]
        again.preprocessors["f"].state["variance"][...] = space.preprocessors["f"].state["variance"]
    np.testing.assert_array_equal(again(RAW), space(RAW))


def test_vocabularies_beside_the_configuration(tmp_path):
    pytest.importorskip("h5py")
    space = every_kind()
    space.adapt(RAW)
    space.save(tmp_path / "space.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "space.keras")(RAW), space(RAW))


def test_what_was_never_adapted():
    space = FeatureSpace({"n": "integer_hashed"}, hashing_dim=3)
    assert space.get_build_config() is None
    assert space({"n": [7, 8]}).shape == (2, 3)
    assert space.get_build_config() == {"n": {"input_shape": [None, 1]}}


def test_files_are_read_by_a_program_that_imports_nothing_else(tmp_path):
    adapted({"x": "float"}, {"x": [1.0]}).save(tmp_path / "space.npz")
    program = (
        f"from scratchnet.saving import load_model; print(load_model({str(tmp_path / 'space.npz')!r})({{'x': [2.0]}}))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[[2.]]"


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: FeatureSpace({}), "needs features"),
        (lambda: FeatureSpace({"a": "float"}, output_mode="list"), "output_mode"),
        (lambda: FeatureSpace({"a": "int"}), "no known kind, 'int'"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), r"not among the features: \['b'\]"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "a")], crossing_dim=None), "crossing_dim"),
        (lambda: FeatureSpace.cross(("a", "b"), 3, output_mode="float"), "output_mode must be one of int, one_hot"),
        (lambda: FeatureSpace.feature("string", layers.Identity(), "multi_hot"), "int, one_hot, float"),
        (lambda: FeatureSpace({"a": "float_normalized"}).get_inputs(), r"must be adapted first, by adapt\(data\): a"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt([]), "no data"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt([[1.0]]), "an iterable of such dicts, got list"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt({"b": [1.0]}), "no column 'a': there are b"),
        (lambda: FeatureSpace({"a": "float"})([1.0]), "a dict of columns, got list"),
        (lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), "expected the columns a, got b"),
        (
            lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, output_mode="int")}).get_inputs(),
            "cannot be concatenated",
        ),
        (
            lambda: FeatureSpace({"a": FeatureSpace.feature("float32", layers.Identity(), "one_hot")}).get_inputs(),
            "gives float32",
        ),
        (
            lambda: FeatureSpace({"a": FeatureSpace.feature("int32", layers.Identity(), "one_hot")}).get_inputs(),
            'unknown; say "int"',
        ),
    ],
)
def test_what_is_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()
