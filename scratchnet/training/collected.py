"""What predict returns, put together while it is computed.

Whoever has computed a piece copies it to its place, while it is in the cache of his processor. In the end all pieces
would come from memory, where they would be twice until then.
"""

import threading

import numpy as np


class Collected:
    """Arrays that come in pieces of their rows, from several threads, in any order.

    They are made at once, if their shapes are known: so they lie where those of the last call did. Made behind the
    first pieces, or by another thread, they would lie elsewhere, and the system would have to find memory each time.

    Args:
        rows: how many there are going to be.
        tensors: symbolic ones with the shapes and dtypes of such arrays.
    """

    def __init__(self, rows, tensors=()):
        self._rows = rows
        are_known = len(tensors) > 0 and not any(None in tensor.shape[1:] for tensor in tensors)
        self._wholes = [np.empty((rows, *t.shape[1:]), t.dtype) for t in tensors] if are_known else None
        self._fits = True
        self._lock = threading.Lock()

    def put(self, first, ys, rows):
        """Copy the arrays `ys`, which should have so many rows, to their places from row `first` on.

        Returns them as they lie there, or as they are if they are not rows of the same arrays as the first ones.
        """
        with self._lock:
            if self._wholes is None:
                self._wholes = [np.empty((self._rows, *y.shape[1:]), y.dtype) for y in ys]
        fit = all(y.shape == (rows, *whole.shape[1:]) and y.dtype == whole.dtype for y, whole in zip(ys, self._wholes))
        if not fit:
            self._fits = False
            return ys
        places = [whole[first : first + rows] for whole in self._wholes]
        for y, place in zip(ys, places):
            np.copyto(place, y)
        return places

    def hand_over(self, rows):
        """The arrays as far as they have come, to row `rows`; None where a piece did not fit or there was none.

        They are no longer kept here: whoever has them alone can give the memory back.
        """
        wholes, self._wholes = self._wholes, None
        if wholes is None or not self._fits:
            return None
        return wholes if rows == self._rows else [whole[:rows].copy() for whole in wholes]
