"""Boston housing: 506 districts of Boston with 13 figures each, and the median value of their homes.

D. Harrison, D. L. Rubinfeld, "Hedonic Housing Prices and the Demand for Clean Air", Journal of Environmental Economics
and Management 5, 1978. One of the figures is made from the share of Black residents, on the assumption that segregation
moves prices: use the data to show what is wrong with that, and ``california_housing`` for everything else.
"""

from scratchnet.datasets import npz, sources, splitting
from scratchnet.names import defined_in

SOURCE = sources.Source(
    dataset="Boston housing",
    cached="boston_housing/boston_housing.npz",
    places=("boston_housing.npz", "boston_housing/boston_housing.npz"),
    urls=("https://storage.googleapis.com/tensorflow/tf-keras-datasets/boston_housing.npz",),
    known_hash="f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    size=57026,
    needed="the file boston_housing.npz",
)
MOST_BYTES = 1 << 20


def load_data(path="boston_housing.npz", test_split=0.2, seed=113):
    """The districts, from the folder named by SCRATCHNET_DATA, else the cache, else the download.

    Args:
        path: its default stands for "wherever the data is". An existing file of the same form is read instead, which
            holds the arrays x (N, 13) and y (N,).
        test_split: the part of the districts that is kept for testing, at the end of the order.
        seed: of the order of the districts, which is Keras's.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: float64 arrays of shapes (404, 13), (404,), (102, 13) and (102,), the
        values in thousands of dollars.

    Raises:
        FileNotFoundError: the data is neither here nor to be had; the message says what to do.
        ValueError: test_split outside of [0, 1); the file is damaged or is not the published one; or ``path`` names no
            file of this form.
    """
    splitting.check(test_split, "boston_housing.load_data")
    x, y = sources.fetch_or_open(SOURCE, path, "boston_housing.load_data", _read)
    [order] = splitting.orders(seed, len(x))
    return splitting.split(x[order], y[order], test_split)


def _read(path):
    return npz.read_table(path, 13, MOST_BYTES)


def __dir__():
    return defined_in(globals())
