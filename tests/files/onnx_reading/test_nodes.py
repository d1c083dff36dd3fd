"""Rarer forms of ONNX's operations beside onnxruntime's results, and those that are refused, with the reason."""

import numpy as np
import onnx
import pytest

from scratchnet.models import load_onnx
from tests.files.onnx_reading.test_importer import check, ints, numbers, one, save

CASES = {
    "Conv without a sign of padding": one("Conv", [numbers(2, 4, 3, 3)], auto_pad="VALID"),
    "Gemm without a summand": one("Gemm", [numbers(4, 3)], x=(3, 4)),
    "Gemm with a number": one("Gemm", [numbers(4, 3), np.float32(0.5)], x=(3, 4)),
    "MatMul on the left": (
        [("MatMul", ["m", "x"], ["y"], {})], {"x": numbers(3, 4, 5)}, {"m": numbers(1, 2, 4)}, 17, "y"
    ),
    "Selu": one("Selu", alpha=1.6732632, gamma=1.050701),
    "HardSigmoid of PyTorch": one("HardSigmoid", alpha=1 / 6, beta=0.5),
    "Clip from above": one("Clip", [None, np.float32(0.2)]),
    "Clip of old": one("Clip", opset=10, min=-0.1, max=0.4),
    "Softmax of old, of images": one("Softmax", x=(3, 2, 2, 2), opset=11, axis=1),
    "ReduceSum of nothing": one("ReduceSum", noop_with_empty_axes=1),
    "ArgMax": one("ArgMax", axis=1),
    "ArgMin, not kept": one("ArgMin", axis=-1, keepdims=0),
    "Cast": one("Cast", to=6),
    "Cast to what it is": one("Cast", to=1),
    "Split in equal parts": one("Split", axis=1, opset=13, outputs=("y", "z")),
    "Split of old": one("Split", axis=2, split=[2, 4], opset=11, outputs=("y", "z")),
    "Split by a number": one("Split", axis=2, num_outputs=4, opset=18, outputs=("a", "b", "c", "d")),
    "Squeeze of all": one("Squeeze", x=(3, 1, 4, 1)),
    "Squeeze of old": one("Squeeze", x=(3, 1, 4), axes=[1], opset=11),
    "Unsqueeze of old": one("Unsqueeze", axes=[1], opset=11),
    "Slice of old": one("Slice", opset=9, starts=[1], ends=[3], axes=[2]),
    "Pad of old": one("Pad", opset=10, pads=[0, 0, 1, 0, 0, 0, 0, 1], value=0.5),
    "Pad by edges": one("Pad", [ints(0, 0, 1, 0, 0, 0, 0, 2)], mode="edge"),
    "Pad of axes by name": one("Pad", [ints(1, 0), np.float32(0.0), ints(-1)], opset=18),
    "Expand of nothing": one("Expand", [ints(6, 5)]),
    "Expand the rest": one("Expand", [ints(5)], x=(3, 4, 1)),
    "Tile of nothing": one("Tile", [ints(1, 1, 1, 1)]),
    "Where": (
        [("Greater", ["x", "z"], ["b"], {}), ("Where", ["b", "x", "w"], ["y"], {})],
        {"x": numbers(3, 4)}, {"z": np.float32(0), "w": numbers(4)}, 17, "y",
    ),
    "Concat with a constant": (
        [("Concat", ["x", "k"], ["y"], {"axis": 1})], {"x": numbers(1, 4, 5)}, {"k": numbers(1, 2, 5)}, 17, "y"
    ),
    "ranks that differ": (
        [("Unsqueeze", ["x", "axis"], ["u"], {}), ("Mul", ["u", "v"], ["y"], {})],
        {"x": numbers(3, 4)}, {"axis": ints(1), "v": numbers(2, 1)}, 17, "y",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rarer_forms_compute_what_onnxruntime_computes(tmp_path, name):
    nodes, inputs, constants, opset, outputs = CASES[name]
    path = str(tmp_path / "m.onnx")
    save(path, nodes, inputs, constants, opset, list(outputs))
    check(path, inputs)


def folded(*nodes, **constants):
    """A graph that adds to x (3, 4) a constant c, which these nodes compute of other constants."""
    return [*nodes, ("Cast", ["c"], ["f"], {"to": 1}), ("Add", ["x", "f"], ["y"], {})], constants


FOLDED = {
    "ConstantOfShape": folded(("ConstantOfShape", ["s"], ["c"], {}), s=ints(1, 4)),
    "Range": folded(("Range", ["a", "b", "d"], ["c"], {}), a=np.int64(0), b=np.int64(8), d=np.int64(2)),
    "Expand": folded(("Expand", ["a", "s"], ["c"], {}), a=numbers(1, 1), s=ints(1, 4)),
    "Tile": folded(("Tile", ["a", "s"], ["c"], {}), a=numbers(1, 2), s=ints(1, 2)),
    "Reshape": folded(("Reshape", ["a", "s"], ["c"], {}), a=numbers(2, 2), s=ints(1, -1)),
    "Squeeze": folded(("Squeeze", ["a"], ["c"], {}), a=numbers(1, 4, 1)),
    "Slice": folded(("Slice", ["a", "s", "e"], ["c"], {}), a=numbers(6), s=ints(1), e=ints(5)),
    "Div of integers": folded(("Div", ["a", "b"], ["c"], {}), a=ints(7, -7, 8, -8), b=ints(2, 2, -3, -3)),
    "Div": folded(("Div", ["a", "b"], ["c"], {}), a=numbers(4), b=numbers(4)),
    "ReduceSum": folded(("ReduceSum", ["a", "s"], ["c"], {}), a=numbers(3, 4), s=ints(0)),
    "ReduceMax": folded(("ReduceMax", ["a"], ["c"], {"axes": [0], "keepdims": 0}), a=numbers(3, 4)),
    "Split": folded(("Split", ["a", "s"], ["b", "c"], {"axis": 0}), a=numbers(6), s=ints(2, 4)),
    "Split of the whole": folded(("Split", ["a"], ["c"], {"axis": 0, "num_outputs": 1}), a=numbers(4)),
    "Concat": folded(("Concat", ["a", "b"], ["c"], {"axis": 0}), a=numbers(1), b=numbers(3)),
    "Constants": folded(
        ("Constant", [], ["a"], {"value_ints": [1, 2, 3, 4]}), ("Constant", [], ["b"], {"value_int": 2}),
        ("Mul", ["a", "b"], ["c"], {}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDED)
def test_what_is_computed_of_constants_alone_is_a_constant(tmp_path, name):
    nodes, constants = FOLDED[name]
    path, inputs = str(tmp_path / "m.onnx"), {"x": numbers(3, 4)}
    save(path, nodes, inputs, constants, opset=18 if "num_outputs" in str(nodes) else 17)
    check(path, inputs)


def test_sizes_can_be_asked_for(tmp_path):
    path, inputs = str(tmp_path / "m.onnx"), {"x": numbers(3, 4, 5)}
    nodes = [
        ("Shape", ["x"], ["rest"], {"start": 1}),
        ("Cast", ["rest"], ["sizes"], {"to": 1}),
        ("ReduceProd", ["sizes"], ["count"], {"keepdims": 0}),
        ("Mul", ["x", "count"], ["y"], {}),
    ]
    save(path, nodes, inputs)
    check(path, inputs)


def recurrent(kind="LSTM", gates=4, inputs=(), **attributes):
    """A node over x (3, 4, 4), time first, and its weights."""
    names = ["x", "W", "R", "B", *inputs]
    weights = {"W": numbers(1, gates * 2, 4), "R": numbers(1, gates * 2, 2), "B": numbers(1, gates * 4)}
    return [
        ("Transpose", ["samples"], ["x"], {"perm": [1, 0, 2]}),
        (kind, names, ["", "y"], {"hidden_size": 2, **attributes}),
    ], weights


REFUSED = {
    "peepholes": (*recurrent(inputs=["", "", "", "P"]), {"P": numbers(1, 6)}, "peepholes"),
    "lengths": (*recurrent(inputs=["n"]), {"n": np.array([4, 4, 4], "i4")}, "sequence_lens"),
    "clip": (*recurrent(clip=1.0), {}, "clip and input_forget"),
    "weights of another size": (*recurrent(gates=3), {}, "its weights have shapes"),
    "activations": (*recurrent(activations=["Sigmoid", "Tanh", "Relu"]), {}, "its activations are"),
    "a beginning": (
        *recurrent(inputs=["", "h", "c"]),
        {"h": numbers(1, 3, 2), "c": numbers(1, 3, 2)},
        "other than zero",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_recurrent_layers_that_are_none_of_ours_are_refused(tmp_path, name):
    nodes, weights, more, problem = REFUSED[name]
    path = str(tmp_path / "m.onnx")
    save(path, nodes, {"samples": numbers(3, 4, 4)}, {**weights, **more})
    with pytest.raises(ValueError, match=rf"m\.onnx .*{problem}"):
        load_onnx(path)


NODES = {
    "a kernel of inputs": (one("Conv", more=[(3, 4, 2, 2)]), "weights depend on the inputs"),
    "a kernel of other channels": (one("Conv", [numbers(2, 3, 3, 3)]), "weight 'kernel' has shape"),
    "an image of rank 2": (one("Conv", [numbers(2, 4)], x=(3, 4)), "has 2 axes"),
    "a transposed one in groups": (one("ConvTranspose", [numbers(4, 2, 3, 3)], group=2), "groups, or pads by itself"),
    "a transposed one of a shape": (one("ConvTranspose", [numbers(4, 2, 3, 3)], output_shape=[9, 9]), "output_shape"),
    "a pool with dilations": (one("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]), "dilations"),
    "a pool's places": (one("MaxPool", kernel_shape=[2, 2], outputs=("y", "i")), "where the maxima were"),
    "a summand of another shape": (one("Gemm", [numbers(4, 3), numbers(3, 3)], x=(3, 4)), "its summand has shape"),
    "two inputs": (one("Gemm", x=(3, 4), more=[(4, 3)]), "must be a constant"),
    "the samples in front": (one("Gemm", [numbers(3, 3)], x=(3, 4), transA=1), "no samples as rows"),
    "training": (one("BatchNormalization", [*numbers(3, 4), numbers(4) ** 2], training_mode=1), "training mode"),
    "a slope of inputs": (one("PRelu", more=[(3, 4, 6, 5)]), "slope depends on the inputs"),
    "a mode": (one("Pad", [ints(0, 0, 1, 0, 0, 0, 0, 2)], mode="wrap", opset=19), "its mode is 'wrap'"),
    "a cut": (one("Pad", [ints(0, 0, -1, 0, 0, 0, 0, 0)]), "cut, or pad the samples"),
    "padded samples": (one("Pad", [ints(1, 0, 0, 0, 0, 0, 0, 0)]), "cut, or pad the samples"),
    "repeated samples": (one("Tile", [ints(2, 1, 1, 1)]), "repeats samples"),
    "more axes": (one("Expand", [ints(2, 1, 1, 1, 1)]), "adds axes"),
    "some samples": (one("Slice", [ints(1), ints(2), ints(0)]), "some of the samples"),
    "a strange order": (one("Transpose", perm=[0, 0, 1, 2]), "no order of 4 axes"),
    "an axis of another size": (one("Squeeze", [ints(1)]), "has not size 1"),
    "an axis that is not there": (one("ReduceMean", axes=[7]), "there is no axis 7 of 4"),
    "indices of two axes": (one("Gather", [np.zeros((2, 2), np.int64)], axis=1), "several axes"),
    "indices from inputs": (one("Gather", more=[(3, 4)], axis=1), "both its inputs|indices"),
    "a table of three axes": (
        ([("Gather", ["t", "x"], ["y"], {})], {"x": ints(1, 2, 3)}, {"t": numbers(3, 2, 2)}, 17, "y"),
        "something else than rows",
    ),
    "the last of the largest": (one("ArgMax", axis=1, select_last_index=1), "select_last_index"),
    "a type": (one("Cast", to=8), "a type that is not read"),
    "a shape of the inputs": (one("Reshape", x=(3, 4), more=[(2, 2)]), "shape depends on the inputs"),
    "sizes that do not fit": (one("Reshape", [ints(0, 7, -1)]), "cannot become"),
    "a number for each sample": (one("Add", [numbers(3, 1, 1, 1)]), "a number of its own"),
    "an array of more axes": (one("Add", [numbers(2, 3, 4, 6, 5)]), "meets one of rank 4"),
    "ways to enlarge": (one("Resize", [None, np.array([1, 1, 2, 2], "f4")], mode="cubic"), "interpolates by 'cubic'"),
    "factors below one": (one("Resize", [None, np.array([1, 1, 0.5, 0.5], "f4")]), "it enlarges by"),
    "old softmax across samples": (one("Softmax", opset=11, axis=0), "mixes samples|axis of the samples"),
    "flattened from the second axis": (one("Flatten", axis=2), "axis=2 mixes samples"),
}  # fmt: skip


@pytest.mark.parametrize("name", NODES)
def test_what_has_no_meaning_here_is_refused_with_the_reason(tmp_path, name):
    (nodes, inputs, constants, opset, outputs), problem = NODES[name]
    path = str(tmp_path / "m.onnx")
    save(path, nodes, inputs, constants, opset, list(outputs))
    with pytest.raises(ValueError, match=rf"m\.onnx .*({problem})"):
        load_onnx(path)


def test_a_cast_of_constants_to_a_type_that_is_not_read_is_refused(tmp_path):
    path = str(tmp_path / "m.onnx")
    nodes = [("Cast", ["a"], ["c"], {"to": onnx.TensorProto.STRING}), ("Add", ["x", "c"], ["y"], {})]
    save(path, nodes, {"x": numbers(3, 4)}, {"a": numbers(4)})
    with pytest.raises(ValueError, match=r"m\.onnx .*a type that is not read"):
        load_onnx(path)
