import functools

from scratchnet.explain.sources import Sources
from scratchnet.kernels.loops.matrix_product import matmul


# fmt: off
def one(x):
    total = sum(
        [x, 1]
    )
    return total
# fmt: on


def test_a_function_is_quoted_once_with_the_place_where_it_stands():
    sources = Sources()
    assert sources.add(matmul) == sources.add(functools.partial(matmul)) == 0
    entry = sources.entries[0]
    assert entry["file"] == "scratchnet/kernels/loops/matrix_product.py" and entry["name"] == "matmul"
    assert entry["text"].startswith("def matmul(a, b):") and entry["line"] > 1


def test_the_lines_of_a_statement_are_all_of_them():
    sources = Sources()
    assert sources.lines(one, "total = sum(") == (0, [1, 2, 3])
    assert sources.lines(one, "not there") == (0, [])


def test_what_has_no_source_is_not_quoted():
    assert Sources().add(len) is None
    assert Sources().lines(len, "x") == (None, [])
