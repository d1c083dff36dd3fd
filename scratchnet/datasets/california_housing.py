"""California housing: 20,640 districts of California with 8 figures each, and the median value of their homes.

R. K. Pace, R. Barry, "Sparse Spatial Autoregressions", Statistics and Probability Letters 33, 1997, after the census of
1990. The figures: median income, median age of the houses, rooms and bedrooms per household, people, people per
household, latitude, longitude. A district of holiday homes has few households, and many rooms for each.
"""

from scratchnet.datasets import npz, sources, splitting
from scratchnet.names import defined_in

SOURCE = sources.Source(
    dataset="California housing",
    cached="california_housing/california_housing.npz",
    places=("california_housing.npz", "california_housing/california_housing.npz"),
    urls=("https://storage.googleapis.com/tensorflow/tf-keras-datasets/california_housing.npz",),
    known_hash="1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    size=743530,
    needed="the file california_housing.npz",
)
MOST_BYTES = 4 << 20
SMALL = 600


def load_data(version="large", path="california_housing.npz", test_split=0.2, seed=113):
    """The districts, from the folder named by SCRATCHNET_DATA, else the cache, else the download.

    Args:
        version: ``"large"`` for all of them, ``"small"`` for the first 600, about as many as Boston housing has.
        path: its default stands for "wherever the data is". An existing file of the same form is read instead, which
            holds the arrays x (N, 8) and y (N,).
        test_split: the part of the districts that is kept for testing, at the end of the order.
        seed: of the order of the districts, which is Keras's.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of shapes (16512, 8), (16512,), (4128, 8) and (4128,), or with
        480 and 120 districts, in the type of the file; the values in dollars.

    Raises:
        FileNotFoundError: the data is neither here nor to be had; the message says what to do.
        ValueError: another version; test_split outside of [0, 1); the file is damaged or is not the published one; or
            ``path`` names no file of this form.
    """
    if version not in ("small", "large"):
        raise ValueError(f"california_housing.load_data: version={version!r} is neither 'small' nor 'large'")
    splitting.check(test_split, "california_housing.load_data")
    x, y = sources.fetch_or_open(SOURCE, path, "california_housing.load_data", _read)
    if version == "small":
        x, y = x[:SMALL], y[:SMALL]
    [order] = splitting.orders(seed, len(x))
    return splitting.split(x[order], y[order], test_split)


def _read(path):
    return npz.read_table(path, 8, MOST_BYTES)


def __dir__():
    return defined_in(globals())
