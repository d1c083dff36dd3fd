import pytest

# Numba compiles every kernel once more for float64, which takes as long as all other tests.
IN_DOUBLE = (
    *("test_in_float64", "derivative", "adjoint", "is_linear", "of_differences", "right_gradients", "double_precision"),
    *("rnn_there_and_back", "lstm_there_and_back", "gru_there_and_back", "a_masked_step_is_as_if_it_were_not_there"),
    *("a_window_with_nan_is_nan", "of_any_size_finds_its_maximum", "same_bits[numba]", "its_own_variance"),
    *("in_one_pass_is_what_several_do", "piece_by_piece_and_in_two_sums", "of_all_kinds_use_it_where_it_is_chosen"),
    *("channels_and_filters_than_fill_a_block", "test_routing.py::test_backends_agree", "costs_the_variance_no_digits"),
    *("pieces_of_a_large_batch", "the_convolution_and_then_the_activation", "is_written_into_the_room_for_it"),
    *("no_mean_and_no_gradient", "any_layout_and_no_rows", "equal_values_share", "and_other_dtypes_are_resized"),
    *("products_of_the_transforms", "test_the_backend_computes_with_it", "slopes_belong_to_the_last_axes"),
    *("of_no_images_there_are", "stays_in_its_tiles", "pieces_cover_the_batch", "long_rows_and_many_channels"),
    *("a_group_is_a_convolution_by_itself", "test_recurrent.py::test_nothing_given"),
)
FOLDERS = ("tests/kernels/", "tests/training/")


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marks
def pytest_collection_modifyitems(items):
    for item in items:
        parameters = {*item.name.rstrip("]").replace("[", "-").split("-")}
        if not item.nodeid.startswith(FOLDERS) or parameters & {"numpy", "loops", "float32"}:
            continue
        if "float64" in parameters or any(word in item.nodeid for word in IN_DOUBLE):
            item.add_marker("double")
