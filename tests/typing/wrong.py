"""A program full of mistakes: mypy finds each of them, in the line that says so, and nothing else."""

import numpy as np

from scratchnet import Input, Sequential
from scratchnet.callbacks import EarlyStopping
from scratchnet.layers import Dens  # wrong: attr-defined
from scratchnet.layers import Conv2D, Dense, Dropout
from scratchnet.losses import Huber
from scratchnet.models import load_model
from scratchnet.optimizers import Adam

x, y = np.zeros((8, 3)), np.zeros((8, 1))
model = Sequential([Input((3,)), Dense("3"), Dense(1)])  # wrong: arg-type
Dense()  # wrong: call-arg
Conv2D(8, kernel_size="3")  # wrong: arg-type
Dropout("half")  # wrong: arg-type
Huber(delta="1")  # wrong: arg-type
model.compile(optimiser="adam", loss="mse")  # wrong: call-arg
Adam(learning_rate=1e-3, beta_1="0.9")  # wrong: arg-type
history = model.fit(x, y, epochs="3")  # wrong: arg-type
model.fit(x, y, epoch=3)  # wrong: call-arg
model.fit(x, y, callbacks=[print])  # wrong: list-item
history.histroy  # wrong: attr-defined
model.fitt(x, y)  # wrong: attr-defined
EarlyStopping(patience="5")  # wrong: arg-type
load_model(3)  # wrong: arg-type
model.get_layer(index="first")  # wrong: arg-type
model.save("m.npz", overwrite="yes")  # wrong: arg-type
names: list[str] = model.get_weights()  # wrong: assignment
