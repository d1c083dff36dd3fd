"""Normalizing layers that are compared with Keras."""

IMAGE, SEQUENCE = (3, 7, 6, 4), (3, 5, 4)

CASES = [
    ("BatchNormalization", {}, IMAGE),
    *(
        ("BatchNormalization", options, shape, {"training": True})
        for options in ({}, {"axis": 1}, {"center": False}, {"scale": False, "epsilon": 0.1})
        for shape in (IMAGE, (8, 4))
    ),
    *(
        ("BatchNormalization", {"renorm": True, **options}, shape, {"training": True})
        for options in ({}, {"renorm_clipping": {"rmin": 0.9, "rmax": 1.1, "dmax": 0.3}, "center": False})
        for shape in (IMAGE, (8, 4))
    ),
    *(
        ("SpectralNormalization", {"layer": layer, **options}, IMAGE, {"training": training})
        for layer, options in (
            (("Dense", {"units": 3}), {}),
            (("Conv2D", {"filters": 3, "kernel_size": 2}), {"power_iterations": 3}),
        )
        for training in (False, True)
    ),
    *(
        ("LayerNormalization", options, shape)
        for options in ({}, {"axis": 1}, {"axis": [1, 2]}, {"center": False}, {"scale": False, "epsilon": 0.1})
        for shape in (IMAGE, SEQUENCE)
    ),
    *(("GroupNormalization", {"groups": groups}, IMAGE) for groups in (1, 2, 4, -1)),
    ("GroupNormalization", {"groups": 2, "axis": 2, "epsilon": 0.1}, IMAGE),
    ("UnitNormalization", {}, IMAGE),
    ("UnitNormalization", {"axis": [1, 2]}, IMAGE),
    *((name, {"axis": axis}, SEQUENCE) for name in ("UnitNormalization", "LayerNormalization") for axis in (0, [0, 2])),
    ("RMSNormalization", {}, SEQUENCE),
]
