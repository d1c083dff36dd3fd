"""What the examples compute for themselves, on little data."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import scratchnet
from scratchnet.demo import Output
from scratchnet.utils import set_random_seed

EXAMPLES = Path(scratchnet.__file__).parents[1] / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not beside an installed package")


def example(name):
    return SimpleNamespace(**runpy.run_path(str(EXAMPLES / f"{name}.py")))


class Texts(Output):
    """A folder for what is written; the figures, which take long to draw, are only counted."""

    def figure(self, name, figure):
        self.paths.append(name)


def test_digits_are_moved_by_what_is_said():
    moved = example("mnist_capsules").moved
    images = np.zeros((3, 28, 28), "float32")
    images[:, 10:18, 12:14] = 1
    np.testing.assert_array_equal(moved(images, 0), images)
    turned = moved(images, 0, turn=20)
    np.testing.assert_allclose(turned.sum(axis=(1, 2)), images.sum(axis=(1, 2)), rtol=0.05)
    places = np.arange(28)
    for new in moved(images, 0, shift=2):
        middle = np.array([new.sum(axis=1) @ places, new.sum(axis=0) @ places]) / new.sum()
        assert np.all(np.abs(middle - (13.5, 12.5)) <= 2) and np.any(np.abs(middle - (13.5, 12.5)) > 0.1)
    wide = moved(images, 1, stretch=0.4)
    assert len({round(float(new.sum()), 2) for new in wide}) == 3
    assert not np.allclose(moved(images, 0, shear=0.4), images, atol=0.1)


def test_the_bound_of_a_variational_autoencoder_is_what_fit_reports():
    set_random_seed(1)
    anomalies = example("mnist_anomalies")
    x = np.random.default_rng(0).random((40, 28, 28), "float32")
    vae, encoder, decoder = anomalies.build_vae(2, 10)
    total, reconstruction, kl = anomalies.negative_bound(encoder, decoder, x, 0, draws=20)
    assert total.shape == (40,) and np.all(kl > 0)
    np.testing.assert_allclose(total, reconstruction + kl)
    assert total.mean() == pytest.approx(vae.evaluate(x, x, verbose=0), rel=0.02)
    assert anomalies.build_lstm(10).predict(x[:2], verbose=0).shape == (2, 28, 28)


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_both_variational_autoencoders_take_digits_and_give_digits(kind):
    vae, encoder, decoder = example("mnist_vae").build_models(3, 10, kind)
    x = np.zeros((2, 28, 28), "float32")
    assert [part.shape for part in encoder.predict(x, verbose=0)] == [(2, 3), (2, 3)]
    assert decoder.predict(np.zeros((2, 3)), verbose=0).shape == vae.predict(x, verbose=0).shape == (2, 28, 28)


def test_a_part_of_a_photograph_fills_the_view_and_half_of_them_are_mirrored():
    set_random_seed(1)
    part = example("cifar10_contrastive").RandomPart()
    ramp = np.broadcast_to(np.arange(32, dtype="float32"), (200, 32, 32))
    images = np.stack([ramp, ramp.transpose(0, 2, 1)], axis=-1)  # the column and the row of each pixel
    views = np.asarray(part(images))
    steps = np.diff(views[..., 0], axis=2).mean(axis=(1, 2))  # how far apart in the image two columns of the view are
    assert 0.35 < np.mean(steps < 0) < 0.65
    assert np.all((0.49 < np.abs(steps)) & (np.abs(steps) < 1.01)) and np.ptp(np.abs(steps)) > 0.4
    np.testing.assert_allclose(np.diff(views[..., 1], axis=1).mean(axis=(1, 2)), np.abs(steps), rtol=1e-4)
    assert views.min() >= 0 and views.max() <= 31 and np.ptp(views[:, 0, 0, 1]) > 10
    np.testing.assert_array_equal(part(images[:3], training=False), images[:3])


def test_a_network_learns_from_photographs_without_labels_then_from_a_few(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    set_random_seed(1)
    contrastive = example("cifar10_contrastive")
    given = {"data": "sample", "unlabelled": 16, "epochs": 1, "batch_size": 8, "seed": 1}
    given |= {"labels": [4, 8], "draws": 1, "steps": 2}
    output = Texts(tmp_path)
    contrastive.main(SimpleNamespace(**given), output)
    assert output.paths == ["views", "loss", str(tmp_path / "few_labels.md"), "few_labels"]
    assert "of processor time" in capsys.readouterr().out
    rows = (tmp_path / "few_labels.md").read_text(encoding="utf-8").splitlines()[2:]
    assert len(rows) == 5 and all(row.count("%") == 2 for row in rows)


@pytest.mark.parametrize("network, held", [("efficientnet", 2), ("squeezenet", 1)])
def test_only_where_a_block_is_trained_further_its_maps_are_kept(network, held, tmp_path):
    transfer = example("cifar10_transfer")
    settings = transfer.NETWORKS[network]
    untrained = settings[0](include_top=False, weights=None)
    images = np.random.default_rng(0).random((3, 32, 32, 3), "float32")
    path = str(tmp_path / "features.npz")
    arrays = transfer.kept(path, transfer.compute, untrained, settings, images, 32, 2)
    assert len(arrays) == held and arrays[0].shape == (3, {"efficientnet": 1280, "squeezenet": 1152}[network])
    for again, array in zip(transfer.kept(path, None), arrays, strict=True):
        np.testing.assert_array_equal(again, array)


@pytest.fixture
def series(tmp_path):
    """A function that writes a wave with a flat stretch in its second half, and gives the example's options for it."""

    def write(steps=600, **changed):
        wave = np.sin(np.arange(steps) * 0.7)
        flat = slice(steps * 3 // 4, steps * 3 // 4 + 12)
        wave[flat] = 3
        strange = np.zeros(steps, int)
        strange[flat] = 1
        lines = [f"{i},{value:.4f},{mark}" for i, (value, mark) in enumerate(zip(wave, strange))]
        (tmp_path / "wave.csv").write_text("\n".join(["time,level,strange", *lines]) + "\n")
        given = {"csv": str(tmp_path / "wave.csv"), "column": "level", "labels": "strange", "window": 8, "code": 4}
        training = {"quantile": 0.99, "epochs": 1, "batch_size": 32, "seed": 1}
        return SimpleNamespace(**{**given, **training, **changed})

    return write


def test_a_strange_stretch_of_a_file_is_found(series, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    set_random_seed(1)
    main = example("timeseries_anomalies").main
    output = Texts(tmp_path / "out")
    main(series(), output)
    assert output.paths[-4:] == ["loss", "intervals_found", "intervals_largest", "windows"]
    assert "600 points" in capsys.readouterr().out
    kinds = (tmp_path / "out" / "detection.md").read_text(encoding="utf-8").splitlines()[-1]
    assert kinds.split() == ["|", "anomaly", "|", "1", "|", "1", "|", "100.0%", "|"]
    found = np.loadtxt(tmp_path / "out" / "intervals.csv", delimiter=",", skiprows=1, ndmin=2)
    begin, end, _ = found[found[:, 2].argmax()]
    assert 440 < begin < 462 and 450 < end < 475
    main(series(labels=None), Texts(tmp_path / "unlabelled"))
    assert not (tmp_path / "unlabelled" / "detection.md").exists()


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"csv": None}, "--column and --labels name columns of a file"),
        ({"column": "height"}, "has no column 'height'"),
        ({"window": 10}, "--window must be a multiple of 4 from 8 on, got 10"),
        ({"window": 48}, "600 points are too few for windows of 48: at least 768, or --window"),
        ({"quantile": 1.0}, "--quantile must be between 0 and 1, got 1.0"),
        ({"steps": 150}, "too few of the windows of 8 points in the first half are normal: "),
        ({"column": "strange"}, "the series does not change in its first half"),
    ],
)
def test_what_cannot_be_searched_is_told_before_the_training(series, tmp_path, changed, message):
    main = example("timeseries_anomalies").main
    with pytest.raises(ValueError, match=message):
        main(series(**changed), Texts(tmp_path / "out"))
