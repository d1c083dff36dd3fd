"""Attention layers that are compared with Keras."""

Q, V, K = (3, 5, 4), (3, 6, 3), (3, 6, 4)
HEADS = {"num_heads": 2, "key_dim": 3}
FIRST = [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0]]  # which queries count
SECOND = [[1, 1, 1, 1, 1, 0], [1, 0, 0, 0, 0, 0], [0, 1, 1, 0, 1, 1]]  # which values count
PAIRS = [[[int((t + s) % 3 > 0) for s in range(6)] for t in range(5)]]
BLIND = [[[int(s < 4 and t != 1) for s in range(6)] for t in range(5)]]  # the second query may look nowhere
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}

CASES = [
    *(
        (name, options, shapes)
        for name in ("Attention", "AdditiveAttention")
        for options in ({}, {"use_scale": True}, {"use_scale": False})
        for shapes in ([Q, K], [Q, V, K])
    ),
    ("Attention", {"score_mode": "concat"}, [Q, K]),
    ("Attention", {"score_mode": "concat", "use_scale": True}, [Q, V, K]),
    *(
        (name, {}, [Q, V, K], {"use_causal_mask": True, "return_attention_scores": True})
        for name in ("Attention", "AdditiveAttention")
    ),
    *((name, {}, [Q, V, K], {"mask": [FIRST, SECOND]}) for name in ("Attention", "AdditiveAttention")),
    ("MultiHeadAttention", HEADS, [Q, V, K], {"attention_mask": PAIRS, "use_causal_mask": True}),
    ("MultiHeadAttention", HEADS, [Q, V, K], {"attention_mask": BLIND}),
    ("MultiHeadAttention", {**HEADS, "dropout": 0.1}, [Q, V, K], {"attention_mask": BLIND}),
    ("GroupQueryAttention", GROUPS, [Q, K], {"attention_mask": BLIND, "return_attention_scores": True}),
    *(
        ("MultiHeadAttention", {**HEADS, **options}, [Q, V, K])
        for options in (
            {},
            {"value_dim": 5},
            {"use_bias": False},
            {"output_shape": 7},
            {"output_shape": (2, 3)},
            {"sliding_window": 2},
            {"use_gate": True, "value_dim": 2},
        )
    ),
    ("MultiHeadAttention", HEADS, [Q, K], {"use_causal_mask": True}),
    ("MultiHeadAttention", {**HEADS, "value_dim": 2}, [Q, Q], {"return_attention_scores": True}),
    *(("MultiHeadAttention", {**HEADS, "attention_axes": axes}, [(2, 3, 4, 5), (2, 3, 4, 5)]) for axes in (None, 1, 2)),
    ("MultiHeadAttention", {**HEADS, "attention_axes": (1, 2)}, [(2, 3, 4, 5), (2, 2, 3, 5)]),
    *(
        ("GroupQueryAttention", {**GROUPS, **options}, [Q, K])
        for options in ({}, {"use_gate": True, "use_bias": False})
    ),
    (
        "GroupQueryAttention",
        {**GROUPS, "num_key_value_heads": 1, "sliding_window": 2},
        [Q, K],
        {"use_causal_mask": True},
    ),
]
