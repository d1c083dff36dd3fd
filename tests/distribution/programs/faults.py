"""A fit in which something goes wrong, or everything right.

python tests/distribution/programs/faults.py WHAT FOLDER
"""

import os
import signal
import sys
import time

import numpy as np

import scratchnet
from scratchnet.callbacks import BackupAndRestore, CSVLogger, LambdaCallback, ModelCheckpoint
from scratchnet.distribution import DataParallel, set_distribution
from scratchnet.layers import BatchNormalization, Dense, Dropout, Input
from scratchnet.models import Sequential, load_model
from scratchnet.parallel.ranks import current_ranks
from scratchnet.utils import set_random_seed

what, folder = sys.argv[1:3]
scratchnet.set_num_threads(1)
set_distribution(DataParallel())
set_random_seed(1)
rank = current_ranks().rank
rng = np.random.default_rng(rank if what == "data" else 0)
x = rng.normal(size=(200, 6)).astype("float32")
if what == "other rows" and rank == 1:
    x = x[:-1]
if what == "outside" and rank == 1:
    raise OSError("rank 1 finds no file")
model = Sequential([Input((6,)), Dense(20, activation="tanh"), BatchNormalization(), Dropout(0.2), Dense(2)])
model.compile("adam", "mse", metrics=["mae"])


def happen(batch, logs):
    if what == "error" and rank == 1 and batch == 3:
        raise KeyError("lost on rank 1")
    if what == "slow":
        time.sleep(0.02)
    if what == "interrupt" and rank == 0 and batch == 3:
        open(os.path.join(folder, "begun"), "w").close()
        time.sleep(60)


callbacks = [
    BackupAndRestore(os.path.join(folder, "backup"), delete_checkpoint=False),
    CSVLogger(os.path.join(folder, "log.csv"), append=True),
    ModelCheckpoint(os.path.join(folder, "model.npz")),
    LambdaCallback(on_train_batch_end=happen),
]
with open(os.path.join(folder, f"pid{rank}"), "w") as file:
    file.write(str(os.getpid()))
if what == "killed":
    current_ranks().gather("that all have written their numbers", None)
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
model.fit(x, x[:, :2], batch_size=40, epochs=12 if what == "slow" else 6, verbose=2, callbacks=callbacks)
if what == "alone" and rank == 0:
    model.evaluate(x, x[:, :2], verbose=0)
y = model.predict(x, verbose=0)
assert np.array_equal(load_model(os.path.join(folder, "model.npz")).predict(x, verbose=0), y)
if rank == 0:
    print("trained to", y.tobytes().hex()[:40])
