"""Fashion-MNIST: 70,000 photographs of clothes, 28 by 28 grey pixels, in the form of MNIST and in its place.

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
arXiv:1708.07747, 2017; copyright Zalando SE, MIT licence.
"""

from scratchnet.datasets import checksums, idx, sources
from scratchnet.names import defined_in

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

# name: shape, sha256, bytes
FILES = {
    "train-images-idx3-ubyte.gz": (
        (60000, 28, 28),
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        26421880,
    ),
    "train-labels-idx1-ubyte.gz": (
        (60000,),
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        29515,
    ),
    "t10k-images-idx3-ubyte.gz": (
        (10000, 28, 28),
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        4422102,
    ),
    "t10k-labels-idx1-ubyte.gz": (
        (10000,),
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        5148,
    ),
}

FOLDER = "fashion-mnist"
MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)


def load_data():
    """The whole of Fashion-MNIST, from the folder named by SCRATCHNET_DATA, else the cache, else the download.

    In the folder, the four files lie in a folder ``fashion-mnist``, since MNIST's have the same names.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 arrays of shapes (60000, 28, 28), (60000,), (10000, 28, 28) and
        (10000,); pixels 0..255, labels 0..9 as in ``CLASSES``.

    Raises:
        FileNotFoundError: the data is neither here nor to be had; the message says what to do.
        ValueError: a file is damaged or is not the published one.
    """
    x_train, y_train, x_test, y_test = (_load(name) for name in FILES)
    return (x_train, y_train), (x_test, y_test)


def _load(name):
    shape, known_hash, size = FILES[name]
    source = sources.Source(
        dataset="Fashion-MNIST",
        cached=f"{FOLDER}/{name}",
        places=(f"{FOLDER}/{name}", f"fashion_mnist/{name}"),
        urls=tuple(mirror + name for mirror in MIRRORS),
        known_hash=known_hash,
        size=size,
        needed=f"a folder {FOLDER} with the files {', '.join(FILES)}",
    )

    def read(file):
        checksums.check(file, known_hash, size)
        return idx.read_idx(file, shape)

    return sources.fetch(source, read)


def __dir__():
    return defined_in(globals())
