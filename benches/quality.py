"""How well the models learn, beside Keras: the same architecture, data, epochs and batch size, from several seeds.

    python benches/quality.py                                     # on the samples; a minute or two
    python benches/quality.py --data full --json benches/results/quality.json --page docs/keras_side_by_side.md

Each run, of one model on one side with one seed, is a process of its own, and is written to the JSON file when it ends:
stopped and started again, the bench goes on where it was. Initial weights and the order of the samples are each side's
own, so the sides differ as two seeds of one side do; that is why there are several.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from _shared import describe, environment, make_parser, positive, progress, restart_without_coretype, without_coretype

SIDES = {"scratchnet": "scratchnet", "tensorflow": "Keras"}


def _lstm_classifier(K):
    L = K.layers
    return [L.Input((28, 28)), L.LSTM(128), L.Dense(10, activation="softmax")]


def _denoiser(K):
    """The LSTM autoencoder of the rows of a photograph; the data make it a denoiser."""
    from missions import cifar10_autoencoder

    return cifar10_autoencoder(K)


def models():
    """``{name: (build, loss, data, epochs, batch size)}``; `data` is one of `_DATA`."""
    from missions import MISSIONS

    def mission(name, data, epochs):
        build, loss, batch_size, _ = MISSIONS[name]
        return build, loss, data, epochs, batch_size

    return {
        "CNN classifier": mission("CNN classifier", "digits with a channel, labels", 5),
        "SimpleRNN classifier": mission("SimpleRNN classifier", "digits, labels", 5),
        "LSTM classifier": (_lstm_classifier, "sparse_categorical_crossentropy", "digits, labels", 5, 128),
        "CNN autoencoder": mission("CNN autoencoder", "digits with a channel", 5),
        "SimpleRNN autoencoder": mission("SimpleRNN autoencoder", "digits", 5),
        "LSTM autoencoder": mission("LSTM autoencoder", "digits", 5),
        "CIFAR-10 CNN + LSTM": mission("CIFAR-10 CNN + LSTM", "photographs, one-hot", 5),
        "CIFAR-10 LSTM autoencoder": mission("CIFAR-10 LSTM autoencoder", "rows of photographs", 20),
        "CIFAR-10 denoising": (_denoiser, "mse", "noisy rows of photographs", 20, 128),
    }


def data_of(kind, full):
    """``(x_train, y_train), (x_test, y_test), validation_split`` of one of the kinds of data in `models`."""
    import numpy as np

    from scratchnet.datasets import cifar10, mnist
    from scratchnet.evaluation import add_noise

    dataset = mnist if "digits" in kind else cifar10
    (x, y), (x_test, y_test) = dataset.load_data() if full else dataset.load_sample()
    pairs = []
    for seed, (images, labels) in enumerate([(x, y), (x_test, y_test)]):
        images, labels = np.float32(images) / 255, labels.reshape(-1)
        if "channel" in kind:
            images = images[..., np.newaxis]
        if "rows" in kind:
            images = images.reshape(-1, 32, 96)
        if "noisy" in kind:
            pairs.append((add_noise(images, 0.2, seed), images))
        elif "labels" in kind:
            pairs.append((images, labels))
        elif "one-hot" in kind:
            pairs.append((images, np.eye(10, dtype="float32")[labels]))
        else:
            pairs.append((images, images))
    return *pairs, 0.2 if dataset is mnist else 0.0


# ---- one run, in its own process ----


def train(side, name, seed, data, epochs):
    """Train and test one model; the figures as a dict."""
    if side == "tensorflow":
        os.environ.update(KERAS_BACKEND=side, TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library
    else:
        import scratchnet as library
    library.utils.set_random_seed(seed)
    build, loss, kind, usual_epochs, batch_size = models()[name]
    (x, y), (x_test, y_test), split = data_of(kind, data == "full")
    classifies = "crossentropy" in loss and loss != "binary_crossentropy"
    model = library.models.Sequential(build(library))
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"] if classifies else None)
    history = model.fit(
        x, y, batch_size=batch_size, epochs=epochs or usual_epochs, validation_split=split, verbose=2
    ).history
    scores = model.evaluate(x_test, y_test, batch_size=batch_size, verbose=0, return_dict=True)
    return {
        "training losses": [float(value) for value in history["loss"]],
        "test loss": float(scores["loss"]),
        "test accuracy": float(scores["accuracy"]) if classifies else None,
    }


# ---- all runs ----


def run_all(options):
    """Every run that the JSON file does not hold yet; returns the result."""
    result = {"bench": "quality", "options": {"data": options.data, "epochs": options.epochs}, "runs": []}
    if options.json and Path(options.json).exists():
        before = json.loads(Path(options.json).read_text())
        if before["options"] != result["options"]:
            raise SystemExit(f"{options.json} holds runs with other options: {before['options']}")
        result = before
    done = {(run["model"], run["side"], run["seed"]) for run in result["runs"]}
    planned = [
        (name, side, seed)
        for seed in range(1, options.seeds + 1)
        for name in options.only or models()
        for side in options.sides
    ]
    missing = [run for run in planned if run not in done]
    for count, (name, side, seed) in enumerate(missing):
        progress(f"run {count + 1} of {len(missing)}: {name}, {SIDES[side]}, seed {seed}")
        command = [
            sys.executable,
            __file__,
            "--run",
            side,
            "--only",
            name,
            "--seeds",
            str(seed),
            "--data",
            options.data,
        ]
        command += ["--epochs", str(options.epochs)] if options.epochs else []
        settings = {"SCRATCHNET_NUM_THREADS": options.threads, "TF_NUM_INTRAOP_THREADS": options.threads}
        answer = subprocess.run(command, capture_output=True, text=True, env=without_coretype(**settings))
        if answer.returncode:
            raise SystemExit(f"{name} on {SIDES[side]} failed:\n{answer.stderr[-2000:]}")
        figures = json.loads(answer.stdout.strip().splitlines()[-1])
        result["runs"].append({"model": name, "side": side, "seed": seed, **figures})
        result["environment"] = environment(options.threads)
        if options.json:
            path = Path(options.json)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result, indent=1) + "\n")
    progress()
    return result


# ---- what came out ----


def cells(result):
    """Headings and rows: each model's final training loss, test loss and accuracy on both sides, and what to think of it."""
    headings = ["model", "epochs", "side", "seeds", "training loss", "test loss", "test accuracy", "verdict"]
    lines = []
    for name in dict.fromkeys(run["model"] for run in result["runs"]):
        of_model = {side: [r for r in result["runs"] if (r["model"], r["side"]) == (name, side)] for side in SIDES}
        for side, runs in of_model.items():
            if runs:
                accuracies = [run["test accuracy"] for run in runs if run["test accuracy"] is not None]
                lines.append(
                    [
                        name,
                        str(len(runs[0]["training losses"])),
                        SIDES[side],
                        str(len(runs)),
                        _mean_and_range([run["training losses"][-1] for run in runs]),
                        _mean_and_range([run["test loss"] for run in runs]),
                        _mean_and_range(accuracies, percent=True) if accuracies else "",
                        verdict(of_model) if side == "scratchnet" else "",
                    ]
                )
    return headings, lines


def verdict(of_model):
    """Our mean test loss (or accuracy) against the range of Keras's seeds, in a word."""
    ours, theirs = ([_merit(run) for run in of_model[side]] for side in ("scratchnet", "tensorflow"))
    if not ours or not theirs:
        return ""
    mean = statistics.mean(ours)
    if len(theirs) > 1 and min(theirs) <= mean <= max(theirs):
        return "within Keras's seeds"
    difference = mean / statistics.mean(theirs) - 1
    return f"{'better' if difference > 0 else 'worse'} than Keras by {abs(difference):.1%}"


def _merit(run):
    """More is better."""
    return 1 / run["test loss"] if run["test accuracy"] is None else run["test accuracy"]


def _mean_and_range(values, percent=False):
    def show(value):
        return f"{100 * value:.2f} %" if percent else f"{value:.4f}"

    if len(values) == 1:
        return show(values[0])
    return f"{show(statistics.mean(values))} ({show(min(values))} to {show(max(values))})"


def table(result):
    """For the screen."""
    from scratchnet.evaluation import text_table

    return text_table(*cells(result), width=200)


def markdown(result):
    """The page."""
    from scratchnet.evaluation import markdown_table

    data = "all of MNIST and CIFAR-10" if result["options"]["data"] == "full" else "the embedded samples"
    return (
        "# Beside Keras\n\n"
        "The same architecture, data, number of epochs and batch size on both sides, Adam with its defaults; initial weights "
        "and the order of the samples are each side's own. Shown are means over the seeds and, in brackets, the smallest and "
        "the largest. The verdict compares our mean of the test accuracy, or of the test loss where there is none, with the "
        f"range of Keras's seeds. Trained on {data}; of MNIST the last fifth of the training set is held out.\n\n"
        "This page is written by `python benches/quality.py --data full --json benches/results/quality.json --page "
        "docs/keras_side_by_side.md`; no figure in it is written by hand.\n\n"
        f"{markdown_table(*cells(result))}\n\n{describe(result['environment'])}\n"
    )


def main():
    """Read the command line, train, print the table."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add("--only", nargs="*", choices=models(), metavar="MODEL", help=f"of: {', '.join(models())}")
    add("--sides", nargs="*", choices=SIDES, default=list(SIDES), help="default: both")
    add("--seeds", type=positive, default=3, help="how many: 1, 2, ... (default: %(default)s)")
    add("--data", choices=("sample", "full"), default="sample", help="default: %(default)s")
    add("--epochs", type=positive, help="of every model, instead of 5 (MNIST, hybrid) or 20 (CIFAR-10 autoencoders)")
    add("--page", metavar="FILE", help="write the table as a page of Markdown")
    add("--run", choices=SIDES, help="for the bench itself: be one run, with the seed --seeds")
    options = parser.parse_args()
    if options.run:
        print(json.dumps(train(options.run, options.only[0], options.seeds, options.data, options.epochs)))
        return
    restart_without_coretype()
    result = run_all(options)
    print(table(result))
    if options.page:
        Path(options.page).write_text(markdown(result))
        print(f"wrote {options.page}")


if __name__ == "__main__":
    main()
