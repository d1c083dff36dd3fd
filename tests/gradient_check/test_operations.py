"""Operations against central differences: every entry of the table, and what the check objects to."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check.operations import cases, check_operation, check_operations, without_a_case
from scratchnet.ops.operation import TABLE, Operation

CASES = cases(np.random.default_rng(0))


@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_those_of_differences(name):
    with kernels.using_backend("numpy"):
        for operands, options in CASES[name]:
            check_operation(TABLE[name], operands, options).raise_if_failed()


def test_every_operation_with_a_derivative_has_a_case():
    assert without_a_case(CASES) == []
    assert without_a_case({}) != []


def test_the_catalogue_refuses_to_leave_one_out(monkeypatch):
    monkeypatch.setitem(TABLE, "forgotten", Operation(lambda x: x, "forgotten", {"x": lambda dz: dz}))
    with pytest.raises(LookupError, match="forgotten"):
        next(check_operations(np.random.default_rng(0)))


def test_a_wrong_derivative_is_found():
    wrong = Operation(lambda x1, x2: x1 * x2, "wrong", {"x1": lambda dz, x2: dz * x2, "x2": lambda dz, x2: dz * x2})
    report = check_operation(wrong, [np.array([1.0, 2.0]), np.array([3.0, 5.0])])
    assert [row.passed for row in report.rows] == [True, False]
    with pytest.raises(AssertionError, match="wrong gradient"):
        report.raise_if_failed()


def test_a_backward_that_changes_dz_is_found():
    def careless(dz):
        dz *= 2
        return dz

    with pytest.raises(AssertionError, match="changes dz"):
        check_operation(Operation(lambda x: 2 * x, "careless", {"x": careless}), [np.ones(3)])


def test_the_catalogue_names_operation_and_options_of_each_check():
    reports = check_operations(np.random.default_rng(0))
    subjects = [next(reports).subject for _ in range(3)]
    assert all("(" in subject and subject.endswith(")") for subject in subjects)
