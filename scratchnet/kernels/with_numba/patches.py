"""Between an image and its patches, compiled: windows are copied out of an image, and added back into one.

The matrix of the patches is `P` (M, KH KW C), a window to a row; with few channels P^T (KH KW C, M) stands in memory
instead, where an image row is a run. `geometry` is (KH, KW, SH, SW, DH, DW, top, left).
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit


@njit(inner=True)
def gather_rows(x, OH, OW, geometry, P):
    """Copy the windows of x (images, H, W, C) into P (images OH OW, KH KW C); x counts as 0 outside."""
    KH, KW, SH, SW, DH, DW, top, left = geometry
    N, H, W, C = x.shape
    pixels = x.reshape(N, H, W * C)
    run = KW * C
    m = 0
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                q = j * SW - left
                inside = DW == 1 and 0 <= q <= W - KW  # then the columns of the window are neighbours
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if 0 <= p < H and inside:
                        source, target = pixels[n, p, q * C :], P[m, a * run : (a + 1) * run]
                        for c in range(run):
                            target[c] = source[c]
                    else:
                        for b in range(KW):
                            s, target = q + b * DW, P[m, a * run + b * C :]
                            if 0 <= p < H and 0 <= s < W:
                                for c in range(C):
                                    target[c] = x[n, p, s, c]
                            else:
                                for c in range(C):
                                    target[c] = 0
                m += 1


@njit(inner=True)
def add_rows(P, OH, OW, geometry, dx):
    """The adjoint of `gather_rows`: dx becomes the sum of the windows in P, each where it was copied from."""
    KH, KW, SH, SW, DH, DW, top, left = geometry
    N, H, W, C = dx.shape
    pixels = dx.reshape(N, H, W * C)
    pixels[:] = 0
    run = KW * C
    m = 0
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                q = j * SW - left
                inside = DW == 1 and 0 <= q <= W - KW
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if 0 <= p < H and inside:
                        source, target = P[m, a * run : (a + 1) * run], pixels[n, p, q * C :]
                        for c in range(run):
                            target[c] += source[c]
                    elif 0 <= p < H:
                        for b in range(KW):
                            s, source = q + b * DW, P[m, a * run + b * C :]
                            if 0 <= s < W:
                                for c in range(C):
                                    dx[n, p, s, c] += source[c]
                m += 1


@njit(inner=True)
def _framed(x, OH, OW, geometry):
    """The channels of x as planes (C, N FH FW), each image amid zeros, or cut, so that no window leaves it."""
    KH, KW, SH, SW, DH, DW, top, left = geometry
    N, H, W, C = x.shape
    FH, FW = (OH - 1) * SH + (KH - 1) * DH + 1, (OW - 1) * SW + (KW - 1) * DW + 1
    planes = np.zeros((C, N * FH * FW), x.dtype)
    frames = planes.reshape(C, N, FH, FW)
    for c in range(C):
        for n in range(N):
            for p in range(max(-top, 0), min(FH - top, H)):
                target, source = frames[c, n, p + top, max(left, 0) :], x[n, p, max(-left, 0) :, c]
                for q in range(min(target.size, source.size)):
                    target[q] = source[q]
    return planes, FH, FW


@njit(inner=True)
def gather_planes(x, OH, OW, geometry, PT):
    """As `gather_rows`, but P^T."""
    KH, KW, SH, SW, DH, DW, _, _ = geometry
    N, _, _, C = x.shape
    planes, FH, FW = _framed(x, OH, OW, geometry)
    for k in range(KH * KW * C):
        a, b, c = k // (KW * C), k // C % KW, k % C
        line, plane = PT[k], planes[c]
        for n in range(N):
            for i in range(OH):
                o, s = (n * OH + i) * OW, (n * FH + i * SH + a * DH) * FW + b * DW
                target, source = line[o : o + OW], plane[s:]
                if SW == 1:  # a loop of its own: only then are the reads contiguous, and vectorized
                    for j in range(OW):
                        target[j] = source[j]
                else:
                    for j in range(OW):
                        target[j] = source[j * SW]


@njit(inner=True)
def add_planes(PT, OH, OW, geometry, dx):
    """As `add_rows`, but from P^T."""
    KH, KW, SH, SW, DH, DW, top, left = geometry
    N, H, W, C = dx.shape
    planes, FH, FW = _framed(dx[:, :0], OH, OW, geometry)  # zeros
    for n in range(N):  # image by image, so that what is added up stays in the first-level cache
        for k in range(KH * KW * C):
            a, b, c = k // (KW * C), k // C % KW, k % C
            line, plane = PT[k], planes[c]
            for i in range(OH):
                o, s = (n * OH + i) * OW, (n * FH + i * SH + a * DH) * FW + b * DW
                source, target = line[o : o + OW], plane[s:]
                if SW == 1:
                    for j in range(OW):
                        target[j] += source[j]
                else:
                    for j in range(OW):
                        target[j * SW] += source[j]
    frames = planes.reshape(C, N, FH, FW)
    dx[:] = 0
    for n in range(N):
        for p in range(min(FH - top, H)):
            for q in range(min(FW - left, W)):
                for c in range(C):
                    dx[n, p, q, c] = frames[c, n, p + top, q + left]
