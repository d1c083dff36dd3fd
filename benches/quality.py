"""How well the models learn, beside Keras: the same architecture, data, epochs and batch size, from several seeds.

    python benches/quality.py                                     # on the samples; a few minutes
    python benches/quality.py --data full --json benches/results/quality.json --page docs/keras_side_by_side.md

Each run, of one model on one side with one seed, is a process of its own, and is written to the JSON file when it ends,
as is the page: stopped and started again, the bench goes on where it was. Seed 1 of every model comes before seed 2 of
any. Initial weights and the order of the samples are each side's own, so the sides differ as two seeds of one side do;
that is why there are several.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from _shared import describe, environment, positive, progress, restart_held_to, without_coretype

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
        before = read(options.json)
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
        command = [sys.executable, __file__, "--run", side, "--only", name, "--seeds", str(seed)]
        command += ["--data", options.data]
        command += ["--epochs", str(options.epochs)] if options.epochs else []
        settings = {"SCRATCHNET_NUM_THREADS": options.threads, "TF_NUM_INTRAOP_THREADS": options.threads}
        answer = subprocess.run(command, capture_output=True, text=True, env=without_coretype(**settings), check=False)
        if answer.returncode:
            raise SystemExit(f"{name} on {SIDES[side]} failed:\n{answer.stderr[-2000:]}")
        figures = json.loads(answer.stdout.strip().splitlines()[-1])
        result["runs"].append({"model": name, "side": side, "seed": seed, **figures})
        result["environment"] = environment(options.threads)
        if options.json:
            write(options.json, json.dumps(result, indent=1) + "\n")
        if options.page:
            write(options.page, markdown(result))
    progress()
    return result


def read(path):
    """The result in a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write(path, text):
    """All of the text or none of it: whoever stops the bench keeps the file as it was."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


# ---- what came out ----


def by_model(result):
    """``{model: {side: runs}}``, in the order of `models`."""
    return {
        name: {side: runs for side in SIDES if (runs := [r for r in of_model if r["side"] == side])}
        for name in models()
        if (of_model := [run for run in result["runs"] if run["model"] == name])
    }


def cells(result):
    """Headings and rows: each model's final training loss, test loss and accuracy on both sides, and the verdict."""
    headings = ["model", "epochs", "side", "seeds", "training loss", "test loss", "test accuracy", "verdict"]
    lines = []
    for name, sides in by_model(result).items():
        for side, runs in sides.items():
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
                    verdict(sides) if side == "scratchnet" else "",
                ]
            )
    return headings, lines


def verdict(sides):
    """Where our mean of the test accuracy (or test loss, if there is none) lies in the range of Keras's seeds."""
    if set(sides) != set(SIDES):
        return "one side only"
    figure = "test accuracy" if sides["scratchnet"][0]["test accuracy"] is not None else "test loss"
    ours, theirs = ([run[figure] for run in sides[side]] for side in ("scratchnet", "tensorflow"))
    difference = statistics.mean(ours) - statistics.mean(theirs)
    if figure == "test accuracy":
        size, better = f"{100 * difference:+.2f} points", difference > 0
    else:
        size, better = f"{difference / statistics.mean(theirs):+.1%} loss", difference < 0
    if len(theirs) == 1:
        return f"{size}; one seed of Keras has no range"
    if min(theirs) <= statistics.mean(ours) <= max(theirs):
        return f"{size}: within Keras's range"
    apart = "the ranges overlap" if min(ours) <= max(theirs) and min(theirs) <= max(ours) else "the ranges do not meet"
    return f"{size}: {'better' if better else 'worse'} than Keras's range; {apart}"


def _mean_and_range(values, percent=False):
    def show(value):
        return f"{100 * value:.2f} %" if percent else f"{value:.4f}"

    if len(values) == 1:
        return show(values[0])
    return f"{show(statistics.mean(values))} ({show(min(values))} to {show(max(values))})"


def table(result):
    """For the screen."""
    from scratchnet.evaluation import text_table

    return text_table(*cells(result), width=240)


def markdown(result):
    """The page, from the JSON alone."""
    from scratchnet.evaluation import markdown_table

    trained = "all of MNIST and CIFAR-10" if result["options"]["data"] == "full" else "the embedded samples"
    machine = result["environment"]
    return f"""# Beside Keras

This page is written by the command below; no figure in the table is written by hand. The JSON file has every seed and
every epoch. Trained on {trained}, tested on the test set.

    python benches/quality.py --data full --json benches/results/quality.json --page docs/keras_side_by_side.md

Alike on both sides: the layers, their defaults and the shapes of their weights, the data (for the denoising, the same
noise: standard deviation 0.2, clipped to [0, 1]), the loss, Adam with its defaults, float32, the number of epochs and
the batch size: 128, and 256 for the CIFAR-10 LSTM autoencoder. The last fifth of MNIST's training set is held out
(`validation_split=0.2`); of CIFAR-10 all images train.

Each side's own: the draw of the initial weights, the order of the samples, and the order in which sums are rounded. If
that is all, the sides differ as two seeds of one side do.

A cell is the mean of the seeds and, in brackets, the smallest and the largest of them. The training loss is that of the
last epoch, the mean over its batches. The verdict is about the test accuracy, or the test loss where there is none: how
far our mean is from Keras's, and whether it lies in the range of Keras's seeds. A range of three seeds is narrow: of
two sides that differ in nothing, the mean of three lies outside the other's range in 37 of 100 rows, and the two ranges
do not meet in 10 of 100. With eight seeds a side it is 3 of 100, and next to never. From a single seed of Keras nothing
can be said. Three models whose three seeds said "worse" therefore got five more:

    python benches/quality.py --data full --seeds 8 --only "CNN autoencoder" "LSTM autoencoder" "CIFAR-10 CNN + LSTM" \\
        --json benches/results/quality.json --page docs/keras_side_by_side.md

The LSTM autoencoder, whose relu has no upper bound, now and then blows up early in training and recovers slowly; one
such seed moves the mean of eight. That is the model's, not a side's: after one epoch on MNIST (`--epochs 1 --seeds 40`)
the median test loss of the seeds 11 to 40 is 0.1850 with scratchnet and 0.1855 with Keras, and the one that blew up is
Keras's. From scratchnet's weights of seed 4, its worst, Keras blew up too.

{markdown_table(*cells(result))}

{_in_words(result)}

scratchnet {machine["scratchnet"]} with the {machine["backend"]} backend, on {describe(machine)}
"""


def _in_words(result):
    """How many rows have which verdict, and how much is finished."""
    texts = {name: verdict(sides) for name, sides in by_model(result).items()}
    lines = []
    for ending, meaning in {
        "within Keras's range": "our mean is within the range of Keras's seeds",
        "better than Keras's range": "our mean is better than every seed of Keras",
        "worse than Keras's range": "our mean is worse than every seed of Keras",
        "has no range": "Keras has a single seed so far",
        "one side only": "only one side is finished so far",
    }.items():
        if names := [name for name, text in texts.items() if ending in text]:
            lines.append(f"- {meaning}: {', '.join(names)} ({len(names)} of {len(models())} models)")
    if absent := [name for name in models() if name not in texts]:
        lines.append(f"- not finished yet: {', '.join(absent)}")
    return "\n".join(lines)


def main():
    """Read the command line, train, print the table."""
    description = __doc__.split("\n\n")[0].replace("\n", " ")
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--only", nargs="*", choices=models(), metavar="MODEL", help=f"of: {', '.join(models())}")
    add("--sides", nargs="*", choices=SIDES, default=list(SIDES), help="default: both")
    add("--seeds", type=positive, default=3, help="how many: 1, 2, ... (default: %(default)s)")
    add("--data", choices=("sample", "full"), default="sample", help="default: %(default)s")
    add("--epochs", type=positive, help="of every model, instead of 5 (MNIST, hybrid) or 20 (CIFAR-10 autoencoders)")
    add("--threads", type=positive, default=2, help="of every side (default: %(default)s)")
    add("--json", metavar="FILE", help="write every run when it ends; the runs that are in it are not done again")
    add("--page", metavar="FILE", help="write the table as a page of Markdown, anew after each run")
    add("--from-json", action="store_true", help="train nothing, only show the table and write the page")
    add("--run", choices=SIDES, help="for the bench itself: be one run, with the seed --seeds")
    options = parser.parse_args()
    if options.run:
        print(json.dumps(train(options.run, options.only[0], options.seeds, options.data, options.epochs)))
        return
    if options.from_json and not (options.json and Path(options.json).exists()):
        parser.error("--from-json needs --json FILE, a file that is there")
    restart_held_to()
    result = read(options.json) if options.from_json else run_all(options)
    print(table(result))
    if options.page:
        write(options.page, markdown(result))
        print(f"wrote {options.page}")


if __name__ == "__main__":
    main()
