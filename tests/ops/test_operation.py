"""The table of operations: what an entry must have, what forward keeps, how calls are bound and handed on."""

import copy
import inspect
import pickle

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.ops.operation import TABLE, Operation, added_into, get, operation, unbroadcast


def test_an_argument_without_derivative_is_refused():
    with pytest.raises(TypeError, match="'x2' has no derivative"):
        Operation(lambda x1, x2: x1 + x2, "half", {"x1": lambda dz: dz})
    assert not Operation(lambda x1, x2: x1, "half", {"x1": lambda dz: dz, "x2": None}).differentiable(1)


def test_a_derivative_of_what_is_no_argument_is_refused():
    with pytest.raises(TypeError, match="'y', which is no argument"):
        Operation(lambda x: x, "other", {"x": None, "y": None})


def test_a_derivative_that_asks_for_what_nobody_keeps_is_refused():
    with pytest.raises(TypeError, match="asks for 'u'"):
        Operation(lambda x: x, "other", {"x": lambda dz, u: dz})


def test_a_second_operation_of_the_same_name_is_refused():
    with pytest.raises(ValueError, match="one of this name already"):
        operation(lambda x: x, "exp", x=None)


def test_forward_keeps_what_the_derivatives_name_and_nothing_else():
    x1, x2 = np.ones((2, 3)), np.ones(3)
    _, kept = ops.multiply.forward([x1, x2], {}, [True, False])
    assert kept.x2 is x2 and not hasattr(kept, "x1")
    _, kept = ops.multiply.forward([x1, x2], {}, [False, False])
    assert kept == {"needs": [False, False], "dtypes": [None, None]}
    z, kept = ops.exp.forward([x1], {}, [True])
    assert kept.z is z and not hasattr(kept, "x")
    _, kept = ops.sum.forward([x1], {"axis": 1, "keepdims": False}, [True])
    assert kept.x_shape == (2, 3) and not hasattr(kept, "x") and kept.axis == 1
    assert "x_shape=(2, 3)" in repr(kept)


def test_integers_and_constants_have_no_adjoint():
    z, kept = ops.multiply.forward([np.ones(2, np.float32), np.array([2, 3])], {}, [True, True])
    dx1, dx2 = ops.multiply.backward(np.ones_like(z), kept)
    np.testing.assert_array_equal(dx1, [2, 3])
    assert dx2 is None and dx1.dtype == z.dtype == np.float32


def test_an_operand_that_is_left_out_has_no_adjoint():
    _, kept = ops.get_item.forward([np.ones(3)], {"key": 1}, [False])
    assert ops.get_item.backward(np.ones(()), kept) == [None]


def test_adjoints_have_the_dtype_of_their_operand():
    z, kept = ops.add.forward([np.ones(2, np.float32), np.ones(2)], {}, [True, True])
    assert [d.dtype for d in ops.add.backward(np.ones_like(z), kept)] == [np.float32, np.float64]


@pytest.mark.parametrize(
    ("shape", "broadcast", "expected"),
    [
        ((3,), (2, 3), [2, 2, 2]),
        ((2, 1), (2, 3), [[3], [3]]),
        ((), (2, 3), 6),
        ((1, 1), (4, 2, 3), [[24]]),
        ((2, 3), (2, 3), np.ones((2, 3))),
        ((0, 1), (0, 3), np.zeros((0, 1))),
    ],
)
def test_unbroadcast_sums_over_the_copies(shape, broadcast, expected):
    d = unbroadcast(np.ones(broadcast), shape)
    assert d.shape == shape
    np.testing.assert_array_equal(d, expected)


def test_calls_are_bound_as_python_binds_them():
    x = np.ones((2, 3))
    assert ops.sum.bind((x, 0), {}) == ([x], {"axis": 0, "keepdims": False})
    assert ops.sum(x=x, axis=0).tolist() == [2, 2, 2]
    for args, kwargs, said in [
        ((), {}, "missing a required argument: 'x'"),
        ((x, 0, False, 3), {}, "too many positional"),
        ((x,), {"axes": 0}, "unexpected keyword argument 'axes'"),
        ((x,), {"x": x}, "multiple values for argument 'x'"),
    ]:
        with pytest.raises(TypeError, match=f"sum: .*{said}"):
            ops.sum(*args, **kwargs)


def test_an_operation_looks_like_a_function():
    assert str(inspect.signature(ops.sum)) == "(x, axis=None, keepdims=False)"
    assert ops.sum.__name__ == "sum" and ops.sum.__doc__
    assert repr(ops.exp) == "<operation exp>"


def test_an_operation_is_copied_and_pickled_by_name():
    assert copy.deepcopy(ops.exp) is ops.exp
    assert pickle.loads(pickle.dumps({"f": ops.exp}))["f"] is ops.exp
    assert get("exp") is ops.exp
    with pytest.raises(ValueError, match="unknown operation 'nonsense'"):
        get("nonsense")


def test_errors_name_the_operation_and_the_shapes():
    with pytest.raises(ValueError, match=r"add: .*shapes \(2, 3\) and \(4,\)"):
        ops.add(np.ones((2, 3)), np.ones(4))
    with pytest.raises(ValueError, match=r"sum: .*axis=5"):
        ops.sum(np.ones(3), axis=5)
    with pytest.raises(TypeError, match="exp: expected numbers"):
        ops.exp("text")


class Symbol:
    """Answers every operation with what it was asked."""

    shape, dtype = (None, 3), np.dtype("float32")

    def __scratchnet_operation__(self, operation, operands, options):
        return self, operation.name, operands, options


def test_what_is_symbolic_answers_itself():
    s, x = Symbol(), np.ones(3)
    assert ops.add(x, s) == (s, "add", [x, s], {})
    assert ops.concatenate([x, s], axis=1) == (s, "concatenate", [x, s], {"axis": 1})
    assert ops.zeros((s, 3))[:2] == (s, "zeros")
    assert ops.get_item(x, (slice(s, None), 0))[:2] == (s, "get_item")
    assert ops.where(s, 1.0, x)[:2] == (s, "where")


def test_an_adjoint_is_added_into_what_is_there():
    x = np.zeros((3, 2))
    _, kept = ops.get_item.forward([x], {"key": (slice(None), 1)}, [True])
    dx = np.ones((3, 2))
    ops.get_item.add_adjoint(0, dx, np.array([1.0, 2.0, 3.0]), kept)
    np.testing.assert_array_equal(dx, [[1, 2], [1, 3], [1, 4]])
    assert ops.get_item.adds_into(0) and not ops.add.adds_into(0)


def test_reductions_say_which_axes_they_reduce():
    x = np.ones((2, 3, 4))
    for axis, reduced in [(None, [0, 1, 2]), (0, [0]), (-1, [2]), ((0, -2), [0, 1]), ([1], [1])]:
        options = ops.sum.bind((x, axis), {})[1]
        assert [k for k in range(3) if ops.sum.reduces_axis(k, [x], options)] == reduced
    assert not ops.exp.reduces_axis(0, [x], {})
    assert {f.reduction for f in TABLE.values()} >= {None, "sum", "mean", "max", "min"}


def test_operations_on_read_only_and_strided_arrays():
    x = np.arange(24.0).reshape(4, 6)[::2, ::3]
    x.setflags(write=False)
    np.testing.assert_array_equal(ops.square(x), np.square(x))
    z, kept = ops.get_item.forward([x], {"key": 0}, [True])
    dz = np.broadcast_to(np.float64(1), z.shape)
    np.testing.assert_array_equal(ops.get_item.backward(dz, kept)[0], [[1, 1], [0, 0]])


def test_added_into_marks_a_derivative():
    first = Operation(lambda x: x[:1], "first", {"x": added_into(lambda dx, dz: dx.__setitem__(0, dx[0] + dz[0]))})
    _, kept = first.forward([np.ones(3)], {}, [True])
    np.testing.assert_array_equal(first.backward(np.array([2.0]), kept)[0], [2, 0, 0])
