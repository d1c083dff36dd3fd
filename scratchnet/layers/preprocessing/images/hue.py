"""Colours turned: their hue moved along the circle red, yellow, green, cyan, blue, magenta and back to red.

A pixel has a largest channel v, a smallest one m, and c = v - m. Its hue h, from 0 to 6, says which channel is the
largest and where between two such colours it is; and back, each channel j rises and falls with it between m and v:

    h = (green - blue) / c if red is the largest, 2 + (blue - red) / c if green is, 4 + (red - green) / c if blue is
    y_j = v - c (1 - ramp_j(h + turn))        ramp_red(h) = clip(|h - 3| - 1, 0, 1), the others the same, later on

(Smith, "Color gamut transform pairs", 1978). Backwards, slope being the derivative of a ramp, 1, -1 or 0:

    dv = sum of dy        dramp_j = c dy_j        dh = sum of slope_j dramp_j        dc = -sum of dy_j (1 - ramp_j)
    h = k + (a - b) / c:   da = dh / c        db = -dh / c        dc += -dh (a - b) / c^2        c = v - m
"""

import numpy as np

# Of each channel that may be the largest: the place of its hue, and the channels a and b between which it lies.
_PLACES, _A, _B = np.array([0, 2, 4]), np.array([1, 2, 0]), np.array([2, 0, 1])


def turn_forward(x, turn):
    """``(y, kept)`` for colours (..., 3) and a turn, in sixths of the circle, that broadcasts against (..., 1)."""
    v, m = x.max(axis=-1, keepdims=True), x.min(axis=-1, keepdims=True)
    c = v - m
    largest = x.argmax(axis=-1)
    a, b = (np.take_along_axis(x, which[largest][..., None], axis=-1) for which in (_A, _B))
    safe = np.where(c > 0, c, 1)
    h = np.where(c > 0, _PLACES.astype(x.dtype)[largest][..., None] + (a - b) / safe, 0)  # (..., 1), -1 to 5
    ramps, slopes = _ramps(np.mod(h + turn, 6))
    return v - c * (1 - ramps), (x, largest, ramps, slopes, safe)


def turn_backward(dy, kept):
    """dx."""
    x, largest, ramps, slopes, safe = kept
    v, m = x.max(axis=-1, keepdims=True), x.min(axis=-1, keepdims=True)
    c = v - m
    dv = dy.sum(axis=-1, keepdims=True)  # y = v - c (1 - ramp)
    dc = -(dy * (1 - ramps)).sum(axis=-1, keepdims=True)
    dh = (c * dy * slopes).sum(axis=-1, keepdims=True)
    places = [which[largest][..., None] for which in (_A, _B)]
    a, b = (np.take_along_axis(x, place, axis=-1) for place in places)
    dc -= dh * (a - b) / safe**2  # h = k + (a - b) / c
    dx = np.zeros_like(dy)
    channels = np.arange(3)
    for place, d in zip(
        (*places, largest[..., None], x.argmin(axis=-1)[..., None]),
        (dh / safe, -dh / safe, dv + dc, -dc),  # a, b, v, m: c = v - m
    ):
        dx += np.where(channels == place, d, 0)
    return dx


def _ramps(h):
    """The ramps of the three channels at hue h (..., 1), and their slopes: (..., 3)."""
    distance = np.abs(np.concatenate([h - 3, h - 2, h - 4], axis=-1))
    rises = np.sign(np.concatenate([h - 3, h - 2, h - 4], axis=-1))
    sign, start = np.array([1, -1, -1], h.dtype), np.array([-1, 2, 2], h.dtype)
    ramps = start + sign * distance
    return np.clip(ramps, 0, 1), sign * rises * ((ramps > 0) & (ramps < 1))
