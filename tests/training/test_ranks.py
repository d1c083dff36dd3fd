"""fit, evaluate and predict on several ranks: the bits of one process with as many parts."""

import numpy as np
import pytest

import scratchnet
from scratchnet import layers, losses, models, optimizers, streams
from scratchnet.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    SwapEMAWeights,
)
from scratchnet.parallel.ranks import RankFailed, current_ranks
from scratchnet.training.data import Arrays
from scratchnet.utils import PyDataset, clear_session, set_random_seed
from tests.parallel.in_threads import run_ranks

RNG = np.random.default_rng(4)
Y = RNG.integers(0, 3, 150)
X = (RNG.normal(size=(150, 5)) + Y[:, None]).astype("float32")
SETTINGS = [(4, 1), (2, 2), (3, 1)]


@pytest.fixture(autouse=True)
def one_seed_for_all(monkeypatch):
    """Ranks that are threads share the global seeds, which processes do not."""
    yield
    scratchnet.set_num_threads(None)


def classifier(*extra, optimizer=None, loss="sparse_categorical_crossentropy", **settings):
    clear_session()
    set_random_seed(3)
    middle = extra or (layers.BatchNormalization(), layers.Dropout(0.3), layers.GaussianNoise(0.1))
    model = models.Sequential(
        [layers.Input((5,)), layers.Dense(40, activation="tanh"), *middle, layers.Dense(3, activation="softmax")]
    )
    model.compile(optimizer or optimizers.Adam(global_clipnorm=1.0), loss, metrics=["accuracy"], **settings)
    return model


def result(model, *values):
    return [w.tobytes() for w in model.get_weights()], repr(model.history.history), *map(repr, values)


def train(model, x=X, y=Y, **arguments):
    given = {"batch_size": 64, "epochs": 2, "verbose": 0, "validation_split": 0.2, **arguments}
    model.fit(x, y, **given)
    y_pred = model.predict(X, batch_size=20, verbose=0)
    return result(model, model.evaluate(X, Y, batch_size=20, verbose=0), y_pred.tobytes())


def compared(make, work, monkeypatch, settings=SETTINGS):
    """Whether `work` on models of `make` gives the same on (ranks, threads) as on one process with as many threads."""
    for count, threads in settings:
        scratchnet.set_num_threads(count * threads)
        monkeypatch.setattr(streams, "new_seed", lambda: 11)
        alone = work(make())
        everybody = [make() for _ in range(count)]
        scratchnet.set_num_threads(threads)
        for found in run_ranks(count, lambda rank: work(everybody[rank])):  # noqa: B023
            assert found == alone
        monkeypatch.undo()


def test_noise_normalization_metrics_weights_and_a_smaller_last_batch_give_the_same_bits(monkeypatch):
    compared(classifier, lambda model: train(model, class_weight={0: 1.0, 1: 2.0, 2: 0.5}), monkeypatch)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: optimizers.SGD(0.1, momentum=0.9, clipnorm=0.5),
        lambda: optimizers.Adam(gradient_accumulation_steps=2, clipvalue=0.1),
        lambda: optimizers.AdamW(use_ema=True, ema_overwrite_frequency=2),
        lambda: optimizers.Adafactor(),
        lambda: optimizers.Lamb(),
        lambda: optimizers.SGD(0.1),
    ],
    ids=["clipnorm", "accumulation", "ema", "adafactor", "lamb", "sgd"],
)
def test_every_kind_of_optimizer_updates_its_shares_to_the_same_bits(monkeypatch, optimizer):
    compared(lambda: classifier(optimizer=optimizer()), train, monkeypatch, [(2, 1)])


def test_more_ranks_than_rows_leave_nobody_behind(monkeypatch, tmp_path):
    np.save(tmp_path / "y.npy", Y[:3])

    def few(model):
        y = np.load(tmp_path / "y.npy", mmap_mode="r")
        model.fit(X[:3], y, epochs=2, verbose=0, class_weight={0: 2.0})
        return result(model, model.predict(X[:3], verbose=0).tobytes())

    compared(classifier, few, monkeypatch, [(4, 1)])


def test_penalties_and_constraints_count_once(monkeypatch):
    def make():
        return classifier(layers.Dense(9, kernel_regularizer="l2", kernel_constraint="max_norm"))

    compared(make, train, monkeypatch, [(2, 2)])


def test_sample_weights_and_targets_that_decide_the_count(monkeypatch):
    weights = RNG.random(150)
    loss = losses.SparseCategoricalCrossentropy(ignore_class=2, reduction="mean_with_sample_weight")
    compared(
        lambda: classifier(loss=loss, weighted_metrics=["accuracy"]),
        lambda model: train(model, sample_weight=weights),
        monkeypatch,
        [(2, 1)],
    )


def test_a_contrastive_loss_sees_the_embeddings_of_all_ranks(monkeypatch):
    def make():
        clear_session()
        set_random_seed(1)
        model = models.Sequential([layers.Input((5,)), layers.Dense(4)])
        model.compile("adam", losses.Circle())
        return model

    def work(model):
        model.fit(X, Y, batch_size=48, verbose=0)
        return result(model)

    compared(make, work, monkeypatch, [(3, 1)])


def test_a_layer_with_a_state_of_its_own_is_computed_by_the_first_rank(monkeypatch):
    x = RNG.normal(size=(8, 6, 3)).astype("float32")

    def make():
        clear_session()
        set_random_seed(2)
        model = models.Sequential([layers.Input(batch_shape=(4, 6, 3)), layers.LSTM(5, stateful=True), layers.Dense(1)])
        model.compile("adam", "mse")
        return model

    def work(model):
        model.fit(x, x[:, 0, :1], batch_size=4, epochs=2, shuffle=False, verbose=0)
        return result(model, model.predict(x, batch_size=4, verbose=0).tobytes())

    compared(make, work, monkeypatch, [(2, 1)])


class Slices(PyDataset):
    """Batches by number; notes which are asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def __len__(self):
        return 4

    def __getitem__(self, number):
        self.asked.append(number)
        rows = slice(40 * number, 40 * (number + 1))
        return X[rows], Y[rows]


def test_data_in_batches_are_cut_to_the_rows_of_a_rank_and_asked_for_their_own_when_evaluated(monkeypatch):
    def generator():
        while True:
            for k in range(4):
                yield X[40 * k : 40 * k + 40], Y[40 * k : 40 * k + 40]

    def work(model):
        model.fit(Slices(), epochs=2, verbose=0, class_weight={1: 2.0})
        model.fit(generator(), steps_per_epoch=3, verbose=0, validation_data=generator(), validation_steps=3)
        data = Slices()
        figures = model.evaluate(data, verbose=0)
        if current_ranks().size == 2:
            assert data.asked == [0, 2] if current_ranks().rank == 0 else data.asked == [1, 3]
        return result(model, figures, model.predict(Slices(), verbose=0).tobytes())

    compared(classifier, work, monkeypatch, [(2, 1)])


def test_train_on_batch_and_models_with_several_outputs(monkeypatch):
    def make():
        clear_session()
        set_random_seed(2)
        x = layers.Input((5,))
        h = layers.Dense(8, activation="relu")(x)
        model = models.Model(x, [layers.Dense(3, name="a")(h), layers.Dense(1, name="b")(h)])
        model.compile("rmsprop", ["mse", None], metrics=[["mae"], None])
        return model

    def work(model):
        figures = [model.train_on_batch(X[:50], [X[:50, :3], None]) for _ in range(3)]
        return [w.tobytes() for w in model.get_weights()], figures, model.predict_on_batch(X[:7])[1].tobytes()

    compared(make, work, monkeypatch, [(2, 2)])


def test_each_rank_reads_its_own_rows_alone(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    x, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy")
    read = {0: set(), 1: set()}
    batch = Arrays.batch

    def noting(data, rows, start=0, dtype=None):
        read[current_ranks().rank] |= set(np.arange(len(X))[rows])
        return batch(data, rows, start, dtype)

    everybody = [classifier() for _ in range(2)]
    scratchnet.set_num_threads(1)
    monkeypatch.setattr(streams, "new_seed", lambda: 11)
    monkeypatch.setattr(Arrays, "batch", noting)
    arguments = {"batch_size": 50, "shuffle": False, "verbose": 0, "class_weight": {1: 2.0}, "validation_data": (x, y)}
    run_ranks(2, lambda rank: everybody[rank].fit(x, y, **{**arguments, "validation_freq": 2}))
    halves = [set(range(k, k + 25)) for k in range(0, 150, 25)]
    assert read[0] == halves[0] | halves[2] | halves[4] and read[1] == halves[1] | halves[3] | halves[5]


def test_the_state_of_the_optimizer_is_divided_and_is_gathered_to_be_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "new_seed", lambda: 11)
    scratchnet.set_num_threads(2)
    alone = classifier(optimizer="adam")
    alone.fit(X, Y, verbose=0)
    alone.save(tmp_path / "alone.npz")
    scratchnet.set_num_threads(1)
    everybody = [classifier(optimizer="adam") for _ in range(2)]

    def work(rank):
        model = everybody[rank]
        model.fit(X, Y, verbose=0)
        model.save(tmp_path / "ranks.npz")
        again = models.load_model(tmp_path / "ranks.npz")
        return sum(slot.nbytes for slot in model.optimizer.state.values()), again

    whole = sum(slot.nbytes for slot in alone.optimizer.state.values())
    (first, again), (second, _) = run_ranks(2, work)
    assert first + second == whole and abs(first - second) <= 16
    saved, expected = again.optimizer.get_state(), alone.optimizer.get_state()
    assert saved.keys() == expected.keys()
    assert all(np.array_equal(saved[key], expected[key]) for key in saved)
    for model in everybody:  # alone again: an optimizer needs all of its state
        assert model.optimizer.share is not None
    scratchnet.set_num_threads(2)
    expected = alone.fit(X, Y, verbose=0).history
    assert again.fit(X, Y, verbose=0).history == expected


def test_files_belong_to_the_first_rank(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(streams, "new_seed", lambda: 11)
    scratchnet.set_num_threads(1)
    everybody = [classifier() for _ in range(2)]
    logged = []

    def work(rank):
        callbacks = [
            CSVLogger(tmp_path / "log.csv"),
            ModelCheckpoint(tmp_path / "models" / "best.npz", save_best_only=True),
            EarlyStopping(patience=5),
            LambdaCallback(on_epoch_end=lambda epoch, logs: logged.append(epoch)),
        ]
        everybody[rank].fit(X, Y, epochs=3, validation_split=0.2, verbose=2, callbacks=callbacks)

    run_ranks(2, work)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    assert sorted(logged) == [0, 0, 1, 1, 2, 2]  # a user's own callbacks are called everywhere
    assert capsys.readouterr().out.count("Epoch 3/3") == 1
    assert (tmp_path / "models" / "best.npz").exists()


class Stop(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_backup_goes_on_bit_for_bit_with_as_many_ranks_and_nearly_with_others(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "new_seed", lambda: 11)
    scratchnet.set_num_threads(1)

    def ranks(count, *callbacks):
        everybody = [classifier(optimizer=optimizers.Adam(use_ema=True)) for _ in range(count)]

        def work(rank):
            model = everybody[rank]
            own = [make(tmp_path / "backup") if make is BackupAndRestore else make() for make in callbacks]
            model.fit(X, Y, epochs=4, verbose=0, callbacks=own, validation_split=0.2)
            return [w.copy() for w in model.get_weights()], model.history.history

        return run_ranks(count, work, expect=(KeyboardInterrupt,))[0]

    weights, history = ranks(2, SwapEMAWeights)
    for count in (2, 3):
        assert isinstance(ranks(2, SwapEMAWeights, BackupAndRestore, Stop), KeyboardInterrupt)
        found, again = ranks(count, SwapEMAWeights, BackupAndRestore)
        for a, b in zip(found, weights):
            np.testing.assert_allclose(a, b, rtol=0, atol=0 if count == 2 else 1e-4)
        assert count != 2 or again == history
    assert not (tmp_path / "backup").exists()


def test_an_error_in_one_rank_is_told_to_the_others(monkeypatch):
    monkeypatch.setattr(streams, "new_seed", lambda: 11)
    scratchnet.set_num_threads(1)
    everybody = [classifier() for _ in range(3)]

    def fail(batch, logs):
        if current_ranks().rank == 1 and batch == 1:
            raise OSError("the disk of rank 1 is full")

    def work(rank):
        everybody[rank].fit(X, Y, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=fail)])

    errors = run_ranks(3, work, expect=(RankFailed, OSError))
    assert isinstance(errors[1], OSError)
    assert all("rank 1 has failed: OSError: the disk of rank 1 is full" in str(errors[k]) for k in (0, 2))


def test_what_is_not_finite_is_found_on_whatever_rank_it_is(monkeypatch):
    monkeypatch.setattr(streams, "new_seed", lambda: 11)
    scratchnet.set_num_threads(1)
    x = X.copy()
    x[30:32] = 1e30
    everybody = [classifier(layers.Lambda(lambda a: a * 3e38 * 1e3), loss="mse") for _ in range(2)]

    def work(rank):
        everybody[rank].fit(x, np.eye(3)[Y], batch_size=32, shuffle=False, verbose=0)

    for error in run_ranks(2, work, expect=FloatingPointError):
        assert 'layer "lambda"' in str(error) or "lambda" in str(error)


def test_generators_that_draw_other_rows_on_each_rank_are_found_out(monkeypatch):
    monkeypatch.setattr(streams, "new_seed", lambda: 11)
    scratchnet.set_num_threads(1)
    everybody = [classifier() for _ in range(2)]

    def generator(rank):
        while True:
            yield X[rank:40], Y[rank:40]

    def work(rank):
        everybody[rank].fit(generator(rank), steps_per_epoch=2, verbose=0)

    for error in run_ranks(2, work, expect=ValueError):
        assert "the first of the training data: the ranks do not agree: rows: float32 (40, 5)" in str(error)


@pytest.mark.parametrize("what", ["data", "weights", "settings", "seed"])
def test_ranks_that_differ_are_told_at_the_start(monkeypatch, what):
    monkeypatch.setattr(streams, "new_seed", lambda: 11)
    scratchnet.set_num_threads(1)
    everybody = [classifier() for _ in range(2)]
    if what == "weights":
        everybody[1].layers[0].params["kernel"][0, 0] += 1
    if what == "seed":
        everybody[1].layers[2].random.seed = 5

    def work(rank):
        x = X[:-1] if rank and what == "data" else X
        everybody[rank].fit(x, Y[: len(x)], batch_size=16 + (rank and what == "settings"), verbose=0)

    expected = {
        "data": "the training data",
        "weights": "the weights",
        "settings": "batch_size",
        "seed": "the seeds",
    }
    for error in run_ranks(2, work, expect=ValueError):
        assert f"fit: the ranks do not agree: {expected[what]}" in str(error)
