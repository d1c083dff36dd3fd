"""How long a training step takes, through `fit` as users call it, beside Keras on TensorFlow and on JAX, and PyTorch.

    python benches/models.py
    python benches/models.py --peers tensorflow jax torch --json outputs/models.json --plot outputs/models.png

Every side runs in a process of its own and they take turns, so that a busy moment of the machine meets all alike. All
begin with the same weights; the bench ends with an error where a side's first loss differs. What counts is the ratio
within a turn; the table shows the median over the turns and the smallest and largest ratio. "limit" is how long the
multiply-adds of a step take at the rate of a large matrix product: nothing that computes them can be faster.
"""

import importlib.util
import os
import sys
import tempfile
import textwrap

from _shared import (
    Worker,
    describe,
    hold_to,
    in_sound_turns,
    instructions,
    make_parser,
    median_and_spread,
    milliseconds,
    positive,
    progress,
    ratios,
    restart_held_to,
    run_bench,
    spread_text,
)
from machine import LEAST_GAIN

PEERS = {"tensorflow": "TensorFlow (Keras)", "jax": "JAX (Keras)", "torch": "PyTorch"}
CALLS = ("fit", "evaluate", "predict")
SAME_LOSS = 1e-3  # the largest relative difference between the first losses of two sides


# ---- one side, in its own process ----


def worker(side, name, samples, weights_file, calls, threads):
    """Make the model, warm up, and then time one call over all samples for every line on standard input."""
    hold_to(threads)
    import numpy as np
    from layer_models import MODELS

    _, loss, batch_size, data = MODELS[name]
    x, y = data(samples)
    with np.load(weights_file) as file:
        weights = [file[key] for key in file.files]
    if side == "torch":
        first_loss, functions, about = _torch_calls(name, loss, x, y, weights, batch_size, threads)
    else:
        first_loss, functions, about = _keras_calls(side, name, x, y, weights, batch_size, threads)
    for call in calls:
        functions[call]()
    print("ready", flush=True)
    steps = -(-len(x) // batch_size)
    for line in sys.stdin:
        question = line.strip()
        answers = {"first loss": first_loss, "about": about}
        print(answers[question] if question in answers else milliseconds(functions[question]) / steps, flush=True)


def _keras_calls(side, name, x, y, weights, batch_size, threads):
    """The first loss, the three calls, and what there is to say: of scratchnet, or of Keras on `side`."""
    if side == "scratchnet":
        import scratchnet as library

        library.set_num_threads(threads)
    else:
        os.environ.update(KERAS_BACKEND=side, TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library
    from layer_models import MODELS
    from missions import make

    model = make(name, library, models=MODELS)
    model.set_weights(weights)
    first_loss = model.evaluate(x[:batch_size], y[:batch_size], batch_size=batch_size, verbose=0)
    functions = {
        "fit": lambda: model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0),
        "evaluate": lambda: model.evaluate(x, y, batch_size=batch_size, verbose=0),
        "predict": lambda: model.predict(x, batch_size=batch_size, verbose=0),
    }
    return float(first_loss[0] if isinstance(first_loss, list) else first_loss), functions, ""


def _torch_calls(name, loss, x, y, weights, batch_size, threads):
    """The same of PyTorch."""
    import torch
    from torch_models import TorchModel

    torch.set_num_threads(threads)
    model = TorchModel(name, loss, x, y, weights, batch_size)
    functions = {"fit": model.fit, "evaluate": model.evaluate, "predict": model.predict}
    about = "channels_last" if model.memory_format is torch.channels_last else ""
    return model.first_loss(), functions, about


# ---- measuring ----


def measure(options):
    """A row for every model and call, with ``"ms": {side: median}`` and ``"ratios": {peer: median and spread}``."""
    peers = installed(options.peers)
    return [row for name in options.only for row in _measure_model(name, peers, options)]


def installed(peers):
    """Those of the peers that are installed; of the others, a word."""
    found = []
    for peer in peers:
        needed = (peer,) if peer == "torch" else (peer, "keras")
        missing = [package for package in needed if not importlib.util.find_spec(package)]
        if missing:
            are = "is" if len(missing) == 1 else "are"
            print(f"{PEERS[peer]}: skipped, {' and '.join(missing)} {are} not installed")
        else:
            found.append(peer)
    return found


def _measure_model(name, peers, options):
    from arithmetic import least_milliseconds, sgemm_gflops
    from layer_models import MODELS

    workers, rows = {}, []
    with tempfile.TemporaryDirectory() as folder:
        weights_file = os.path.join(folder, "weights.npz")
        _save_initial_weights(name, weights_file)
        peers = [peer for peer in peers if peer != "torch" or _pytorch_has(name)]
        try:
            for side in ("scratchnet", *peers):
                progress(f"{name}: {side} starts")
                workers[side] = _start(side, name, weights_file, options)
            first_losses = {side: float(process.ask("first loss")) for side, process in workers.items()}
            check_first_losses(name, first_losses)
            about = {side: process.ask("about") for side, process in workers.items()}
            for call in options.calls:
                sides = {side: lambda p=process, c=call: float(p.ask(c)) for side, process in workers.items()}
                readings, gains, repeated = in_sound_turns(sides, options.turns, options.threads, f"{name}, {call}")
                rows.append(
                    {
                        "model": name,
                        "batch": MODELS[name][2],
                        "call": call,
                        "first_loss": first_losses,
                        "about": about,
                        "limit": least_milliseconds(name, call, sgemm_gflops(options.threads)),
                        "gain": median_and_spread(gains),
                        "repeated": repeated,
                        "ms": {side: median_and_spread(found)[0] for side, found in readings.items()},
                        "ratios": {
                            peer: median_and_spread(ratios(found, readings["scratchnet"]))
                            for peer, found in readings.items()
                            if peer != "scratchnet"
                        },
                    }
                )
        finally:
            for process in workers.values():
                process.close()
    return rows


def _pytorch_has(name):
    from torch_models import MODELS

    return name in MODELS


def _save_initial_weights(name, path):
    import numpy as np
    from layer_models import MODELS
    from missions import make

    import scratchnet
    from scratchnet.utils import set_random_seed

    set_random_seed(1)
    np.savez(path, *make(name, scratchnet, models=MODELS).get_weights())


def _start(side, name, weights_file, options):
    command = [__file__, "--worker", side, "--only", name, "--weights", weights_file]
    command += ["--samples", options.samples, "--threads", options.threads, "--calls", *options.calls]
    return Worker(command, TF_NUM_INTRAOP_THREADS=options.threads, OMP_NUM_THREADS=options.threads)


def check_first_losses(name, losses):
    """Raises RuntimeError where a peer's first loss is not ours: then it would be another model."""
    ours = losses["scratchnet"]
    for side, loss in losses.items():
        if not abs(loss - ours) <= SAME_LOSS * abs(ours):
            raise RuntimeError(f"{name}: the first loss of {side} is {loss:.6g}, that of scratchnet {ours:.6g}")


# ---- showing ----


def peers_of(result):
    """The peers of a result, in the order of `PEERS`; not every model needs to have them all."""
    return [peer for peer in PEERS if any(peer in row["ratios"] for row in result["rows"])]


def fastest_peer(row):
    """``(peer, ratio)`` with the smallest median ratio; None without peers."""
    found = {peer: median for peer, (median, *_) in row["ratios"].items()}
    return min(found.items(), key=lambda item: item[1]) if found else None


def _cells(result, with_call=True):
    """The headings and lines of a table."""
    headings = ["model (batch)", *["call"][: int(with_call)], "limit ms", "scratchnet ms", "over limit"]
    for peer in peers_of(result):
        headings += [f"{PEERS[peer]} ms", "ratio (spread)"]
    lines = []
    for row in result["rows"]:
        line = [f"{row['model']} ({row['batch']})", *[row["call"]][: int(with_call)]]
        ours = row["ms"]["scratchnet"]
        line += [f"{row['limit']:.1f}", f"{ours:.1f}", f"{ours / row['limit']:.2f}"]
        for peer in peers_of(result):
            has = peer in row["ratios"]
            line += [f"{row['ms'][peer]:.1f}", spread_text(row["ratios"][peer])] if has else ["", ""]
        lines.append(line)
    return headings, lines


def table(result):
    """The readings as text."""
    from scratchnet.evaluation import text_table

    return text_table(*_cells(result), width=200)


def markdown(result):
    """A section of the page of benchmarks."""
    return sections(
        result,
        "Models beside their peers",
        "PyTorch runs the relu LSTM as a cell in a loop because `nn.LSTM` has no relu.",
    )


def sections(result, heading, remark):
    """A section of the page of benchmarks, with a part for each call."""
    from scratchnet.evaluation import markdown_table

    options, vectors = result["options"], instructions(result["environment"])
    parts = [f"## {heading}, {vectors}"]
    paragraph = (
        f"Milliseconds per step of {options['samples']:,} samples through one call, float32, {options['threads']} "
        f"threads a side, the same initial weights; the median of {options['turns']} turns. The ratio is the peer's "
        "time over scratchnet's within a turn: its median, and its smallest and largest value. PyTorch runs a plain "
        "loop over shuffled batches, with images in the memory format that is faster; `torch.compile` was not used. "
        f"{remark} The limit is the time of the multiply-adds alone, at the rate of a large matrix product."
    )
    gains = [row["gain"] for row in result["rows"] if "gain" in row]
    if gains and options["threads"] == 2:
        paragraph += (
            f" A turn counts where two threads gain at least {LEAST_GAIN} over one on a matrix product, before it and "
            f"after it: they gained {min(low for _, low, _ in gains):.2f} to {max(high for *_, high in gains):.2f}; "
            f"{sum(row['repeated'] for row in result['rows'])} turns were repeated, each row at most "
            f"{options['turns']}."
        )
    parts.append(textwrap.fill(paragraph, 120))
    for call in CALLS:
        rows = [row for row in result["rows"] if row["call"] == call]
        if not rows:
            continue
        of_call = {**result, "rows": rows}
        parts.append(f"### `{call}`, {vectors}\n\n{markdown_table(*_cells(of_call, with_call=False))}")
        found = [(fastest_peer(row), row["model"]) for row in rows if fastest_peer(row)]
        if found:
            (peer, least), name = min(found, key=lambda item: item[0][1])
            twice = sum(ratio >= 2 for (_, ratio), _ in found)
            parts.append(
                f"Against the fastest peer of each model: at least twice as fast on {twice} of {len(found)}; the "
                f"smallest ratio is {least:.2f} ({name}, {PEERS[peer]})."
            )
    return "\n\n".join(parts) + "\n"


def draw(result):
    """Bars: the ratio of every model and peer, with its spread, and a line at 2."""
    import numpy as np

    from scratchnet.evaluation.style import colour, new_figure

    calls = [call for call in CALLS if any(row["call"] == call for row in result["rows"])]
    vectors = instructions(result["environment"])
    peers = peers_of(result)
    rows_of = {call: [row for row in result["rows"] if row["call"] == call] for call in calls}
    widest = max(map(len, rows_of.values()))  # names of models stand side by side
    figure, axes = new_figure(max(10, 1.2 * widest), 3.6 * len(calls) + 0.6, len(calls), squeeze=False)
    for ax, (call, rows) in zip(axes[:, 0], rows_of.items()):
        width = 0.8 / max(len(peers), 1)
        for k, peer in enumerate(peers):
            missing = (np.nan,) * 3
            found = [row["ratios"].get(peer, missing) for row in rows]
            middles = [middle for middle, _, _ in found]
            spread = [[middle - low for middle, low, _ in found], [high - middle for middle, _, high in found]]
            places = [i + (k - (len(peers) - 1) / 2) * width for i in range(len(rows))]
            ax.bar(places, middles, width, yerr=spread, capsize=2, color=colour(k), label=PEERS[peer])
        ax.axhline(2, color="black", linewidth=1, linestyle="--")
        size = 8 if len(rows) < 8 else 6.5
        ax.set_xticks(range(len(rows)), [row["model"].replace(" ", "\n", 1) for row in rows], fontsize=size)
        ax.set_ylabel("peer's time / scratchnet's")
        ax.set_title(f"{call}: how many times faster (line: twice), {vectors}")
        if peers:
            ax.legend(fontsize=8)
    figure.supxlabel(describe(result["environment"]), fontsize=6)
    return figure


def main(bench="models", models=None, description=__doc__):
    """Read the command line, measure, print the table. `models`: those of the bench, if not the mission's."""
    from layer_models import MODELS
    from missions import MISSIONS

    models = models or MISSIONS
    parser = make_parser(description)
    add = parser.add_argument
    add("--peers", nargs="*", choices=PEERS, default=[], help="whom to compare with, where installed")
    add("--only", nargs="*", choices=MODELS, metavar="MODEL", help=f"of: {', '.join(models)}")
    add("--calls", nargs="*", default=["fit"], choices=CALLS, help="what to time (default: fit)")
    add("--samples", type=positive, default=5120, help="in a call (default: %(default)s)")
    parser.add_argument("--worker", help="for the bench itself: be one of the sides")
    parser.add_argument("--weights", help="for the bench itself: the file of the initial weights")
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.only[0], options.samples, options.weights, options.calls, options.threads)
        return
    restart_held_to(options.isa)
    options.only = options.only or list(models)
    run_bench(bench, options, measure, table, draw)


if __name__ == "__main__":
    main()
