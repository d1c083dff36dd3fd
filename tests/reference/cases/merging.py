"""Layers that merge, compared with Keras."""

A, B, SMALL, VECTOR = (3, 5, 4), (3, 5, 4), (3, 1, 4), (3, 4)

CASES = [
    *(
        (name, {}, shapes)
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")
        for shapes in ([A, B, SMALL], [A, VECTOR])
    ),
    *(("Subtract", {}, shapes) for shapes in ([A, B], [A, VECTOR], [SMALL, A])),
    ("Concatenate", {}, [A, (3, 5, 2)]),
    ("Concatenate", {"axis": 1}, [A, SMALL]),
    ("Concatenate", {"axis": 0}, [A, (2, 5, 4)]),
    *(
        ("Dot", {"axes": axes, "normalize": normalize}, [A, (3, 4, 2)])
        for axes in ((2, 1), (-1, 1))
        for normalize in (False, True)
    ),
    ("Dot", {"axes": 1, "normalize": True}, [VECTOR, VECTOR]),
    ("Dot", {"axes": 2}, [A, B]),
]
