"""Where compiled kernels pay: every kernel with Numba, with NumPy and with plain Python loops, over sizes.

    python benches/kernels.py
    python benches/kernels.py --only LSTM Adam --turns 21

float32, one thread (`--threads` rules the models only); sizes are changed one at a time around a typical one. In each
turn every backend computes the same call again and again for some milliseconds. How to read the table: "NumPy / Numba"
is the median over the turns of NumPy's time divided by Numba's, so that above 1 Numba pays; beside it stand the lower
and the upper quartile of the turns. A row says "slower" where Numba takes at least 5 % longer and three turns in
four agree; such a row is measured once more with three times the turns, and what counts is that. The loops are timed
where they are done within a blink.

Kernels are called as the layers call them; of the recurrent layers the whole layer is timed, all its matrix products
included. A model is timed by whole training steps through `fit`.
"""

import functools
import statistics
from typing import Any, NamedTuple

import numpy as np
from _shared import calls_for, in_turns, make_parser, milliseconds, ratios, run_bench
from missions import MISSIONS, make

import scratchnet
from scratchnet import activations, kernels, layers
from scratchnet.evaluation.style import colour, markdown_table, new_figure, text_table
from scratchnet.kernels import fused
from scratchnet.kernels.geometry import pad_amounts
from scratchnet.parallel import threads

BACKENDS = ("numba", "numpy", "loops")
LOOP_STEPS = 60_000  # innermost steps of a call, up to which loops are timed
AT_LEAST = 3.0  # milliseconds that a reading lasts


class Case(NamedTuple):
    """A call to be timed."""

    kernel: str
    size: str
    steps: float  # innermost steps of its loops
    make: Any  # () -> the call, a function without arguments; its arrays are made when its turn comes
    parts: int = 1  # how many times the call does what a reading stands for


@functools.lru_cache(maxsize=8)
def _random(*shape):
    """The same array whoever asks: where in memory an array lies can be worth some per cent."""
    return np.random.default_rng(0).standard_normal(shape, dtype="float32")


# ---- the calls ----


def convolution(N=32, H=28, C=32, F=32, K=3, stride=1, dilation=1, padding="same"):
    size = f"N {N}, {H}x{H}x{C}, {F} filters {K}x{K}"
    size += (
        f", stride {stride}" * (stride > 1)
        + f", dilation {dilation}" * (dilation > 1)
        + ", valid" * (padding != "same")
    )
    window = (stride, stride), (pad_amounts(H, K, stride, padding, dilation),) * 2, (dilation, dilation)

    def arrays():
        x, kernel, bias = _random(N, H, H, C), _random(K, K, C, F), _random(F)
        return x, kernel, bias, _random(*kernels.conv2d_forward(x, kernel, bias, *window).shape)

    def forward():
        x, kernel, bias, _ = arrays()
        return lambda: kernels.conv2d_forward(x, kernel, bias, *window)

    def backward():
        x, kernel, _, dy = arrays()
        return lambda: fused.conv2d_backward(dy, None, x, kernel, *window, activations.linear)

    steps = N * (H / stride) ** 2 * K * K * C * F
    return [Case("convolution forward", size, steps, forward), Case("convolution backward", size, steps, backward)]


def pooling(N=32, H=28, C=32, K=2, stride=2, padding="valid"):
    size = f"N {N}, {H}x{H}x{C}, window {K}x{K}, stride {stride}" + ", same" * (padding == "same")
    window = (K, K), (stride, stride), (pad_amounts(H, K, stride, padding),) * 2

    def arrays():
        x = _random(N, H, H, C)
        y, argmax = kernels.max_pool2d_forward(x, *window)
        return x, y, argmax

    def max_forward():
        x, _, _ = arrays()
        return lambda: kernels.max_pool2d_forward(x, *window)

    def max_backward():
        x, dy, argmax = arrays()
        return lambda: kernels.max_pool2d_backward(dy, argmax, x.shape, *window)

    def average_forward():
        x, _, _ = arrays()
        return lambda: kernels.average_pool2d_forward(x, *window)

    def average_backward():
        x, dy, _ = arrays()
        return lambda: kernels.average_pool2d_backward(dy, x.shape, *window)

    steps = 8 * N * (H / stride) ** 2 * K * K * C
    return [
        Case("max pooling forward", size, steps, max_forward),
        Case("max pooling backward", size, steps, max_backward),
        Case("average pooling forward", size, steps, average_forward),
        Case("average pooling backward", size, steps, average_backward),
    ]


def upsampling(N=32, H=14, C=32, K=2):
    size, steps = f"N {N}, {H}x{H}x{C}, block {K}x{K}", 2 * N * (H * K) ** 2 * C

    def forward():
        x = _random(N, H, H, C)
        return lambda: kernels.upsample2d_forward(x, (K, K))

    def backward():
        dy = _random(N, H * K, H * K, C)
        return lambda: kernels.upsample2d_backward(dy, (K, K))

    return [Case("upsampling forward", size, steps, forward), Case("upsampling backward", size, steps, backward)]


def recurrent(layer, N=64, U=128, T=28, D=28, activation="tanh"):
    name, size = layer.__name__, f"N {N}, {U} units, {T} steps, {activation}"

    def made():
        x, recurrent_layer = _random(N, T, D), layer(U, activation=activation, return_sequences=True)
        recurrent_layer(x)
        y, cache = recurrent_layer.forward(x, training=True)
        return recurrent_layer, x, np.ascontiguousarray(y), cache

    def forward():
        recurrent_layer, x, _, _ = made()
        return lambda: recurrent_layer.forward(x, training=True)

    def backward():
        recurrent_layer, _, dy, cache = made()
        return lambda: recurrent_layer.backward(dy, cache)

    steps = N * T * U * layer.num_gates * (20 + 2 * U)
    return [Case(f"{name} forward", size, steps, forward), Case(f"{name} backward", size, steps, backward)]


def product(M, K, N):
    def multiply():
        a, b = _random(M, K), _random(K, N)
        return lambda: kernels.matmul(a, b)

    return [Case("matrix product", f"{M} x {K} by {K} x {N}", M * K * N, multiply)]


def adam(size):
    def update():
        param, grad, m = _random(3, size)
        v = grad * grad
        return lambda: kernels.adam_update(param, grad, m, v, 1e-3, 0.9, 0.999, 1e-7)

    return [Case("Adam", f"{size:,} parameters", 8 * size, update)]


def every_case(small):
    """All calls, or, for a trial of the bench itself, one small size of each kernel."""
    if small:
        tiny = convolution(1, 8, 1, 2) + pooling(1, 8, 2) + upsampling(1, 4, 2) + adam(100)
        tiny += product(2, 3, 4)
        return tiny + recurrent(layers.LSTM, 1, 4, 2) + recurrent(layers.SimpleRNN, 1, 4, 2)
    images = [
        *({"N": N} for N in (1, 8, 32, 128)),
        *({"H": H} for H in (8, 16, 64)),
        *({"C": C} for C in (1, 2, 4, 8, 16, 64)),
    ]
    cases = convolution(1, 8, 1, 4)
    for changed in [
        *images,
        {"F": 1},
        {"F": 4},
        {"F": 128},
        {"C": 1, "padding": "valid", "N": 512},
        {"K": 1},
        {"K": 5},
    ]:
        cases += convolution(**changed)
    for changed in [{"stride": 2}, {"dilation": 2}, {"N": 1, "H": 8, "C": 64}, {"N": 128, "H": 14, "C": 64, "F": 64}]:
        cases += convolution(**changed)
    cases += pooling(1, 8, 2)
    for changed in [*images, {"N": 512}, {"H": 27, "padding": "same"}, {"K": 3}, {"K": 3, "stride": 1}]:
        cases += pooling(**changed)
    cases += upsampling(1, 8, 2)
    for changed in [*images, {"N": 512, "C": 8}, {"K": 3}]:
        cases += upsampling(**changed)
    for layer in (layers.LSTM, layers.SimpleRNN):
        cases += recurrent(layer, 1, 16, 4)
        for N in (1, 8, 64, 128, 512):
            cases += recurrent(layer, N)
        for U in (16, 32, 64, 256, 512):
            cases += recurrent(layer, U=U)
        cases += recurrent(layer, activation="relu")
    # of a step of recurrent layers, of convolutions of one and of 32 channels, of a dense layer; and a large one
    for sizes in [
        *((N, U, 4 * U) for N, U in ((1, 128), (8, 128), (64, 16), (64, 64), (64, 128), (64, 512), (512, 128))),
        *((N, 4 * U, U) for N, U in ((64, 64), (64, 128))),
        (5408, 10, 32),
        (6272, 289, 32),
        (6272, 32, 9),
        (128, 5408, 128),
        (1024, 1024, 1024),
    ]:
        cases += product(*sizes)
    for size in (1, 100, 1_000, 10_000, 100_000, 1_000_000, 4_000_000):
        cases += adam(size)
    return cases


def steps_of_models(options):
    """Training steps: as a case for each model an epoch of `fit`."""

    def epoch(x, y, batch_size, name):
        model = make(name, scratchnet)
        return lambda: model.fit(x, y, batch_size=batch_size, verbose=0)

    cases = []
    for name in list(MISSIONS)[1:2] if options.small else MISSIONS:
        _, _, batch_size, data = MISSIONS[name]
        steps = -(-options.samples // batch_size)
        call = functools.partial(epoch, *data(options.samples), batch_size, name)
        cases.append(Case(name, f"a step of {batch_size}", np.inf, call, steps))
    return cases


# ---- measuring ----


def measure(options):
    """A row for each case; ``ms`` has the readings of one call, or of one training step."""
    rows = []
    for backend in ("numba", "numpy"):
        with kernels.using_backend(backend):
            kernels.load()  # all BLAS libraries are there before they are held to one thread
    cases = [case for case in every_case(options.small) if _wanted(case.kernel, options.only)]
    with threads.Workers(1):
        rows += [judged(case, options.turns) for case in cases]
    models = [case for case in steps_of_models(options) if _wanted(case.kernel, options.only)]
    for count in sorted({1, options.threads}):
        scratchnet.set_num_threads(count)
        for case in models:
            size = f"{case.size}, {count} thread{'s' * (count > 1)}"
            rows.append({**judged(case._replace(size=size), options.turns), "threads": count})
    return rows


def _wanted(name, only):
    return not only or any(word.lower() in name.lower() for word in only)


def judged(case, turns):
    """The row of a case; one on which Numba seems to lose is measured twice."""
    row = _row(case, turns)
    return _row(case, 3 * turns) if row["slower"] else row


def _row(case, turns):
    backends = [b for b in BACKENDS if b != "loops" or case.steps <= LOOP_STEPS]
    ms = in_turns({b: _reading(case, b) for b in backends}, turns, f"{case.kernel}, {case.size}")
    lower, median, upper = _quartiles(ratios(ms["numpy"], ms["numba"]))
    slower = median < 1 / 1.05 and upper < 1
    ratio = {"numpy_over_numba": median, "lower_quartile": lower, "upper_quartile": upper}
    ms = {backend: statistics.median(readings) for backend, readings in ms.items()}
    return {"kernel": case.kernel, "size": case.size, "threads": 1, "ms": ms, **ratio, "slower": slower}


def _reading(case, backend):
    """A function that returns the milliseconds of one call; compiled and warm."""
    with kernels.using_backend(backend):
        call = case.make()
        count = calls_for(call, AT_LEAST)

    def reading():
        with kernels.using_backend(backend):
            return milliseconds(call, count) / case.parts

    return reading


def _quartiles(values):
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


# ---- what comes out ----

HEADINGS = ("kernel", "size", "Numba ms", "NumPy / Numba", "(quartiles)", "loops / Numba", "")


def _cells(row):
    numba = row["ms"]["numba"]
    loops = f"{row['ms']['loops'] / numba:,.0f}" if "loops" in row["ms"] else ""
    spread = f"{row['lower_quartile']:.2f} to {row['upper_quartile']:.2f}"
    ratio = f"{row['numpy_over_numba']:.2f}"
    return row["kernel"], row["size"], f"{numba:.3f}", ratio, spread, loops, "slower" if row["slower"] else ""


def table(result):
    """Every row, for the screen."""
    lost = [row for row in result["rows"] if row["slower"]]
    rows = text_table(HEADINGS, [_cells(row) for row in result["rows"]], width=160)
    return f"{rows}\n{_verdict(len(lost), len(result['rows']))}"


def _verdict(lost, of):
    if not lost:
        return f"Numba is slower than NumPy, beyond noise, in none of the {of} rows."
    return f"Numba is slower than NumPy, beyond noise, in {lost} of the {of} rows."


def markdown(result):
    """A section of the results page: for each kernel over how many sizes, and where Numba pays least and most."""
    groups = _groups(result["rows"])
    lines = []
    for name, rows in groups.items():
        values = sorted(row["numpy_over_numba"] for row in rows)
        least, most = (pick(rows, key=lambda row: row["numpy_over_numba"]) for pick in (min, max))
        loops = [row["ms"]["loops"] / row["ms"]["numba"] for row in rows if "loops" in row["ms"]]
        lines.append(
            (
                name,
                len(rows),
                f"{statistics.median(values):.2f}",
                f"{values[0]:.2f} ({least['size']})",
                f"{values[-1]:.2f} ({most['size']})",
                f"{max(loops):,.0f}" if loops else "",
                sum(row["slower"] for row in rows),
            )
        )
    headings = ("kernel", "sizes", "median", "least", "most", "loops / Numba", "slower")
    every_row = markdown_table(HEADINGS, [_cells(row) for row in result["rows"]])
    return f"""## Numba against NumPy against loops

    python benches/kernels.py

NumPy's time divided by Numba's, float32, one thread unless it says two; sizes are changed one at a time around a
typical one. Above 1 Numba pays. "slower" counts the sizes at which Numba takes at least 5 % longer and three turns in
four agree.
The last column but one is the time of the plain Python loops over Numba's, at the sizes where loops end within a blink.

{markdown_table(headings, lines)}

{_verdict(sum(row["slower"] for row in result["rows"]), len(result["rows"]))}

<details><summary>Every row</summary>

{every_row}

</details>
"""


def _groups(rows):
    """{kernel or model: rows}."""
    groups = {}
    for row in rows:
        groups.setdefault(row["kernel"], []).append(row)
    return groups


def draw(result):
    """A dot for each row: how many times as long NumPy takes."""
    groups = _groups(result["rows"])
    figure, ax = new_figure(8, 1.2 + 0.27 * len(groups))
    for place, rows in enumerate(groups.values()):
        for slower in (False, True):
            values = [row["numpy_over_numba"] for row in rows if row["slower"] == slower]
            ax.plot(values, [place] * len(values), "x" if slower else "o", color=colour(int(slower)), alpha=0.7)
    ax.axvline(1, color="black", linewidth=1)
    ax.set_xscale("log")
    ax.set_xticks([0.5, 1, 2, 4, 8], ["0.5", "1", "2", "4", "8"])
    ax.set_xticks([], minor=True)
    ax.set_yticks(range(len(groups)), groups)
    ax.invert_yaxis()
    ax.set_xlabel("NumPy's time / Numba's: right of 1 Numba pays; a dot for each size")
    return figure


def main():
    """Read the command line, measure, print the table."""
    parser = make_parser(__doc__, turns=9)
    parser.add_argument("--only", nargs="*", metavar="WORD", help="kernels and models whose name has one of the words")
    parser.add_argument("--samples", type=int, default=640, help="in an epoch of a model (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="one small size of each kernel, to try the bench itself")
    run_bench("kernels", parser.parse_args(), measure, table, draw)


if __name__ == "__main__":
    main()
