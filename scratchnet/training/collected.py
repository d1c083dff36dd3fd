"""What predict returns, put together while it is computed.

Whoever has computed a piece copies it to its place, while it is in the cache of his processor. In the end all pieces
would come from memory, where they would be twice until then.
"""

import threading

import numpy as np


class Collected:
    """Arrays that come in pieces of their rows, from several threads, in any order.

    Args:
        rows: how many there are going to be.
    """

    def __init__(self, rows):
        self._rows = rows
        self._wholes = None  # an array for each output, made with the first piece
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

    def whole(self, rows):
        """The arrays as far as they have come, to row `rows`; None where a piece did not fit or there was none."""
        if self._wholes is None or not self._fits:
            return None
        return self._wholes if rows == self._rows else [whole[:rows].copy() for whole in self._wholes]
