"""What Numba brings along: compiled once for each dtype, announced, the same in plain Python.

Whether indices stay within their arrays is seen with NUMBA_BOUNDSCHECK=1: that is other code to compile, so a leg.
"""

import ast
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scratchnet import kernels

numba = pytest.importorskip("numba")

from scratchnet.kernels import with_numba as folder  # noqa: E402

AGREEMENT = """
import numpy as np
from scratchnet.kernels import operations
loops, with_numba = operations("loops"), operations("numba")
rng = np.random.default_rng(0)
plain, strided = (((1, 1), (0, 1)), (1, 1), (1, 1)), (((1, 0), (1, 1)), (2, 1), (1, 1))
dilated = ((2, 2), (1, 1)), (1, 1), (2, 1)
for padding, strides, dilation in (plain, strided, dilated):
    for C, F in ((1, 7), (7, 1), (6, 5)):
        x, kernel, bias = rng.normal(size=(2, 5, 4, C)), rng.normal(size=(3, 2, C, F)), rng.normal(size=F)
        args = strides, padding, dilation
        z = loops.conv2d_forward(x, kernel, bias, *args)
        np.testing.assert_allclose(with_numba.conv2d_forward(x, kernel, bias, *args), z, atol=1e-12)
        y = with_numba.conv2d_relu_forward(x, kernel, bias, *args)
        np.testing.assert_allclose(y, np.maximum(z, 0), atol=1e-12)
        dy = rng.normal(size=z.shape)
        for dz, relu_output in ((dy, None), (dy * (y > 0), y)):
            dx, dkernel = loops.conv2d_dx(dz, kernel, x.shape, *args), loops.conv2d_dkernel(dz, x, kernel.shape, *args)
            np.testing.assert_allclose(with_numba.conv2d_dx(dz, kernel, x.shape, *args), dx, atol=1e-12)
            results = with_numba.conv2d_backward(dy, x, kernel, *args, True, relu_output)
            for found, expected in zip(results, (dx, dkernel, dz.sum((0, 1, 2)))):
                np.testing.assert_allclose(found, expected, atol=1e-12)
    x, kernel = rng.normal(size=(2, 5, 4, 3)), rng.normal(size=(3, 2, 1, 6))
    z = loops.conv2d_forward(x, kernel, None, *args)
    np.testing.assert_allclose(with_numba.conv2d_forward(x, kernel, None, *args), z, atol=1e-12)
    both = [module.conv2d_dx(z, kernel, x.shape, *args) for module in (with_numba, loops)]
    np.testing.assert_allclose(*both, atol=1e-12)
    both = [module.conv2d_dkernel(z, x, kernel.shape, *args) for module in (with_numba, loops)]
    np.testing.assert_allclose(*both, atol=1e-12)
x, args = -rng.random((2, 5, 4, 3)), ((3, 2), (2, 1), ((1, 1), (0, 1)))
y, argmax = with_numba.max_pool2d_forward(x, *args)
expected_y, expected_argmax = loops.max_pool2d_forward(x, *args)
np.testing.assert_array_equal(y, expected_y)
np.testing.assert_array_equal(argmax, expected_argmax)
dy = rng.normal(size=y.shape)
back = [module.max_pool2d_backward(dy, argmax, x.shape, *args) for module in (with_numba, loops)]
np.testing.assert_allclose(*back, atol=1e-12)
np.testing.assert_allclose(*[m.average_pool2d_forward(x, *args) for m in (with_numba, loops)], atol=1e-12)
np.testing.assert_allclose(*[m.average_pool2d_backward(dy, x.shape, *args) for m in (with_numba, loops)], atol=1e-12)
np.testing.assert_array_equal(*[m.upsample2d_forward(x, (2, 3)) for m in (with_numba, loops)])
dy = rng.normal(size=(2, 10, 12, 3))
np.testing.assert_allclose(*[m.upsample2d_backward(dy, (2, 3)) for m in (with_numba, loops)], atol=1e-12)
print("agreed")
"""


def run(code, **environment):
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result


def test_the_same_in_plain_python():
    assert run(AGREEMENT, NUMBA_DISABLE_JIT="1").stdout == "agreed\n"


SECONDS = """
import time
from scratchnet import kernels
from scratchnet.kernels.with_numba import compile
compile._PATIENCE = 0
compile.threading.Timer.cancel = compile.threading.Timer.join  # it has its say, however quick the compiler is
import numba, numpy as np
numba.njit(lambda x: x + 1)(1)  # what others compile is none of ours
numba.njit(eval("lambda x: x + 1", {}))(1)  # nor what belongs to no module
assert kernels.seconds_compiling() == 0
began = time.perf_counter()
kernels.set_backend("numba")
kernels.adam_update(*np.ones((4, 3)), 0.1, 0.9, 0.999, 1e-7)
assert kernels.seconds_compiling() < time.perf_counter() - began
print(kernels.seconds_compiling() > 0)
"""


def test_what_is_cached_is_not_announced_and_takes_no_time(tmp_path):
    first, second = (run(SECONDS, NUMBA_DISABLE_JIT="0", NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert first.stdout == "True\n" and first.stderr.count("compiling kernels") == 1
    assert second.stdout == "False\n" and second.stderr == ""


OTHER_PROCESSOR = """
import numba.core.codegen
import numpy as np
numba.njit(lambda: 0)()  # from the first time on Numba compiles for this processor
of_this_one = numba.core.codegen.get_host_cpu_features
numba.core.codegen.get_host_cpu_features = lambda: "{features}"
from scratchnet.kernels.with_numba import matrix_product, tile
numba.core.codegen.get_host_cpu_features = of_this_one
rng = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    for rows in (15, 20):
        a, b, c = (rng.normal(size=shape).astype(dtype) for shape in ((rows, 300), (300, 45), (rows, 45)))
        matrix_product.matmul_into_by(matrix_product.multiplier(dtype), a, b, c)
        np.testing.assert_allclose(c, a @ b, rtol=0, atol=1e-3 if dtype == np.float32 else 1e-12)
print(tile.VECTOR_BYTES, tile.TALLEST)
"""


@pytest.mark.compiles
@pytest.mark.parametrize(
    "features, expected", [("-avx,-avx512f", "16 8"), ("+avx,-avx512f", "32 6"), ("+avx,+avx512f", "64 8")]
)
def test_a_product_is_right_with_the_vectors_of_any_processor(tmp_path, features, expected):
    # the instructions are LLVM's matter: what this processor has no vectors for, it makes of smaller ones
    program = OTHER_PROCESSOR.replace("{features}", features)
    assert run(program, NUMBA_DISABLE_JIT="0", NUMBA_CACHE_DIR=str(tmp_path)).stdout.strip() == expected


GARBAGE = """
import gc
gc.set_threshold({often}, 9, 8)
from scratchnet import kernels
from scratchnet.kernels.with_numba import adam, compile
seen = set()
tell = compile.CompilingWatch._tell
compile._PATIENCE = 0
compile.CompilingWatch._tell = lambda watch: seen.add(gc.get_threshold()) or tell(watch)
compile.threading.Timer.start = lambda timer: timer.function()
import numpy as np
kernels.set_backend("numba")
kernels.adam_update(*np.ones((4, 3)), 0.1, 0.9, 0.999, 1e-7)
print(*seen, gc.get_threshold())
"""


@pytest.mark.compiles
@pytest.mark.parametrize("often, seldom", [(700, 50_000), (60_000, 60_000), (0, 0)])
def test_garbage_is_looked_for_less_often_while_kernels_are_compiled(tmp_path, often, seldom):
    program = GARBAGE.replace("{often}", str(often))
    found = run(program, NUMBA_DISABLE_JIT="0", NUMBA_CACHE_DIR=str(tmp_path)).stdout
    assert found == f"({seldom}, 9, 8) ({often}, 9, 8)\n"


def test_python_calls_nothing_that_only_compiled_code_can_call():
    inner = 0
    for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
        names = vars(importlib.import_module(module.name))
        for function in filter(inspect.isfunction, names.values()):
            for name in function.__code__.co_names:
                assert not is_inner(names.get(name)), f"{module.name}: {function.__name__} calls {name}"
        inner += sum(map(is_inner, names.values()))
    assert inner > 30 or numba.config.DISABLE_JIT


def is_inner(function):
    return getattr(function, "targetoptions", {}).get("no_cpython_wrapper", False)


def test_a_layout_is_not_compiled_for_anew():
    from scratchnet.kernels.with_numba import normalization, pooling, pooling_by_columns, upsampling

    with_numba = kernels.operations("numba")
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 2)).astype("float32")
    readonly = x.copy()
    readonly.flags.writeable = False
    for array in (x, readonly, np.asfortranarray(x), x[::-1], x[:, :, ::2][:, :, [0, 1, 1, 0]]):
        for size in ((2, 2), (3, 3)):
            with_numba.max_pool2d_forward(array, size, (2, 2), ((0, 0), (0, 0)))
            with_numba.average_pool2d_forward(array, size, (2, 2), ((0, 0), (0, 0)))
        with_numba.upsample2d_forward(array, (2, 2))
    for C in (1, 100):  # rows of few channels, and of so many that none is repeated
        ones = (np.ones(shape, "float32") for shape in ((2, 3, C), (2, C), (2, C), C, C))
        with_numba.normalize_forward(*ones)
    of_2x2 = pooling._max_forward_2x2, pooling._average_forward_2x2
    others = pooling._max_forward, pooling_by_columns._pool, upsampling._repeat, normalization._forward
    for kernel in (*of_2x2, *others):
        signatures = getattr(kernel, "signatures", ())
        assert signatures or numba.config.DISABLE_JIT
        for argument in (argument for arguments in signatures for argument in arguments):
            assert not isinstance(argument, numba.types.Array) or (argument.layout == "C" and argument.mutable)


@pytest.mark.parametrize("features, expected", [("+avx", "32 6"), ("+sse2", "16 6"), ("", "16 8")])
def test_the_instructions_that_numba_is_held_to_hold_for_tiles(features, expected):
    program = "from scratchnet.kernels.with_numba import tile; print(tile.VECTOR_BYTES, tile.TALLEST)"
    assert run(program, NUMBA_DISABLE_JIT="0", NUMBA_CPU_FEATURES=features).stdout.strip() == expected


def test_what_counts_no_references_gives_nothing_back():
    """Whoever gets an array takes it for counted, and gives back what nobody has taken."""
    uncounted = []
    for path in Path(folder.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and "counts=False" in map(ast.unparse, _options(node)):
                uncounted.append(node)
    assert uncounted
    assert not [n.name for n in uncounted if any(isinstance(s, ast.Return) and s.value for s in ast.walk(n))]


def _options(function):
    return [keyword for call in function.decorator_list if isinstance(call, ast.Call) for keyword in call.keywords]
