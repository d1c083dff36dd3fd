"""Dense layers that are compared with Keras."""

SEQUENCE = (3, 5, 4)

CASES = [
    *(
        ("ReversibleEmbedding", {"input_dim": 6, "output_dim": 4, **options}, (3, 5, 4), {"reverse": True})
        for options in ({}, {"logit_soft_cap": 0.8})
    ),
    *(
        ("Dense", {"units": 4, "activation": activation, "use_bias": use_bias}, SEQUENCE)
        for activation in (None, "relu", "softmax", "gelu")
        for use_bias in (True, False)
    ),
    *(
        ("EinsumDense", {"equation": equation, "output_shape": shape, **options}, SEQUENCE)
        for equation, shape, options in (
            ("abc,cde->abde", (None, 2, 6), {}),
            ("abc,cde->abde", (None, 2, 6), {"bias_axes": "e", "activation": "tanh"}),
            ("abc,cde->abed", (None, 6, 2), {"bias_axes": "e"}),
            ("abc,bcd->ad", 6, {"bias_axes": "d"}),
            ("abc,bc->ab", (5,), {"bias_axes": "b"}),
            ("abc,d->acdb", (4, 2, 5), {"bias_axes": "bc"}),
            ("...b,bc->...c", (6,), {"bias_axes": "c"}),
            ("...bc,bc->...b", (5,), {}),
            ("ab...,bd->ad...", (6,), {"bias_axes": "d", "activation": "softmax"}),
        )
    ),
]
