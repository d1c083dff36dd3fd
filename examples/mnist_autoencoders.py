"""Three autoencoders of handwritten digits: convolutional, SimpleRNN and LSTM.

All learn to give back what they are given. What differs is what has to pass in between: 14 x 14 x 32 numbers in the
convolutional one, more than went in, and only 128 in the recurrent ones. So the first is the sharpest, and the codes of
the others say more.

    python examples/mnist_autoencoders.py
    python examples/mnist_autoencoders.py --data full --epochs 5
"""

import math
import sys

from scratchnet.demo import load_mnist, run_example
from scratchnet.evaluation import (
    error_table,
    markdown_table,
    plot_codes,
    plot_curves,
    plot_error_per_class,
    plot_reconstructions,
    reconstruction_error,
    text_table,
)
from scratchnet.layers import (
    LSTM,
    Conv2D,
    Dense,
    Input,
    MaxPooling2D,
    RepeatVector,
    SimpleRNN,
    TimeDistributed,
    UpSampling2D,
)
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay


def build_convolutional():
    """The autoencoder, and its first half as an encoder that shares its layers."""
    image = Input((28, 28, 1))
    h = Conv2D(32, (3, 3), activation="relu", padding="same")(image)
    code = MaxPooling2D((2, 2), padding="same")(h)  # (N, 14, 14, 32)
    h = Conv2D(32, (3, 3), activation="relu", padding="same")(code)
    h = UpSampling2D((2, 2))(h)
    output = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(h)
    return Model(image, output, name="cnn_autoencoder"), Model(image, code, name="cnn_encoder")


def build_recurrent(layer, name):
    """The same for a recurrent layer; the code is its last state."""
    model = Sequential(
        [
            Input((28, 28)),
            layer(128, activation="relu", name="encoder"),
            RepeatVector(28),
            layer(128, activation="relu", return_sequences=True),
            TimeDistributed(Dense(28, activation="sigmoid")),
        ],
        name=name,
    )
    return model, Model(model.inputs, model.get_layer("encoder").output, name=f"{name}_encoder")


def main(options, output):
    (x_train, _), (x_test, y_test) = load_mnist(options)
    steps = options.epochs * math.ceil(0.8 * len(x_train) / options.batch_size)  # the rest is for validation
    models = {
        "CNN": build_convolutional(),
        "SimpleRNN": build_recurrent(SimpleRNN, "simple_rnn_autoencoder"),
        "LSTM": build_recurrent(LSTM, "lstm_autoencoder"),
    }
    histories, pictures, errors, rows = {}, {}, {}, []
    for name, (model, encoder) in models.items():
        print(f"\n{name}")
        # The learning rate rises at first, lest an activation without an upper bound run away, and then falls along a
        # cosine. A gradient that has grown large on its way through time is shortened.
        learning_rate = CosineDecay(0.0, steps, warmup_target=3e-3, warmup_steps=steps // 10 + 1)
        model.compile(optimizer=Adam(learning_rate, clipnorm=1.0), loss="binary_crossentropy")
        model.summary()
        shape = (-1, *model.input_shape[1:])
        x, x_new = x_train.reshape(shape), x_test.reshape(shape)
        histories[name] = model.fit(x, x, epochs=options.epochs, batch_size=options.batch_size, validation_split=0.2)
        loss = model.evaluate(x_new, x_new, batch_size=options.batch_size, verbose=0)
        pictures[name] = model.predict(x_new, batch_size=options.batch_size, verbose=0).reshape(x_test.shape)
        errors[name] = reconstruction_error(x_test, pictures[name])
        codes = encoder.predict(x_new, batch_size=options.batch_size, verbose=0)
        output.figure(
            f"codes_{name.lower()}",
            plot_codes(
                codes, y_test, title=f"{name}: codes of test digits, by t-SNE", method="tsne", most=options.dots
            ),
        )
        rows.append(
            [name, f"{loss:.4f}", f"{errors[name].mean():.5f}", f"{codes[0].size:,}", f"{model.count_params():,}"]
        )
    summary = ("autoencoder", "test loss", "test MSE", "code size", "parameters"), rows
    by_digit = error_table(errors, y_test)
    print(f"\n{text_table(*summary)}\n\nMean squared error by digit\n{text_table(*by_digit)}")
    output.text(
        "report.md", f"{markdown_table(*summary)}\n\nMean squared error by digit:\n\n{markdown_table(*by_digit)}\n"
    )
    output.figure("reconstructions", plot_reconstructions(x_test, pictures))
    output.figure(
        "error_per_class", plot_error_per_class(errors, y_test, title="Mean squared error of the test digits")
    )
    output.figure("loss", plot_curves(histories))


def own_options(parser):
    parser.add_argument("--dots", type=int, default=1500, help="digits in the maps of codes (default: %(default)s)")


if __name__ == "__main__":
    sys.exit(
        run_example(
            main,
            "Train a CNN, a SimpleRNN and an LSTM autoencoder on handwritten digits.",
            epochs=8,
            batch_size=64,
            extra=own_options,
        )
    )
