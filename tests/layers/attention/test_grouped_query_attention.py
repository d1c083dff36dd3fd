"""GroupQueryAttention: gradients, and what it is in its two extremes."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import GroupQueryAttention, MultiHeadAttention

RNG = np.random.default_rng(9)
Q, K = RNG.standard_normal((3, 4, 3)), RNG.standard_normal((3, 5, 3))


@pytest.mark.parametrize("options", [{}, {"use_bias": False, "use_gate": True}, {"sliding_window": 2}], ids=str)
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_gradients(groups, options):
    layer = GroupQueryAttention(2, 4, groups, dtype="float64", **options)
    for report in (check_layer(layer, [Q, K], bound=1e-6), check_parts(layer, [Q, K])):
        assert report.passed, report


def test_with_a_group_for_each_head_it_is_multi_head_attention():
    layer, same = GroupQueryAttention(2, 3, 3), MultiHeadAttention(3, 2)
    y = layer(Q, K)
    same(Q, K)
    same.set_weights(layer.get_weights())
    np.testing.assert_allclose(same(Q, K), y, rtol=1e-5)


def test_heads_of_a_group_share_keys_and_values():
    layer = GroupQueryAttention(2, 4, 2)
    y, P = layer(Q, K, return_attention_scores=True)
    assert [y.shape, P.shape] == layer.compute_output_shape([Q.shape, K.shape], return_attention_scores=True)
    w = layer.params["query/kernel"]
    w[:, 1], layer.params["query/bias"][1] = w[:, 0], layer.params["query/bias"][0]
    _, P = layer(Q, K, return_attention_scores=True)
    np.testing.assert_allclose(P[:, 1], P[:, 0], rtol=1e-5)
    assert np.abs(P[:, 2] - P[:, 0]).max() > 1e-3


def test_groups_must_divide_the_heads():
    with pytest.raises(ValueError, match="num_query_heads must be a multiple of num_key_value_heads, got 4 and 3"):
        GroupQueryAttention(2, 4, 3)
