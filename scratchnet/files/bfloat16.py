"""bfloat16, the upper half of a float32, which NumPy does not have."""

import numpy as np


def from_bfloat16(halves):
    """The float32 array whose upper halves are the 16-bit integers `halves`; every bfloat16 is a float32."""
    return (np.asarray(halves, "<u2").astype(np.uint32) << 16).view(np.float32)
