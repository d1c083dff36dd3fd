"""A layer of capsules that are found by agreement.

Every capsule i below predicts, by a matrix of its own, the pose of every capsule j above. Where many predictions agree
there is something; so in a few iterations each capsule i sends more of itself to those j whose pose its prediction
agrees with (Sabour, Frosst and Hinton, "Dynamic routing between capsules", 2017, procedure 1):

    u_hat_ij = W_ij u_i
    b_ij = 0;  R times:   c_i = softmax over j of b_i        s_j = sum over i of c_ij u_hat_ij        v_j = squash(s_j)
                          b_ij += u_hat_ij . v_j

The adjoints of the last iteration, with g and g' as in `scratchnet.layers.capsules.squash`:

    ds_j = g dv_j + g'(n) / n (s_j . dv_j) s_j        du_hat_ij = c_ij ds_j
    dW_ij = du_hat_ij u_i^T        du_i = sum over j of W_ij^T du_hat_ij

The paper's implementations stop there: c counts as constant (`held_constant`). But c depends on u_hat too, through the
agreements of the iterations before, and with ``routing_gradient="all"`` the gradient goes back through all of them:

    dc_ij = u_hat_ij . ds_j        db_i = c_i * (dc_i - sum over j of dc_ij c_ij)        and in the iteration before
    dv_j = sum over i of db_ij u_hat_ij        du_hat_ij += db_ij v_j

The iterations are the kernels `routing_forward` and `routing_backward`.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.checks import check_positive_int
from scratchnet.hints import InitializerLike
from scratchnet.layers.base import Layer
from scratchnet.layers.capsules.squash import squash
from scratchnet.registry import register


class CapsuleCache(NamedTuple):
    u: np.ndarray  # (N, I, K)
    u_hat: np.ndarray  # (I, N, J, D)
    steps: Any  # c, s and v of every iteration


@register("layers")
class CapsuleLayer(Layer):
    """Capsules that are routed by agreement.

    Args:
        num_capsules: J, how many there are; for a classifier one for each class.
        dim_capsule: D, the size of their vectors.
        routings: R, how many iterations.
        routing_gradient: "last" takes the coupling coefficients for constants, "all" is the gradient of all iterations.
        kernel_initializer: of ``kernel`` (I, K, J, D).

    Shapes: (N, I, K) -> (N, J, D).

    Raises:
        ValueError: for sizes that are not positive, and another `routing_gradient` than these two.
    """

    def __init__(
        self,
        num_capsules: int,
        dim_capsule: int,
        routings: int = 3,
        routing_gradient: str = "last",
        kernel_initializer: InitializerLike = "glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_capsules = check_positive_int(self, "num_capsules", num_capsules)
        self.dim_capsule = check_positive_int(self, "dim_capsule", dim_capsule)
        self.routings = check_positive_int(self, "routings", routings)
        if routing_gradient not in ("last", "all"):
            raise self.error(f'routing_gradient must be "last" or "all", got {routing_gradient!r}')
        self.routing_gradient = routing_gradient
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        _, I, K = input_shape
        J, D = self.num_capsules, self.dim_capsule
        # Every W_ij is a matrix (K, D) of its own: its fans are K and D, whatever I and J are.
        stacked = np.stack([self.kernel_initializer((K, J * D), dtype=self.dtype) for _ in range(I)])
        self.add_weight(name="kernel", shape=(I, K, J, D), initializer="zeros")
        self.params["kernel"][...] = stacked.reshape(I, K, J, D)
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NIK", **self._expected())
        if None in input_shape[1:]:
            raise self.error(f"the number and size of the capsules below must be known, got {input_shape}")
        return input_shape[0], self.num_capsules, self.dim_capsule

    def forward(self, x, training=False):
        N, I, K = self.unpack(x, "NIK", **self._expected())
        J, D = self.num_capsules, self.dim_capsule
        u = np.ascontiguousarray(x.transpose(1, 0, 2))  # (I, N, K)
        u_hat = np.matmul(u, self.params["kernel"].reshape(I, K, J * D)).reshape(I, N, J, D)
        steps = kernels.routing_forward(u_hat, self.routings)
        return steps.v[-1], CapsuleCache(x, u_hat, steps)

    def backward(self, dy, cache, needs_dx=True):
        N, I, K = cache.u.shape
        du_hat = kernels.routing_backward(dy, cache.u_hat, cache.steps, self.routing_gradient == "all")
        du_hat = du_hat.reshape(I, N, -1)  # (I, N, J D)
        W = self.params["kernel"]
        grads = {}
        if self.trainable:
            grads["kernel"] = np.matmul(cache.u.transpose(1, 2, 0), du_hat).reshape(W.shape)  # u_hat = u W
        du = np.matmul(du_hat, W.reshape(I, K, -1).transpose(0, 2, 1)) if needs_dx else None  # (I, N, K)
        return du.transpose(1, 0, 2) if needs_dx else None, self.trained(grads)

    @property
    def held_constant(self):
        stops = self.routing_gradient == "last" and self.routings > 1
        return "the routing (its coupling coefficients c)" if stops else ""

    def forward_holding(self, x, cache, training=False):
        u_hat = np.einsum("nik,ikjd->injd", x, self.params["kernel"])
        return squash(np.einsum("inj,injd->njd", cache.steps.c[-1], u_hat))

    def _expected(self):
        return dict(zip("IK", self.params["kernel"].shape)) if self.built else {}
