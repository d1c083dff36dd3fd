"""``h R`` at each step of a sequence, compiled, where each gate may see h with other elements dropped.

    h R = [(h m_1) R_1, ..., (h m_G) R_G]        dh = (dz_1 R_1^T) m_1 + ... + (dz_G R_G^T) m_G

`scratchnet.kernels.dropped` says more. Without dropout that is one product; with it there is one for each gate, and
what lies around them, the activations and the cell, is the same. For compiled code the matrices of the products stand
in one array, (1, ...) or (G, ...), and the masks are (G, N, U), or None if nothing is dropped.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by


def of_gates(R, drop):
    """The matrices (U, ...) that h is multiplied by: R itself, or those of the gates."""
    return [R] if drop is None else np.split(R, len(drop), axis=1)


def as_drop(drop, h0):
    """The masks as compiled code takes them."""
    return None if drop is None else plain(np.asarray(drop, h0.dtype))


# ``drop is None`` is known when a kernel is compiled, which leaves out what that case does not need.


@njit(inner=True)
def room_for(rows, like, drop):
    """Room for what is left of a state of so many rows, and for a product with it; None if nothing is dropped."""
    if drop is None:
        return None
    return np.empty((2, rows, like.shape[-1]), like.dtype)


@njit(inner=True)
def left_of(h, first, drop, gate, room):
    """What a gate sees of h, whose rows are those from `first` on: h itself, or what is left of it in `room`."""
    if drop is None:
        return h
    drop_from(h, first, drop, gate, room[0])
    return room[0]


@njit(inner=True)
def drop_from(h, first, drop, gate, left):
    """``left = h m``, the mask being that of a gate; `left` may be h."""
    for n in range(len(h)):
        h_n, m, left_n = h[n], drop[gate, first + n], left[n]
        for u in range(h_n.size):
            left_n[u] = h_n[u] * m[u]


@njit(inner=True)
def add_product(times, h, first, drop, R, z, room):
    """``z += h R``"""
    if drop is None:
        add_matmul_by(times, h, R[0], z)
    elif len(R) == 1:
        add_matmul_by(times, left_of(h, first, drop, 0, room), R[0], z)
    else:
        U, product = h.shape[1], room[1]
        for k in range(len(R)):
            matmul_into_by(times, left_of(h, first, drop, k, room), R[k], product)
            for n in range(len(z)):
                product_n, z_n = product[n], z[n, k * U : (k + 1) * U]
                for u in range(U):
                    z_n[u] += product_n[u]


@njit(inner=True)
def product_adjoint(times, dz, first, drop, R_T, dh, room):
    """``dh = dz R^T``, for z = h R with these masks."""
    if drop is None:
        matmul_into_by(times, dz, R_T[0], dh)
    elif len(R_T) == 1:
        matmul_into_by(times, dz, R_T[0], dh)
        drop_from(dh, first, drop, 0, dh)
    else:
        U, product = dh.shape[1], room[1]
        for k in range(len(R_T)):
            matmul_into_by(times, dz[:, k * U : (k + 1) * U], R_T[k], product)
            for n in range(len(dh)):
                product_n, m, dh_n = product[n], drop[k, first + n], dh[n]
                if k == 0:
                    for u in range(U):
                        dh_n[u] = product_n[u] * m[u]
                else:
                    for u in range(U):
                        dh_n[u] += product_n[u] * m[u]
