"""A variational autoencoder on handwritten digits.

An autoencoder's code can lie anywhere; between two codes there may be nothing. A variational one pays for every nat
that its code tells more than N(0, 1) does (`GaussianKL`), and draws the code before it decodes it (`Sampling`), so that
codes lie close together, and what is drawn from N(0, 1) decodes to a digit (Kingma and Welling, "Auto-encoding
variational Bayes", 2014). With two numbers the whole of what it has learnt fits on one picture.

Whether the code is used at all is seen in the divergence, number by number: where it is 0, the decoder is given noise
that has nothing to do with the image, and has learnt not to listen. That is a collapsed posterior.

    python examples/mnist_vae.py
    python examples/mnist_vae.py --data full --epochs 5 --batch-size 128 --code 16
    python examples/mnist_vae.py --data full --epochs 5 --batch-size 128 --code 16 --beta 5
    python examples/mnist_vae.py --data full --epochs 5 --batch-size 128 --model conv
"""

import math
import sys

import numpy as np

from scratchnet.demo import load_mnist, run_example
from scratchnet.evaluation import markdown_table, plot_codes, plot_images, text_table
from scratchnet.evaluation.style import colour, new_figure
from scratchnet.initializers import RandomUniform, VarianceScaling
from scratchnet.layers import Conv2D, Conv2DTranspose, Dense, Flatten, GaussianKL, Input, Reshape, Sampling
from scratchnet.layers.variational.gaussian_kl import divergence
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay
from scratchnet.special import normal_quantile

PIXELS = 28 * 28


def dense_halves(size):
    """``(encoder, decoder)`` with a hidden layer each: (N, 28, 28) -> (N, 512), (N, size) -> (N, 28, 28)."""
    encoder = Sequential([Input((28, 28)), Reshape((PIXELS,)), Dense(512, activation="relu")], name="hidden")
    # A relu bends where w . z + b is 0. Without biases all bends go through z = 0 in the beginning, and on a plane they
    # draw little; spread out, they are worth three nats.
    spread = {
        "kernel_initializer": VarianceScaling(1 / 3, "fan_in", "uniform"),
        "bias_initializer": RandomUniform(-1 / math.sqrt(size), 1 / math.sqrt(size)),
    }
    decoder = Sequential(
        [
            Input((size,)),
            Dense(512, activation="relu", **spread),
            Dense(PIXELS, activation="sigmoid"),
            Reshape((28, 28)),
        ],
        name="decoder",
    )
    return encoder, decoder


def convolutional_halves(size):
    """The same with two convolutions, and three transposed ones: (N, 28, 28) -> (N, 16), (N, size) -> (N, 28, 28)."""
    encoder = Sequential(
        [
            Input((28, 28)),
            Reshape((28, 28, 1)),
            Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            Flatten(),
            Dense(16, activation="relu"),
        ],
        name="hidden",
    )
    decoder = Sequential(
        [
            Input((size,)),
            Dense(7 * 7 * 64, activation="relu"),
            Reshape((7, 7, 64)),
            Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
            Reshape((28, 28)),
        ],
        name="decoder",
    )
    return encoder, decoder


HALVES = {"dense": dense_halves, "conv": convolutional_halves}


def build_models(size, steps, kind="dense", beta=1.0):
    """``(vae, encoder, decoder)``: images (N, 28, 28), codes (N, size); to be trained for that many steps."""
    image = Input((28, 28))
    hidden, decoder = HALVES[kind](size)
    h = hidden(image)
    mean, log_variance = Dense(size, name="mean")(h), Dense(size, name="log_variance")(h)
    mean, log_variance = GaussianKL(beta, name="kl")([mean, log_variance])
    vae = Model(image, decoder(Sampling(name="code")([mean, log_variance])), name="vae")
    # The mean over the pixels, times their number: the bound is a sum over all pixels of a digit, in nats.
    rate = CosineDecay(3e-4, steps, warmup_target=3e-3, warmup_steps=steps // 20)
    vae.compile(Adam(rate), "binary_crossentropy", loss_weights=[PIXELS], metrics=["binary_crossentropy"])
    return vae, Model(image, [mean, log_variance], name="encoder"), decoder


def bound_by_epoch(history, beta):
    """The negative bound of each epoch on the validation data, and its two parts."""
    reconstruction = PIXELS * np.array(history.history["val_binary_crossentropy"])
    kl = (np.array(history.history["val_loss"]) - reconstruction) / beta
    return reconstruction + kl, reconstruction, kl


def plot_bound(reconstruction, kl):
    """Reconstruction and divergence, epoch by epoch."""
    epochs = np.arange(1, len(kl) + 1)
    figure, (left, right) = new_figure(9, 3.6, 1, 2)
    left.plot(epochs, reconstruction, "o-", color=colour(0))
    left.set(xlabel="epoch", ylabel="nats per digit", title="Reconstruction: what the code does not tell")
    right.plot(epochs, kl, "o-", color=colour(1))
    right.set(xlabel="epoch", ylabel="nats per digit", title="Divergence: what the code tells", ylim=(0, None))
    return figure


def plot_divergence_by_number(encoder, images):
    """``(figure, nats)``: how much each number of the code tells; what is near 0 has collapsed."""
    mean, log_variance = encoder.predict(images, verbose=0)
    nats = [float(divergence(mean[:, k : k + 1], log_variance[:, k : k + 1]).mean()) for k in range(mean.shape[1])]
    figure, ax = new_figure(7, 3.2)
    ax.bar(range(1, len(nats) + 1), nats, color=colour(2))
    ax.set(xlabel="number of the code", ylabel="nats", title="What each number of the code tells", ylim=(0, None))
    ax.set_xticks(range(1, len(nats) + 1))
    return figure, nats


def plot_plane(decoder, side=16):
    """What the codes of a plane decode to: a grid with the same share of N(0, 1) in every cell."""
    levels = normal_quantile((np.arange(side) + 0.5) / side)
    codes = np.stack(np.meshgrid(levels, levels[::-1]), axis=-1).reshape(-1, 2).astype("float32")
    digits = decoder.predict(codes, verbose=0).reshape(side, side, 28, 28)
    figure, ax = new_figure(7, 7)
    ax.imshow(digits.transpose(0, 2, 1, 3).reshape(side * 28, side * 28), cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title="The plane of codes, decoded")
    return figure


def main(options, output):
    if not options.beta > 0:
        raise ValueError(f"--beta must be greater than 0, got {options.beta:g}")
    (x_train, _), (x_test, y_test) = load_mnist(options)
    steps = options.epochs * math.ceil(len(x_train) / options.batch_size)
    vae, encoder, decoder = build_models(options.code, steps, options.model, options.beta)
    vae.summary()
    history = vae.fit(
        x_train, x_train, epochs=options.epochs, batch_size=options.batch_size, validation_data=(x_test, x_test)
    )

    bound, reconstruction, kl = bound_by_epoch(history, options.beta)
    parts = zip(bound, reconstruction, kl)
    rows = [(epoch, *(f"{part:.1f}" for part in row)) for epoch, row in enumerate(parts, start=1)]
    headings = ("epoch", "-ELBO", "reconstruction", "KL")
    print(f"\nTest digits, nats:\n{text_table(headings, rows)}")
    output.text("bound.md", markdown_table(headings, rows) + "\n")
    output.figure("bound", plot_bound(reconstruction, kl))

    figure, nats = plot_divergence_by_number(encoder, x_test)
    output.figure("divergence", figure)
    print(f"Nats that each number of the code tells: {' '.join(f'{n:.2f}' for n in nats)}")
    used = sum(n > 0.1 for n in nats)
    if used < len(nats):
        print(f"The posterior of {len(nats) - used} of the {len(nats)} has collapsed: less than 0.1 nats.")

    mean, _ = encoder.predict(x_test, verbose=0)
    rng = np.random.default_rng(options.seed)
    drawn = {f"drawn {k}": decoder.predict(rng.standard_normal((10, options.code)), verbose=0) for k in (1, 2, 3)}
    output.figure("drawn", plot_images(drawn, title="Digits that nobody wrote: codes drawn from N(0, 1)"))
    steps = np.linspace(0, 1, 10)[:, None]
    pairs = [(0, 1), (2, 3), (4, 7)]
    between = {
        f"{y_test[a]} to {y_test[b]}": decoder.predict((1 - steps) * mean[a] + steps * mean[b], verbose=0)
        for a, b in pairs
    }
    output.figure("between", plot_images(between, title="From one digit to another, along a straight line of codes"))
    reconstructed = decoder.predict(mean[:10], verbose=0)
    output.figure("reconstructions", plot_images({"digit": x_test[:10], "reconstructed": reconstructed}))
    if options.code == 2:
        output.figure("plane", plot_plane(decoder))
        output.figure("codes", plot_codes(mean, y_test, title="Where the encoder puts the test digits", method="plane"))


def add_options(parser):
    parser.add_argument("--model", choices=HALVES, default="dense", help="what it is made of (default: dense)")
    parser.add_argument("--code", type=int, default=2, help="how many numbers a code has (default: 2)")
    parser.add_argument("--beta", type=float, default=1.0, help="what the divergence counts in the loss (default: 1)")


if __name__ == "__main__":
    sys.exit(
        run_example(
            main,
            "Train a variational autoencoder on handwritten digits, and draw digits that nobody wrote.",
            epochs=20,
            batch_size=64,
            extra=add_options,
        )
    )
