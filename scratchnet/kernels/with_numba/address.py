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
    """The address of a function, compiled for these types; it does not move."""
    function.compile(signature)
    compiled = function.overloads[signature]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


@intrinsic
def _call_at(typing_context, address, *values):
    kinds = [types.unliteral(kind) for kind in values]

    def generate(context, builder, signature, arguments):
        values = cgutils.unpack_tuple(builder, arguments[1], len(kinds))
        _call_or_raise(context, builder, kinds, arguments[0], *values)
        return context.get_dummy_value()

    return types.void(address, types.StarArgTuple(kinds)), generate


@intrinsic
def place_of(typing_context, values):
    """Where the tuple `values` lies in memory, as long as the calling function runs: a number, for `call_with`."""

    def generate(context, builder, signature, arguments):
        place = cgutils.alloca_once(builder, context.get_data_type(values))
        context.pack_value(builder, values, arguments[0], place)
        return builder.ptrtoint(place, context.get_value_type(types.intp))

    return types.intp(values), generate


@intrinsic
def call_with(typing_context, address, first, stop, place):
    """``function(first, stop, *values)``, with the tuple `values` at `place`, which points to one of its type.

    Nobody counts who holds its arrays: they outlive the call, and two threads that count the same ones, row by row,
    would wait for each other each time.
    """
    kinds = types.intp, types.intp, *place.dtype.types

    def generate(context, builder, signature, arguments):
        address, first, stop, pointer = arguments
        values = cgutils.unpack_tuple(builder, context.unpack_value(builder, place.dtype, pointer), place.dtype.count)
        values = [_uncounted(context, builder, *pair) for pair in zip(place.dtype.types, values)]
        _call_or_raise(context, builder, kinds, address, first, stop, *values)
        return context.get_dummy_value()

    return types.void(address, first, stop, place), generate


def _uncounted(context, builder, kind, value):
    """`value`, and of an array one whose references are not counted."""
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)
    return array._getvalue()


@intrinsic
def succeeds_at(typing_context, address, function, first, stop, place):
    """`function`, `first`, `stop` and `place`, which are numbers, go to the function at `address`: whether no error."""

    def generate(context, builder, signature, arguments):
        status = _status_of_call(context, builder, signature.args[1:], *arguments)
        return builder.not_(status.is_error)

    return types.boolean(address, types.intp, types.intp, types.intp, types.intp), generate


def _call_or_raise(context, builder, kinds, address, *values):
    status = _status_of_call(context, builder, kinds, address, *values)
    with cgutils.if_unlikely(builder, status.is_error):
        context.call_conv.return_status_propagate(builder, status)


def _status_of_call(context, builder, kinds, address, *values):
    kind = context.call_conv.get_function_type(types.void, kinds)
    function = builder.inttoptr(address, kind.as_pointer())
    return context.call_conv.call_function(builder, function, types.void, kinds, values)[0]


def _call(function, *values):
    function(*values)


call_at = _call if numba.config.DISABLE_JIT else _call_at
"""``call_at(address, *values)``, for compiled code: arrays and numbers go to a function without a result."""
