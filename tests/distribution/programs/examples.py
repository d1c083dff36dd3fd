"""Every example on a few samples, for two epochs at most; writes down checksums of what its fits have come to.

python tests/distribution/programs/examples.py FOLDER THREADS [--distributed]
"""

import hashlib
import sys

import scratchnet
from scratchnet import demo, evaluation
from scratchnet.models import Model, Sequential
from scratchnet.parallel.ranks import current_ranks
from scratchnet.utils import clear_session

FEW, EPOCHS = 100, 2

folder, threads, *options = sys.argv[1:]
scratchnet.set_num_threads(int(threads))
loaded, fit = demo.examples._scaled, Model.fit
checksums = []


def few(dataset, settings):
    (x_train, y_train), (x_test, y_test) = loaded(dataset, settings)
    return (x_train[:FEW], y_train[:FEW]), (x_test[:FEW], y_test[:FEW])


def noted(model, *args, **kwargs):
    history = fit(model, *args, **{**kwargs, "epochs": min(kwargs["epochs"], EPOCHS), "verbose": 0})
    content = [w.tobytes() for w in model.get_weights()] + [repr(history.history).encode()]
    checksums.append(f"{example} {model.name} {hashlib.sha1(b''.join(content)).hexdigest()[:12]}")
    return history


demo.examples._scaled = few
# Pictures take longer than all else.
demo.Output.figure = lambda output, name, figure: None
evaluation.ClassifierReport.save = lambda report, folder, images: []
for name in evaluation.__all__:
    if name.startswith("plot_"):
        setattr(evaluation, name, lambda *args, **kwargs: None)
Model.fit = Sequential.fit = noted
for example in demo.find_examples():
    clear_session()
    try:
        demo.run_demo(example, ["--epochs", "1", "--batch-size", "40", "--out", f"{folder}/{example}", *options])
    except SystemExit as end:
        checksums.append(f"{example} ended with {end.code}")
if current_ranks().rank == 0:
    with open(f"{folder}/checksums-{current_ranks().size}x{threads}.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(checksums) + "\n")
