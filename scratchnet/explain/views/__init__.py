"""What can be said of a kind of layer besides x, y and their gradients.

A `View` has the name of the picture that the page draws, a function for what lies between x and y, and the lines of
source that compute it, each with its equation. A layer without a view, somebody's own for example, is shown as any
layer can be: with x, y, dy, dx, its parameters and the source of its forward and backward.
"""

from scratchnet.explain.views.attention import ATTENTION
from scratchnet.explain.views.base import GENERIC, Line, View
from scratchnet.explain.views.bidirectional import BIDIRECTIONAL
from scratchnet.explain.views.conv_lstm import CONV_LSTM
from scratchnet.explain.views.convolution import CONVOLUTIONS
from scratchnet.explain.views.core import CORE
from scratchnet.explain.views.normalization import NORMALIZATIONS
from scratchnet.explain.views.pooling import POOLING
from scratchnet.explain.views.recurrent import RECURRENT
from scratchnet.explain.views.shapes import SHAPES

__all__ = ["GENERIC", "VIEWS", "Line", "View", "goes_back_by_itself", "view_of"]

VIEWS = {
    **CORE,
    **CONVOLUTIONS,
    **POOLING,
    **RECURRENT,
    **CONV_LSTM,
    **BIDIRECTIONAL,
    **SHAPES,
    **NORMALIZATIONS,
    **ATTENTION,
}


def goes_back_by_itself(layer):
    """Whether a layer that is shown as one of the library has another backward than that."""
    shown_as = next((cls for cls in type(layer).__mro__ if cls in VIEWS), None)
    return shown_as is not None and type(layer).backward is not shown_as.backward


def view_of(layer):
    """The `View` of a layer; the generic one of an operation (None), and of classes with a forward of their own."""
    for cls in type(layer).__mro__:
        if cls in VIEWS:
            return VIEWS[cls] if type(layer).forward is cls.forward else GENERIC
    return GENERIC
