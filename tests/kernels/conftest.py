import pytest

# Numba compiles every kernel once more for float64, which takes as long as all other tests.
IN_DOUBLE = (
    *("float64", "derivative", "adjoint", "is_linear", "of_differences", "windows_with_nan_is_nan"),
    *("an_lstm_there_and_back", "of_any_size_finds_its_maximum", "same_bits[numba]", "its_own_variance"),
    *("in_one_pass_is_what_several_do", "piece_by_piece_and_in_two_sums", "of_all_kinds_use_it_where_it_is_chosen"),
    *("channels_and_filters_than_fill_a_block", "test_routing.py::test_backends_agree", "costs_the_variance_no_digits"),
)


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marks
def pytest_collection_modifyitems(items):
    for item in items:
        backends = {"numpy", "loops"} & {*item.name.rstrip("]").replace("[", "-").split("-")}
        if "tests/kernels/" in item.nodeid and not backends and any(word in item.nodeid for word in IN_DOUBLE):
            item.add_marker("double")
