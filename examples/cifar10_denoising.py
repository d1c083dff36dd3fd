"""Taking noise out of photographs: two autoencoders that are given noisy images and trained towards the clean ones.

The LSTM autoencoder has to squeeze an image of 3,072 numbers through 64. It gets rid of the noise and of all detail
with it: it can only blur. The convolutional one has no such bottleneck; with a few 3 x 3 filters in a row it looks at a
small neighbourhood of each pixel and keeps the edges.

On the sample of 2,020 images the LSTM autoencoder has too little to learn from: what it gives back is further from the
clean image than the noisy one is. With all of CIFAR-10 it is nearer.

    python examples/cifar10_denoising.py
    python examples/cifar10_denoising.py --data full
"""

import sys

from scratchnet.demo import load_cifar10, run_example
from scratchnet.evaluation import add_noise, denoising_table, markdown_table, plot_curves, plot_images, text_table
from scratchnet.layers import LSTM, Add, Conv2D, Dense, Input, RepeatVector, Reshape, TimeDistributed
from scratchnet.models import Model


def build_lstm():
    """(N, 32, 32, 3) as 32 rows -> code (N, 64) -> (N, 32, 32, 3)."""
    image = Input((32, 32, 3))
    code = LSTM(64)(Reshape((32, 96))(image))
    h = LSTM(64, return_sequences=True)(RepeatVector(32)(code))
    rows = TimeDistributed(Dense(96))(h)
    return Model(image, Reshape((32, 32, 3))(rows), name="lstm_denoiser")


def build_convolutional():
    """The noise is simpler than the image: the network predicts it with the opposite sign and adds it to the image."""
    image = Input((32, 32, 3))
    h = Conv2D(24, (3, 3), activation="relu", padding="same")(image)
    h = Conv2D(24, (3, 3), activation="relu", padding="same")(h)
    h = Conv2D(24, (3, 3), activation="relu", padding="same")(h)
    correction = Conv2D(3, (3, 3), padding="same", kernel_initializer="zeros")(h)
    return Model(image, Add()([image, correction]), name="cnn_denoiser")


def main(options, output):
    (x_train, _), (x_test, _) = load_cifar10(options)
    noisy_train = add_noise(x_train, options.noise, options.seed)
    noisy_test = add_noise(x_test, options.noise, options.seed + 1)
    histories, denoised = {}, {}
    for name, model in {"LSTM": build_lstm(), "CNN": build_convolutional()}.items():
        print(f"\n{name}")
        model.compile(optimizer="adam", loss="mse")
        model.summary()
        epochs = options.epochs if name == "LSTM" else max(options.epochs // 2, 1)
        histories[name] = model.fit(
            noisy_train, x_train, epochs=epochs, batch_size=options.batch_size, validation_split=0.1
        )
        denoised[name] = model.predict(noisy_test, batch_size=options.batch_size, verbose=0)
    headings, table = denoising_table(x_test, {"noisy": noisy_test, **denoised})
    print("\n" + text_table(headings, table))
    output.text("denoising.md", markdown_table(headings, table) + "\n")
    output.figure("loss", plot_curves(histories))
    output.figure(
        "images", plot_images({"clean": x_test, "noisy": noisy_test, **denoised}, title="Noise, and what is left of it")
    )


def extra_options(parser):
    parser.add_argument(
        "--noise", type=float, default=0.2, help="standard deviation of the noise; pixels are in [0, 1]"
    )


if __name__ == "__main__":
    description = "Train an LSTM and a convolutional autoencoder to take noise out of photographs."
    sys.exit(run_example(main, description, epochs=8, extra=extra_options))
