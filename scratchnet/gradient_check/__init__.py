"""The gradient check: is a backward pass the derivative of its forward pass?

    from scratchnet.gradient_check import check_layer
    print(check_layer(layer, x))                 # a table: one line for dx and for each parameter
    check_layer(layer, x).raise_if_failed()
    check_parts(layer, x).raise_if_failed()      # a batch in parts is the batch

and ``python -m scratchnet.gradient_check`` for everything that the library has.
"""

from scratchnet.gradient_check.check import check_activation, check_adjoint, check_layer, check_loss
from scratchnet.gradient_check.differences import numeric_gradient, relative_error
from scratchnet.gradient_check.operations import check_operation
from scratchnet.gradient_check.parts import check_loss_parts, check_parts
from scratchnet.gradient_check.report import Report, Row

__all__ = [
    "Report",
    "Row",
    "check_activation",
    "check_adjoint",
    "check_layer",
    "check_loss",
    "check_loss_parts",
    "check_operation",
    "check_parts",
    "numeric_gradient",
    "relative_error",
]


def __dir__():
    return __all__
