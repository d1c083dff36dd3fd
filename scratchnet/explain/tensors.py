"""The arrays of a page, as bytes.

What went through the layers is stored exactly: float32, its four bytes in four planes, which compress better. Large
parameters are pictures: 8 bits each, with exact statistics; where a page would become too large they are shown more
coarsely, every second, fourth, ... row and column.
"""

import numpy as np

EXACT_PARAMETER = 1 << 15  # numbers: larger parameters are stored in 8 bits,
EXACT_FACTOR = 1 << 17  # unless the page multiplies by them


class Tensors:
    """Collects arrays; each is stored once, however often it is added.

    Attributes:
        metas: what the page has to know of each, in the order of their ids.
        arrays: what each of them was.
    """

    def __init__(self, coarser=1):
        self.coarser = coarser
        self.metas, self.arrays = [], []
        self._ids, self._pieces, self._offset = {}, [], 0

    @property
    def blob(self):
        return b"".join(self._pieces)

    def add(self, array, exact_up_to=None):
        """The id of an array, or None for None. `exact_up_to`: of how many numbers on it is stored in 8 bits."""
        if array is None:
            return None
        array = np.asarray(array)
        if array.dtype.kind not in "fiub":
            return None  # strings have no picture
        place = array.__array_interface__
        key = place["data"][0], array.shape, array.strides, array.dtype.str
        if key not in self._ids:
            self._ids[key] = len(self.metas)
            self.arrays.append(array)  # which keeps the memory, and so the key
            self.metas.append(self._stored(array, exact_up_to))
        return self._ids[key]

    def _stored(self, array, exact_up_to):
        integers = array.dtype.kind in "iub"
        values = array.astype(np.int32 if integers else np.float32)
        small = exact_up_to is None or array.size <= exact_up_to / self.coarser
        meta = {"shape": list(array.shape), **_statistics(values)}
        if small and integers:
            pieces, meta["format"] = _planes(values), "i4"
        elif small:
            pieces, meta["format"] = _planes(values), "f4"
        else:
            step = self.coarser
            shown = values[tuple(slice(None, None, step if size >= 8 * step else 1) for size in values.shape)]
            span = meta["max"] - meta["min"] or 1.0
            pieces = np.round((shown - meta["min"]) / span * 255).astype(np.uint8).tobytes()
            meta["format"], values = "u8", shown
            if step > 1:
                meta["coarse"] = f"Shown coarsely: one row and column of {step}; max_mb says how large the page may be."
        meta["stored"], meta["offset"] = list(values.shape), self._offset
        self._pieces.append(pieces)
        self._offset += len(pieces)
        return meta


def _planes(values):
    """The bytes of four-byte numbers: all first ones, all second ones, ..."""
    return np.ascontiguousarray(values).view(np.uint8).reshape(-1, 4).T.tobytes() if values.size else b""


def _statistics(values):
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    wide = finite.astype(np.float64)
    return {
        "min": float(wide.min()) if wide.size else 0.0,
        "max": float(wide.max()) if wide.size else 0.0,
        "norm": float(np.sqrt(np.sum(wide * wide))),
        "zeros": int(np.count_nonzero(values == 0)),
        "count": int(values.size),
    }
