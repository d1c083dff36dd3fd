"""Compiled functions that call one another by address.

A compiled function that calls another one by name gets a copy of its machine code: Numba compiles all that a function
needs together, so that the optimizer sees it all. For the matrix product, which is long and which a call more or less
does not matter to, that is 0.4 seconds for each of its callers. A caller that is given the address as a number has it
compiled once.

Without the compiler (NUMBA_DISABLE_JIT=1) the function stands for its own address.
"""

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def address_of(function, signature):
    """The address of a function that has been compiled for these types; it does not move."""
    compiled = function.overloads[signature]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


@intrinsic
def _call_at(typing_context, address, a, b, c, flag):
    def generate(context, builder, signature, arguments):
        status = _status_of_call(context, builder, signature, arguments)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.void(address, a, b, c, types.boolean), generate


@intrinsic
def succeeds_at(typing_context, address, a, b, c, flag):
    """As `call_at`, but an error is not raised: whether there was none."""

    def generate(context, builder, signature, arguments):
        return builder.not_(_status_of_call(context, builder, signature, arguments).is_error)

    return types.boolean(address, a, b, c, types.boolean), generate


def _status_of_call(context, builder, signature, arguments):
    kinds, (address, *values) = signature.args[1:], arguments
    kind = context.call_conv.get_function_type(types.void, kinds)
    function = builder.inttoptr(address, kind.as_pointer())
    return context.call_conv.call_function(builder, function, types.void, kinds, values)[0]


def _call(function, *values):
    function(*values)


call_at = _call if numba.config.DISABLE_JIT else _call_at
"""``call_at(address, a, b, c, flag)``, for compiled code: three arrays and a bool go to a function without a result."""
