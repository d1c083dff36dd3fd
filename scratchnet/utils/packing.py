"""Batches as tuples: x, (x, y) or (x, y, sample_weight)."""


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """The shortest of x, (x, y) and (x, y, sample_weight) that holds what is given; a list or tuple x becomes (x,)."""
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data):
    """``(x, y, sample_weight)`` of such a batch, None for what is missing. Raises ValueError for more than three."""
    if not isinstance(data, (list, tuple)):
        data = (data,)
    if not 1 <= len(data) <= 3:
        raise ValueError(f"a batch is x, (x, y) or (x, y, sample_weight), got {len(data)} entries")
    return (*data, *[None] * (3 - len(data)))
