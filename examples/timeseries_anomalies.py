"""Finding strange intervals in a series with an LSTM autoencoder.

A window slides over the first half of the series, and the autoencoder learns to get what it shows through a few
numbers. In the second half it does so again, and where it fails something is new. A point's error is the mean over all
windows that hold it; the threshold is a quantile of the errors of points that count as normal, so that no anomaly has
to be known beforehand.

The series is an electrocardiogram in which cardiologists have noted every beat, so that it can be told what was found
and what was missed: ventricular beats, beats that are half ventricular ("fusion"), and noise. It learns from those
parts of the first half that have none of them, as one would who may choose a quiet stretch. With a file of your own:

    python examples/timeseries_anomalies.py
    python examples/timeseries_anomalies.py --csv sensor.csv --column temperature --window 96
    python examples/timeseries_anomalies.py --csv sensor.csv --column temperature --labels is_anomaly
"""

import sys
from typing import NamedTuple

import numpy as np

from scratchnet.datasets import electrocardiogram
from scratchnet.datasets.csv_column import read_csv_column
from scratchnet.demo import run_example
from scratchnet.evaluation import (
    errors_of_points,
    find_intervals,
    interval_scores,
    mark_intervals,
    markdown_table,
    plot_curves,
    plot_intervals,
    recall_by_kind,
    text_table,
)
from scratchnet.evaluation.style import colour, new_figure
from scratchnet.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from scratchnet.models import Model
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay

FRAME = 4  # points that the LSTM reads at a time


class Series(NamedTuple):
    values: np.ndarray  # (T,)
    events: list  # (kind, begin, end); empty if nothing is known
    rate: float  # points in a unit of the axis
    unit: str


def load_series(options):
    """The file that the user names, or the electrocardiogram, 120 numbers a second."""
    if options.csv:
        values = read_csv_column(options.csv, options.column)
        events = []
        if options.labels:
            labels = read_csv_column(options.csv, options.labels)
            events = [("anomaly", *interval) for interval in find_intervals(labels != 0)]
        print(f"{len(values):,} points of {options.csv}, {len(events)} known anomalies")
        return Series(values, events, 1, "points")
    if options.column or options.labels:
        raise ValueError("--column and --labels name columns of a file: say which one, with --csv FILE")
    signal, noted = electrocardiogram.load_sample()
    events = [(event.kind, event.begin // 3, -(-event.end // 3)) for event in noted]
    print(f"{len(signal) / electrocardiogram.RATE:.0f} s of an electrocardiogram, {len(events)} noted events")
    return Series(signal.reshape(-1, 3).mean(axis=1), events, electrocardiogram.RATE / 3, "seconds")


def windows_of(series, begins, window, scale):
    """(N, window / FRAME, FRAME) float32: each window without its mean, in units of the usual deviation."""
    x = series[begins[:, np.newaxis] + np.arange(window)]  # (N, window)
    x = (x - x.mean(axis=1, keepdims=True)) / scale
    return x.reshape(len(x), -1, FRAME).astype("float32")


def build_model(window, code, steps):
    """(N, window / FRAME, FRAME) -> code (N, code) -> the same again; to be trained for that many steps."""
    T = window // FRAME
    x = Input((T, FRAME))
    h = RepeatVector(T)(LSTM(code)(x))
    model = Model(x, TimeDistributed(Dense(FRAME))(LSTM(code, return_sequences=True)(h)), name="lstm_autoencoder")
    rate = CosineDecay(0.0005, steps, warmup_target=0.005, warmup_steps=steps // 10)
    model.compile(Adam(rate, clipnorm=1.0), "mse")
    return model


def point_errors(model, series, begins, window, scale):
    """The squared error of every point, averaged over the windows that hold it: (T,), NaN where there is none."""
    x = windows_of(series, begins, window, scale)
    errors = np.square(model.predict(x, batch_size=256, verbose=0) - x).reshape(len(x), window)
    return errors_of_points(errors, begins, len(series))


def normal_begins(half, known, window, stride):
    """Where windows begin that hold nothing strange, in the first half of the series."""
    begins = np.arange(0, half - window + 1, stride)
    strange = np.r_[0, np.cumsum(known[:half])]
    return begins[strange[begins + window] == strange[begins]]


def plot_windows(model, x, title):
    """Windows, and what the autoencoder makes of them."""
    figure, axes = new_figure(8, 3.6, 2, 4, sharex=True, sharey=True)
    for ax, window, drawn in zip(axes.flat, x, model.predict(x, verbose=0)):
        ax.plot(window.ravel(), color="0.25", linewidth=1, label="window")
        ax.plot(drawn.ravel(), color=colour(1), linewidth=1, label="reconstructed")
    axes[0, 0].legend(fontsize="x-small")
    figure.suptitle(title, fontsize=12)
    return figure


def main(options, output):
    series, events, rate, unit = load_series(options)
    window, T = options.window, len(series)
    if window % FRAME or window < 2 * FRAME:
        raise ValueError(f"--window must be a multiple of {FRAME} from {2 * FRAME} on, got {window}")
    if T < 16 * window:
        raise ValueError(f"{T:,} points are too few for windows of {window}: at least {16 * window:,}, or --window")
    if not 0 < options.quantile < 1:
        raise ValueError(f"--quantile must be between 0 and 1, got {options.quantile}")
    half = T // 2
    known = mark_intervals([event[1:] for event in events], T)
    begins = normal_begins(half, known, window, stride=2)
    # The last fifth of the normal windows sets the threshold; no point of theirs is trained on.
    held_out = begins[4 * len(begins) // 5 :]
    trained = begins[begins + window <= held_out.min(initial=T)]
    if len(trained) < 50:
        raise ValueError(f"too few of the windows of {window} points in the first half are normal: {len(trained)}")
    scale = series[trained[:, np.newaxis] + np.arange(window)].std(axis=1).mean()
    if not scale > 0:
        raise ValueError("the series does not change in its first half: there is nothing to learn")

    x_train = windows_of(series, trained, window, scale)
    model = build_model(window, options.code, options.epochs * -(-len(x_train) // options.batch_size))
    model.summary()
    x_held_out = windows_of(series, held_out, window, scale)
    history = model.fit(
        x_train,
        x_train,
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation_data=(x_held_out, x_held_out),
        verbose=2,
    )

    normal = point_errors(model, series, held_out, window, scale)
    threshold = float(np.nanquantile(normal, options.quantile))
    errors = point_errors(model, series, np.r_[half : T - window : 2, T - window], window, scale)[half:]
    found = find_intervals(errors > threshold, join=window // 8, shortest=window // 16)
    print(f"\nThreshold {threshold:.4g}, the {options.quantile:.1%} quantile of the errors of normal points")
    print(f"{len(found)} intervals found in the second half, from {unit} {half / rate:g} to {T / rate:g}")

    lines = [f"{(half + a) / rate:g},{(half + b) / rate:g},{np.max(errors[a:b]):.5g}" for a, b in found]
    output.text("intervals.csv", "\n".join([f"begin_{unit},end_{unit},largest_error", *lines]) + "\n")
    later = [(kind, max(a - half, 0), b - half) for kind, a, b in events if b > half]
    if later:
        scores = interval_scores([event[1:] for event in later], found, len(errors))
        rows = [(name, *(f"{value:.3f}" for value in score)) for name, score in scores.items()]
        headings = ("by", "precision", "recall", "F1")
        kinds = [(kind, f"{a}", f"{b}", f"{a / b:.1%}") for kind, (a, b) in recall_by_kind(later, found, T).items()]
        for_kinds = ("kind", "found", "of", "share")
        print(f"\n{text_table(headings, rows)}\n\n{text_table(for_kinds, kinds)}")
        output.text("detection.md", markdown_table(headings, rows) + "\n\n" + markdown_table(for_kinds, kinds) + "\n")
    output.figure("loss", plot_curves(history))
    shown = min(len(errors), 20 * window)
    # Where most is found, and where the largest error is.
    where = {"found": found[len(found) // 2][0] if found else 0, "largest": int(np.argmax(errors))}
    for name, centre in where.items():
        first = int(np.clip(centre - shown // 2, 0, len(errors) - shown))
        part = slice(first, first + shown)
        output.figure(
            f"intervals_{name}",
            plot_intervals(
                series[half:][part],
                errors[part],
                threshold,
                [(max(a - first, 0), min(b - first, shown)) for a, b in found if a < first + shown and b > first],
                [(max(a - first, 0), min(b - first, shown)) for _, a, b in later if a < first + shown and b > first],
                rate,
                (half + first) / rate,
                f"What was found, in {unit}",
            ),
        )
    output.figure("windows", plot_windows(model, x_held_out[:: max(len(x_held_out) // 8, 1)], "Normal windows"))


def add_options(parser):
    parser.add_argument("--csv", metavar="FILE", help="a series of your own, its first line the names of the columns")
    parser.add_argument("--column", metavar="NAME", help="the column of the file that holds the series")
    parser.add_argument("--labels", metavar="NAME", help="the column that is not 0 where an anomaly is known, if any")
    parser.add_argument("--window", type=int, default=48, help="points in a window (default: %(default)s)")
    parser.add_argument("--code", type=int, default=64, help="numbers that a window has to fit in (default: 64)")
    parser.add_argument(
        "--quantile", type=float, default=0.995, help="the share of normal points that counts as normal"
    )


if __name__ == "__main__":
    description = "Train an LSTM autoencoder on windows of a series and mark the intervals that do not belong."
    sys.exit(run_example(main, description, epochs=60, batch_size=64, extra=add_options))
