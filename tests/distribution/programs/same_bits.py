"""Trains with all that depends on the whole batch; prints a checksum of what comes out.

python tests/distribution/programs/same_bits.py THREADS [--distributed]
"""

import hashlib
import sys

import numpy as np

import scratchnet
from scratchnet import layers, losses
from scratchnet.distribution import DataParallel, set_distribution
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import SGD, Adam
from scratchnet.parallel.ranks import current_ranks
from scratchnet.utils import set_random_seed

scratchnet.set_num_threads(int(sys.argv[1]))
if "--distributed" in sys.argv:
    set_distribution(DataParallel())
set_random_seed(3)
rng = np.random.default_rng(0)
y = rng.integers(0, 3, 150)
x = (rng.normal(size=(150, 8, 8, 2)) + y[:, None, None, None]).astype("float32")


def told(name, model, *values):
    content = [w.tobytes() for w in model.get_weights()] + [repr(v).encode() for v in (model.history.history, *values)]
    if current_ranks().rank == 0:
        print(name, hashlib.sha1(b"".join(content)).hexdigest())


image = layers.Input((8, 8, 2))
h = layers.GaussianNoise(0.1)(layers.Conv2D(8, 3)(image))
h = layers.Dropout(0.3)(layers.Activation("relu")(layers.BatchNormalization()(h)))
h = layers.Dense(20, activation="tanh", kernel_regularizer="l2", kernel_constraint="max_norm")(layers.Flatten()(h))
classifier = Model(image, layers.Dense(3, activation="softmax")(h))
classifier.compile(Adam(global_clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
weights = {0: 1.0, 1: 2.0, 2: 0.5}
classifier.fit(x, y, batch_size=64, epochs=3, verbose=0, validation_split=0.2, class_weight=weights)
classifier.fit(x[:3], y[:3], verbose=0)  # more ranks than rows
told(
    "classifier",
    classifier,
    classifier.predict(x, batch_size=20, verbose=0).tobytes(),
    classifier.evaluate(x, y, verbose=0),
)

contrastive = Sequential([layers.Input((8, 8, 2)), layers.Flatten(), layers.Dense(4), layers.UnitNormalization()])
contrastive.compile(SGD(0.01, momentum=0.9), losses.Circle())
contrastive.fit(x, y, batch_size=70, epochs=2, verbose=0)
told("contrastive", contrastive, contrastive.predict(x, verbose=0).tobytes())

sequence = Sequential([layers.Input((8, 16)), layers.LSTM(9, dropout=0.2), layers.Dense(3)])
sequence.compile("rmsprop", "mse", metrics=["mae"])
sequence.fit(x.reshape(150, 8, 16), np.eye(3)[y], batch_size=100, epochs=2, verbose=0)
told("sequence", sequence, sequence.evaluate(x.reshape(150, 8, 16), np.eye(3)[y], verbose=0))
