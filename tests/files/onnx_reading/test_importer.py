"""ONNX files as models: what PyTorch exported, and every operation beside onnxruntime's result."""

import io
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from scratchnet.models import load_model, load_onnx
from tests.files.fuzzing import check_reader
from tests.files.torch_twins import TWINS, content, extract

RNG = np.random.default_rng(0)


def torch_data(name):
    with np.load(io.BytesIO(content(f"{name}.npz"))) as file:
        return file["x"], file["y"]


@pytest.mark.parametrize("name", [*TWINS, "both_ways"])
def test_what_pytorch_exported_predicts_the_same(tmp_path, name):
    model = load_onnx(extract(f"{name}.onnx", tmp_path))
    x, y = torch_data(name)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, atol=1e-5)


def numbers(*shape):
    return RNG.normal(size=shape).astype("float32")


def ints(*values):
    return np.array(values, np.int64)


def save(path, nodes, inputs, constants=(), opset=17, outputs=("y",)):
    """Write a graph of nodes ``(kind, inputs, outputs, attributes)`` over inputs ``{name: array}``."""
    graph = helper.make_graph(
        [helper.make_node(kind, i, o, **attributes) for kind, i, o, attributes in nodes],
        "graph",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), ["batch", *array.shape[1:]]
            )
            for name, array in inputs.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in dict(constants).items()],
    )
    for output in graph.output:
        output.type.Clear()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)


def check(path, inputs):
    """Compare the model with onnxruntime."""
    session = onnxruntime.InferenceSession(path)
    expected = session.run(None, inputs)
    model = load_onnx(path)
    xs = list(inputs.values())
    found = model.predict(xs if len(xs) > 1 else xs[0], verbose=0)
    found = found if isinstance(found, list) else [found]
    assert len(found) == len(expected)
    for one, two in zip(found, expected):
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two, atol=1e-5, rtol=1e-4)


def one(kind, constants=(), x=(3, 4, 6, 5), more=(), opset=17, outputs=("y",), **attributes):
    """A graph of one node with the input x, constants and further inputs."""
    inputs = {"x": numbers(*x), **{f"x{k}": numbers(*shape) for k, shape in enumerate(more)}}
    named = {f"c{k}": value for k, value in enumerate(constants) if value is not None}
    names = [*inputs, *(f"c{k}" if value is not None else "" for k, value in enumerate(constants))]
    return [(kind, names, list(outputs), attributes)], inputs, named, opset, outputs


image, kernel = (3, 4, 6, 5), numbers(8, 4, 3, 2)
CASES = {
    "Conv": one("Conv", [kernel, numbers(8)]),
    "Conv without bias, strided": one("Conv", [kernel], strides=[2, 1]),
    "Conv padded": one("Conv", [kernel], pads=[1, 0, 2, 1], dilations=[2, 1]),
    "Conv padded as Keras does": one("Conv", [kernel], auto_pad="SAME_UPPER", strides=[2, 2]),
    "Conv padded in front": one("Conv", [kernel], auto_pad="SAME_LOWER", strides=[2, 2]),
    "Conv strided and dilated": one("Conv", [kernel], x=(2, 4, 9, 9), strides=[2, 2], dilations=[2, 2], pads=[1] * 4),
    "Conv in groups": one("Conv", [numbers(8, 2, 3, 3), numbers(8)], group=2, pads=[1] * 4),
    "Conv depthwise": one("Conv", [numbers(8, 1, 3, 3), numbers(8)], group=4, pads=[1] * 4),
    "Conv depthwise, odd strides": one("Conv", [numbers(4, 1, 3, 3)], group=4, strides=[1, 2]),
    "Conv of a line": one("Conv", [numbers(5, 4, 3)], x=(3, 4, 7), pads=[2, 0]),
    "Conv of a volume": one("Conv", [numbers(5, 2, 2, 2, 2)], x=(2, 2, 4, 4, 4)),
    "ConvTranspose": one("ConvTranspose", [numbers(4, 3, 3, 3), numbers(3)], strides=[2, 2]),
    "ConvTranspose cropped": one(
        "ConvTranspose", [numbers(4, 3, 3, 3), numbers(3)], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]
    ),
    "ConvTranspose beyond its windows": one(
        "ConvTranspose", [numbers(4, 3, 2, 2), numbers(3)], strides=[3, 3], output_padding=[2, 1]
    ),
    "ConvTranspose of a line": one("ConvTranspose", [numbers(4, 3, 3)], x=(2, 4, 5), strides=[2], pads=[0, 1]),
    "MaxPool": one("MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
    "MaxPool padded": one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "MaxPool to the end": one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "MaxPool of a line": one("MaxPool", x=(2, 3, 7), kernel_shape=[3], auto_pad="SAME_UPPER", strides=[2]),
    "AveragePool": one("AveragePool", kernel_shape=[2, 2]),
    "AveragePool padded": one("AveragePool", kernel_shape=[3, 3], pads=[1, 0, 0, 1]),
    "AveragePool padded as Keras does": one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "AveragePool, padding counts": one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    "AveragePool to the end": one("AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "GlobalAveragePool": one("GlobalAveragePool"),
    "GlobalMaxPool": one("GlobalMaxPool", x=(2, 3, 7)),
    "Gemm": one("Gemm", [numbers(4, 3), numbers(3)], x=(3, 4)),
    "Gemm, scaled": one("Gemm", [numbers(3, 4), numbers(1)], x=(3, 4), transB=1, alpha=0.5, beta=2.0),
    "MatMul": one("MatMul", [numbers(5, 3)]),
    "MatMul of two": one("MatMul", x=(3, 2, 4, 5), more=[(3, 2, 5, 6)]),
    "MatMul of a constant": one("MatMul", x=(3, 4, 5), more=[(3, 5, 2)]),
    "BatchNormalization": one("BatchNormalization", [*numbers(3, 4), numbers(4) ** 2], epsilon=0.01),
    "BatchNormalization of rows": one(
        "BatchNormalization", [numbers(4), numbers(4), numbers(4), numbers(4) ** 2], x=(3, 4)
    ),
    "InstanceNormalization": one("InstanceNormalization", [numbers(4), numbers(4)]),
    "LayerNormalization": one("LayerNormalization", [numbers(5), numbers(5)]),
    "LayerNormalization of images": one("LayerNormalization", [numbers(4, 6, 5)], axis=1, epsilon=0.1),
    "LRN": one("LRN", size=3, alpha=0.1, beta=0.6, bias=2.0),
    "PRelu": one("PRelu", [numbers(4, 1, 1)]),
    "PRelu of all": one("PRelu", [numbers(4, 6, 5)]),
    "Clip": one("Clip", [np.float32(-0.5), np.float32(0.5)]),
    "Clip to six": one("Clip", [np.float32(0), np.float32(6)]),
    "Clip from below": one("Clip", [np.float32(0.2)]),
    "LeakyRelu": one("LeakyRelu", alpha=0.3),
    "Elu": one("Elu", alpha=0.5),
    "Selu of others": one("Selu", alpha=1.5, gamma=2.0),
    "HardSigmoid": one("HardSigmoid"),
    "Celu": one("Celu", alpha=0.7),
    **{
        kind: one(kind)
        for kind in ("Relu Selu Sigmoid Tanh Softplus Softsign HardSwish Exp Abs Neg Erf Floor Ceil Sign Sin "
                     "Identity").split()
    },
    "Gelu": one("Gelu", opset=20),
    "Gelu by tanh": one("Gelu", opset=20, approximate="tanh"),
    "Mish": one("Mish", opset=18),
    "Softmax": one("Softmax", axis=1),
    "LogSoftmax": one("LogSoftmax"),
    "Softmax of old": one("Softmax", opset=11),
    "Softmax of old, of rows": one("Softmax", opset=11, x=(3, 4)),
    **{kind: one(kind, more=[(3, 4, 6, 5)]) for kind in "Add Sub Mul Div Max Min Sum Mean".split()},
    "Add to channels": one("Add", [numbers(4, 1, 1)]),
    "Add to the last axis": one("Add", [numbers(5)]),
    "Pow": one("Pow", [np.float32(2)]),
    "ReduceMean over the image": one("ReduceMean", axes=[2, 3], keepdims=0),
    "ReduceMean kept": one("ReduceMean", axes=[-1]),
    "ReduceSum": one("ReduceSum", [ints(1)], keepdims=0),
    "ReduceMax": one("ReduceMax", axes=[2]),
    "ReduceL2": one("ReduceL2", axes=[1]),
    "Pad": one("Pad", [ints(0, 0, 1, 0, 0, 1, 0, 2), np.float32(0.5)]),
    "Pad by reflection": one("Pad", [ints(0, 0, 1, 0, 0, 0, 0, 2)], mode="reflect"),
    "Pad of some axes": one("Pad", [ints(1, 2), None, ints(3)], opset=18),
    "Slice": one("Slice", [ints(1, -2), ints(2**62, -1), ints(2, 3)]),
    "Slice backwards": one("Slice", [ints(-1), ints(-(2**62)), ints(3), ints(-2)]),
    "Gather one": one("Gather", [np.int64(-1)], axis=2),
    "Gather some": one("Gather", [ints(2, 0, 0)], axis=1),
    "Transpose": one("Transpose", perm=[0, 2, 3, 1]),
    "Reshape": one("Reshape", [ints(0, 2, -1)]),
    "Flatten": one("Flatten"),
    "Squeeze": one("Squeeze", [ints(2)], x=(3, 4, 1, 5)),
    "Unsqueeze": one("Unsqueeze", [ints(1, -1)]),
    "Split": one("Split", [ints(1, 3)], axis=1, outputs=("y", "z")),
    "Expand": one("Expand", [ints(1, 4, 6, 5)], x=(3, 1, 6, 1)),
    "Tile": one("Tile", [ints(1, 2, 1, 3)]),
    "Concat": one("Concat", more=[(3, 2, 6, 5)], axis=1),
    "Resize": one("Resize", [None, np.array([1, 1, 2, 3], "f4")], mode="nearest", nearest_mode="floor",
                  coordinate_transformation_mode="asymmetric"),
    "Resize by lines": one("Resize", [None, np.array([1, 1, 2, 2], "f4")], mode="linear"),
    "Upsample": one("Upsample", [np.array([1, 1, 2, 2], "f4")], opset=9),
    "Dropout": one("Dropout"),
}  # fmt: skip
for direction, D in {"forward": 1, "reverse": 1, "bidirectional": 2}.items():
    sequence = {"x": (4, 3, 5), "direction": direction, "hidden_size": 2}
    both = dict(sequence, outputs=("y", "h"))
    CASES[f"RNN {direction}"] = one("RNN", [numbers(D, 2, 5), numbers(D, 2, 2), numbers(D, 4)], layout=1, **both)
    for before in (0, 1):
        weights = [numbers(D, 6, 5), numbers(D, 6, 2), numbers(D, 12)]
        CASES[f"GRU {direction} {before}"] = one("GRU", weights, layout=1, linear_before_reset=before, **both)
    weights = [numbers(D, 8, 5), numbers(D, 8, 2), numbers(D, 16)]
    CASES[f"LSTM {direction}"] = one("LSTM", weights, layout=1, **dict(sequence, outputs=("y", "h", "c")))


def with_samples_first(case):
    """onnxruntime knows no layout=1: time goes in front, and comes back behind."""
    nodes, inputs, constants, opset, outputs = case
    kind, names, made, attributes = nodes[0]
    if not attributes.pop("layout", 0):
        return case
    attributes = dict(attributes)
    back = {"y": [2, 0, 1, 3], "h": [1, 0, 2], "c": [1, 0, 2]}
    nodes = [
        ("Transpose", ["x"], ["time first"], {"perm": [1, 0, 2]}),
        (kind, ["time first", *names[1:]], [f"{name} of time" for name in made], attributes),
        *[("Transpose", [f"{name} of time"], [name], {"perm": back[name]}) for name in made],
    ]
    return nodes, inputs, constants, opset, outputs


@pytest.mark.parametrize("name", CASES)
def test_operations_compute_what_onnxruntime_computes(tmp_path, name):
    nodes, inputs, constants, opset, outputs = with_samples_first(CASES[name])
    path = str(tmp_path / "m.onnx")
    save(path, nodes, inputs, constants, opset, outputs)
    check(path, inputs)


def test_images_are_turned_once_where_they_come_in_and_once_where_they_leave(tmp_path):
    path = str(tmp_path / "m.onnx")
    nodes = [
        ("Conv", ["x", "k"], ["a"], {"pads": [1, 1, 1, 1]}),
        ("Relu", ["a"], ["b"], {}),
        ("Add", ["b", "x"], ["c"], {}),
        ("Conv", ["c", "k"], ["d"], {}),
        ("MaxPool", ["d"], ["y"], {"kernel_shape": [2, 2]}),
    ]
    inputs = {"x": numbers(2, 4, 6, 6)}
    save(path, nodes, inputs, {"k": numbers(4, 4, 3, 3)})
    check(path, inputs)
    kinds = [type(node).__name__ for node in load_onnx(path).nodes]
    assert kinds.count("OperationNode") == 3  # two transpositions, one sum


def test_sizes_that_are_computed_in_the_graph_do_not_fix_the_batch(tmp_path):
    path = str(tmp_path / "m.onnx")
    nodes = [
        ("Shape", ["x"], ["sizes"], {}),
        ("Gather", ["sizes", "zero"], ["batch"], {}),
        ("Unsqueeze", ["batch", "axis"], ["batches"], {}),
        ("Concat", ["batches", "rest"], ["shape"], {"axis": 0}),
        ("Reshape", ["x", "shape"], ["y"], {}),
    ]
    inputs = {"x": numbers(3, 4, 5)}
    save(path, nodes, inputs, {"zero": np.int64(0), "axis": ints(0), "rest": ints(2, 10)})
    check(path, inputs)
    check(path, {"x": numbers(7, 4, 5)})


def test_embeddings_and_classes_are_looked_up(tmp_path):
    path = str(tmp_path / "m.onnx")
    nodes = [("Gather", ["table", "x"], ["e"], {}), ("ReduceMean", ["e"], ["y"], {"axes": [1], "keepdims": 0})]
    inputs = {"x": RNG.integers(0, 7, (3, 4))}
    save(path, nodes, inputs, {"table": numbers(7, 2)})
    check(path, inputs)


def test_a_model_that_was_read_can_be_trained_and_saved(tmp_path):
    model = load_onnx(extract("grouped.onnx", tmp_path))
    x, y = torch_data("grouped")
    model.compile("adam", "mse")
    before = model.evaluate(x, y + 1, verbose=0)
    model.fit(x, y + 1, epochs=20, verbose=0)
    assert model.evaluate(x, y + 1, verbose=0) < before
    model.save(tmp_path / "m.npz")
    loaded = load_model(tmp_path / "m.npz")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


REFUSED = {
    "an operation that is missing": ([("Det", ["x"], ["y"], {})], "a node Det: there is nothing here .*'Det'"),
    "of another domain": ([("Conv", ["x"], ["y"], {"domain": "com.somebody"})], "domain 'com.somebody'"),
    "mixes samples": (
        [("Transpose", ["x"], ["a"], {"perm": [1, 0, 2]}), ("Flatten", ["a"], ["y"], {})],
        "a node Flatten: .*mixes samples",
    ),
    "sums over samples": ([("ReduceMean", ["x"], ["y"], {"axes": [0]})], "along the axis of the samples"),
    "reads what nobody made": ([("Relu", ["nowhere"], ["y"], {})], "'nowhere', which nobody has computed"),
    "weights from the inputs": ([("MatMul", ["x", "x"], ["a"], {}), ("Gemm", ["a", "x"], ["y"], {})], "Gemm"),
    "an output that is a constant": ([("Constant", [], ["y"], {"value_float": 1.0})], "does not depend on the inputs"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_become_a_model_is_named(tmp_path, name):
    nodes, message = REFUSED[name]
    path = str(tmp_path / "m.onnx")
    save(path, nodes, {"x": numbers(3, 4, 4)})
    with pytest.raises(ValueError, match=f"m.onnx .*({message})"):
        load_onnx(path)


def test_constants_that_no_honest_graph_computes_are_not_computed(tmp_path):
    path = str(tmp_path / "m.onnx")
    bombs = [
        [("ConstantOfShape", ["large"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})],
        [("Expand", ["one", "large"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})],
        [("Tile", ["one", "large"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})],
        [("Range", ["zero", "far", "step"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})],
    ]
    constants = {"large": ints(10**6, 10**6), "one": numbers(1, 1), "zero": np.int64(0), "far": np.int64(2**60)}
    for nodes in bombs:
        save(path, nodes, {"x": numbers(3, 4)}, {**constants, "step": np.int64(1)})
        with pytest.raises(ValueError, match="m.onnx .*would compute a constant of"):
            load_onnx(path)


def save_with_arrays_beside(tmp_path):
    """A model that adds c (4,) to x, with c in another file."""
    path, c = str(tmp_path / "m.onnx"), numbers(4)
    save(path, [("Add", ["x", "c"], ["y"], {})], {"x": numbers(3, 4)}, {"c": c})
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="m.data", size_threshold=0)
    return path, c


def test_arrays_are_read_from_files_beside_it(tmp_path):
    path, c = save_with_arrays_beside(tmp_path)
    x = numbers(3, 4)
    np.testing.assert_allclose(load_onnx(path).predict(x, verbose=0), x + c, rtol=1e-6)


@pytest.mark.parametrize(
    "key, value, problem",
    [
        ("location", "../m.data", "no file beside it"),
        ("location", "/etc/passwd", "no file beside it"),
        ("location", "", "no file beside it"),
        ("location", "other.data", "there is no file"),
        ("offset", "1000", "has 0 bytes"),
        ("offset", "-1", "needs 16 bytes"),
        ("offset", "x", "damaged"),
        ("length", "1000", "needs 16 bytes"),
        (None, None, "less than the arrays in it need"),
    ],
)
def test_places_in_other_files_that_make_no_sense_are_refused(tmp_path, key, value, problem):
    path, _ = save_with_arrays_beside(tmp_path)
    model = onnx.load(path, load_external_data=False)
    tensor = model.graph.initializer[0]
    if key is None:  # the same bytes twice, which makes more of them than there are
        model.graph.initializer.append(tensor)
    else:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        del tensor.external_data[:]
        for name, text in {**entries, key: value}.items():
            tensor.external_data.add(key=name, value=text)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=rf"m\.onnx .*{problem}"):
        load_onnx(path)


def test_arrays_that_lie_are_refused(tmp_path):
    path = str(tmp_path / "m.onnx")
    save(path, [("Add", ["x", "c"], ["y"], {})], {"x": numbers(3, 4)}, {"c": numbers(4)})
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    for change in (
        lambda: tensor.dims.__setitem__(0, 10**9),
        lambda: tensor.dims.__setitem__(0, -4),
        lambda: setattr(tensor, "data_type", TensorProto.STRING),
        lambda: setattr(tensor, "data_location", TensorProto.EXTERNAL),
    ):
        tensor.CopyFrom(numpy_helper.from_array(numbers(4), "c"))
        change()
        with open(path, "wb") as file:
            file.write(model.SerializeToString())
        with pytest.raises(ValueError, match=r"m\.onnx is damaged or not a model in an ONNX file: the array 'c'"):
            load_onnx(path)


def test_without_the_package_the_message_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match="pip install onnx"):
        load_onnx(extract("rnn.onnx", tmp_path))


@pytest.mark.parametrize("name", ["attention", "grouped", "lstm"])
def test_every_damage_is_a_value_error_that_names_the_file(tmp_path, name):
    check_reader(load_onnx, content(f"{name}.onnx"), tmp_path / f"{name}.onnx")
