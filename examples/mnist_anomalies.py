"""Finding strange digits: by what a variational autoencoder thinks of them, and by the errors of an LSTM autoencoder.

A variational autoencoder gives a bound of log p(x), how likely it is that somebody writes such a digit. Its negative
is a reconstruction and a divergence, in nats, and both may tell that something is strange. An LSTM autoencoder has only
its reconstruction. Both are trained on nine of the ten digits and never see the tenth; a threshold is the quantile that
the user sets of the errors of other normal digits, so that no anomaly has to be known beforehand.

What is easy for one may be hard for the other. See `cifar10_anomalies.py` for the same on photographs.

    python examples/mnist_anomalies.py
    python examples/mnist_anomalies.py --data full --epochs 10 --held-out 4
"""

import math
import sys

import numpy as np

from scratchnet.demo import load_mnist, run_example
from scratchnet.evaluation import (
    add_noise,
    detection_scores,
    detection_table,
    hold_out_class,
    markdown_table,
    occlude_block,
    plot_error_histogram,
    plot_images,
    reconstruction_error,
    shuffle_rows,
    text_table,
)
from scratchnet.layers import LSTM, Dense, GaussianKL, Input, RepeatVector, Reshape, Sampling, TimeDistributed
from scratchnet.layers.variational.gaussian_kl import divergence
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay

PIXELS = 28 * 28
MEASURES = {
    "-ELBO of the VAE": ("bound", "nats"),
    "MSE of the LSTM autoencoder": ("lstm", "MSE"),
}  # those with a picture


def falling_rate(steps, **options):
    """Adam, with a rate that rises for a tenth of the steps and then falls."""
    return Adam(CosineDecay(3e-4, steps, warmup_target=3e-3, warmup_steps=steps // 10), **options)


def build_vae(size, steps):
    """``(vae, encoder, decoder)``; `mnist_vae.py` says more of it."""
    image = Input((28, 28))
    h = Dense(512, activation="relu")(Reshape((PIXELS,))(image))
    mean, log_variance = GaussianKL()([Dense(size)(h), Dense(size)(h)])
    decoder = Sequential(
        [Input((size,)), Dense(512, activation="relu"), Dense(PIXELS, activation="sigmoid"), Reshape((28, 28))]
    )
    vae = Model(image, decoder(Sampling()([mean, log_variance])), name="vae")
    vae.compile(falling_rate(steps), "binary_crossentropy", loss_weights=[PIXELS])
    return vae, Model(image, [mean, log_variance]), decoder


def build_lstm(steps):
    """(N, 28, 28) -> code (N, 64) -> (N, 28, 28): a digit is read row by row."""
    image = Input((28, 28))
    h = RepeatVector(28)(LSTM(64)(image))
    drawn = TimeDistributed(Dense(28, activation="sigmoid"))(LSTM(64, return_sequences=True)(h))
    model = Model(image, drawn, name="lstm_autoencoder")
    model.compile(falling_rate(steps, clipnorm=1.0), "binary_crossentropy")
    return model


def rectangles(count, seed):
    """(count, 28, 28): white rectangles of 4 to 16 pixels a side, anywhere but at the edge."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, 28, 28), "float32")
    for image in images:
        height, width = rng.integers(4, 17, 2)
        top, left = rng.integers(2, 27 - height), rng.integers(2, 27 - width)
        image[top : top + height, left : left + width] = 1
    return images


def negative_bound(encoder, decoder, images, seed, draws=4):
    """``(-ELBO, reconstruction, divergence)`` of every image, in nats, each (N,); the first two of several codes."""
    rng = np.random.default_rng(seed)
    mean, log_variance = encoder.predict(images, batch_size=256, verbose=0)
    reconstruction = np.zeros(len(images))
    for _ in range(draws):
        code = mean + np.exp(log_variance / 2) * rng.standard_normal(mean.shape).astype(mean.dtype)
        reconstruction += PIXELS * reconstruction_error(images, decoder.predict(code, verbose=0), "bce") / draws
    kl = divergence(mean, log_variance)
    return reconstruction + kl, reconstruction, kl


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_mnist(options)
    (x_train, _), _ = hold_out_class(x_train, y_train, options.held_out)
    (x_test, _), (x_held_out, _) = hold_out_class(x_test, y_test, options.held_out)
    # The thresholds are set on normal digits that the models were not trained on.
    x_calibration, x_train = x_train[: len(x_train) // 10], x_train[len(x_train) // 10 :]
    kinds = {
        f"digit {options.held_out}": x_held_out,
        "upside down": x_test[:, ::-1],
        "block occluded": occlude_block(x_test, 8, seed=options.seed),
        "noise 0.2": add_noise(x_test, 0.2, options.seed),
        "rows shuffled": shuffle_rows(x_test, options.seed),
        "rectangles": rectangles(len(x_test), options.seed),
    }

    steps = options.epochs * math.ceil(len(x_train) / options.batch_size)
    vae, encoder, decoder = build_vae(options.code, steps)
    lstm = build_lstm(steps)
    for model in (vae, lstm):
        print(f"\nTraining {model.name} on {len(x_train):,} digits, none of them a {options.held_out}:")
        model.fit(x_train, x_train, epochs=options.epochs, batch_size=options.batch_size, verbose=2)

    def errors(images):
        total, reconstruction, kl = negative_bound(encoder, decoder, images, options.seed)
        drawn = lstm.predict(images, batch_size=256, verbose=0)
        return {
            "-ELBO of the VAE": total,
            "its reconstruction": reconstruction,
            "its divergence": kl,
            "MSE of the LSTM autoencoder": reconstruction_error(images, drawn),
        }

    calibration, normal = errors(x_calibration), errors(x_test)
    strange = {kind: errors(images) for kind, images in kinds.items()}
    areas, texts = {kind: [kind] for kind in kinds}, []
    for detector in normal:
        threshold = float(np.quantile(calibration[detector], options.quantile))
        by_kind = {kind: found[detector] for kind, found in strange.items()}
        headings, rows = detection_table(normal[detector], by_kind, threshold)
        above = np.mean(normal[detector] > threshold)
        caption = f"{detector}: threshold {threshold:.4g}, {above:.1%} of the normal digits above it"
        print(f"\n{caption}\n{text_table(headings, rows)}")
        texts += [f"{caption}\n\n{markdown_table(headings, rows)}"]
        for kind, scores in detection_scores(normal[detector], by_kind, threshold).items():
            areas[kind].append(f"{scores['roc_auc']:.4f}")
        if detector in MEASURES:
            name, measure = MEASURES[detector]
            title = f"Normal and strange digits: {detector}"
            output.figure(f"errors_{name}", plot_error_histogram(normal[detector], by_kind, threshold, title, measure))
    headings = ("ROC-AUC", *normal)
    print(f"\n{text_table(headings, list(areas.values()), width=120)}")
    output.text("detection.md", "\n\n".join([markdown_table(headings, list(areas.values())), *texts]) + "\n")

    output.figure("kinds", plot_images({"normal": x_test, **kinds}, title="Normal digits and kinds of anomalies"))
    picked = x_held_out[:10]
    drawn = {
        f"a {options.held_out}": picked,
        "by the VAE": decoder.predict(encoder.predict(picked, verbose=0)[0], verbose=0),
        "by the LSTM": lstm.predict(picked, verbose=0),
    }
    output.figure("held_out", plot_images(drawn, title="What is made of a digit that was never seen"))


def add_options(parser):
    parser.add_argument("--held-out", type=int, choices=range(10), default=4, help="the digit never seen (default: 4)")
    parser.add_argument("--code", type=int, default=16, help="how many numbers the VAE's code has (default: 16)")
    parser.add_argument("--quantile", type=float, default=0.95, help="the share of normal digits that counts as normal")


if __name__ == "__main__":
    description = "Let a variational and an LSTM autoencoder find digits that do not belong."
    sys.exit(run_example(main, description, epochs=20, batch_size=64, extra=add_options))
