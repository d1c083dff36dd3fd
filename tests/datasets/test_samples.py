"""The embedded samples: fixed, balanced, small, real; and how they are made from the whole data sets."""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import scratchnet
from scratchnet.datasets import cifar10, mnist

ROOT = Path(scratchnet.__file__).parents[1]


@pytest.fixture(scope="module")
def make_samples():
    spec = importlib.util.spec_from_file_location("make_samples", Path(__file__).with_name("make_samples.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def digest(parts):
    return hashlib.sha256(b"".join(array.tobytes() for part in parts for array in part)).hexdigest()


@pytest.fixture(autouse=True)
def no_files_but_the_packages(monkeypatch, tmp_path):
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "nowhere"))


def test_mnist_sample_is_the_same_everywhere():
    (x_train, y_train), (x_test, y_test) = parts = mnist.load_sample()
    assert [a.shape for a in (x_train, y_train, x_test, y_test)] == [(10000, 28, 28), (10000,), (2000, 28, 28), (2000,)]
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert set(y_train) == set(y_test) == set(range(10))
    assert digest(parts) == "1e69420d546ce587b9fb07b6d2eafc89ce39cc8c539be4352f4e4eb1fafe84a4"


def test_cifar10_sample_is_the_same_everywhere():
    (x_train, y_train), (x_test, y_test) = parts = cifar10.load_sample()
    assert x_train.shape == (2020, 32, 32, 3) and y_train.shape == (2020, 1)
    assert x_test.shape == (400, 32, 32, 3) and y_test.shape == (400, 1)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert digest(parts) == "9a12eb652b387d6fddd6a8243fa39d7c225619d30dc22a0b875156da9cd61749"


def test_cifar10_sample_is_balanced():
    (_, y_train), (_, y_test) = cifar10.load_sample()
    assert np.bincount(y_train[:, 0]).tolist() == [202] * 10
    assert np.bincount(y_test[:, 0]).tolist() == [40] * 10


def test_samples_can_be_written_to():
    for module in (mnist, cifar10):
        for part in module.load_sample():
            for array in part:
                array[:1] = 0
    assert mnist.load_sample()[0][0].any()


def test_cifar10_files_take_at_most_4_mb(make_samples):
    files = list(cifar10.SAMPLES.glob("cifar10-*"))
    assert len(files) == 2 and sum(file.stat().st_size for file in files) <= make_samples.CIFAR10_MAX_BYTES


def images_of(seed):
    draw = np.random.default_rng(seed)
    if seed == 0:
        return np.zeros((0, 2, 2, 3), np.uint8)
    return draw.choice(np.array([0, 1, 127, 128, 254, 255], np.uint8), (seed, *draw.integers(1, 9, 2), 3))


@pytest.mark.parametrize("seed", range(4))
def test_differences_give_back_the_images(make_samples, seed):
    images = images_of(seed)
    restored = cifar10.from_differences(make_samples.differences(images))
    assert restored.dtype == np.uint8
    np.testing.assert_array_equal(restored, images)


def test_differences_of_a_grey_slope(make_samples):
    rows, columns = np.indices((3, 4))
    images = np.repeat((10 + 2 * rows + 3 * columns)[None, :, :, None], 3, axis=3).astype(np.uint8)
    green, red, blue = make_samples.differences(images)
    assert not red.any() and not blue.any()
    # The first pixel, +3 along the first row, +2 down the first column; inside, the neighbours tell everything.
    np.testing.assert_array_equal(green[0], [[10, 3, 3, 3], [2, 0, 0, 0], [2, 0, 0, 0]])


def test_terms_lie_beside_the_samples():
    text = (mnist.SAMPLES / "SOURCES.md").read_text()
    for part in ("Share Alike 3.0", "LeCun", "Krizhevsky", *(file.name for file in mnist.SAMPLES.glob("*.[gx]z"))):
        assert part in text


def test_without_lzma_the_error_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(ImportError, match="cifar10.load_sample.* needs Python's module lzma"):
        cifar10.load_sample()


def test_mnist_sample_is_the_beginning_of_mnist(full_data):
    for sample, whole in zip(mnist.load_sample(), mnist.load_data()):
        for few, all_ in zip(sample, whole):
            np.testing.assert_array_equal(few, all_[: len(few)])


def test_cifar10_sample_is_the_first_of_each_class(full_data):
    for (x_few, y_few), (x, y) in zip(cifar10.load_sample(), cifar10.load_data()):
        seen = dict.fromkeys(range(10), 0)
        chosen = []
        for i, label in enumerate(y[:, 0].tolist()):
            if seen[label] < len(y_few) // 10:
                seen[label] += 1
                chosen.append(i)
        np.testing.assert_array_equal(y_few, y[chosen])
        np.testing.assert_array_equal(x_few, x[chosen])


def test_made_mnist_files_have_the_content_of_the_embedded_ones(make_samples, full_data, tmp_path, monkeypatch):
    embedded = mnist.load_sample()
    compress = make_samples.gzip.compress  # as hard as it can, which takes long; the content is the same
    monkeypatch.setattr(
        make_samples.gzip, "compress", lambda content, compresslevel, mtime: compress(content, 1, mtime=0)
    )
    make_samples.make_mnist(tmp_path)
    monkeypatch.setattr(mnist, "SAMPLES", tmp_path)
    assert digest(mnist.load_sample()) == digest(embedded)


@pytest.fixture
def tiny_cifar10(make_samples, monkeypatch):
    draw = np.random.default_rng(2)
    parts = tuple(
        (draw.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8), draw.permutation(np.arange(n) % 10)[:, None])
        for n in (50, 30)
    )
    parts = tuple((x, y.astype(np.uint8)) for x, y in parts)
    monkeypatch.setattr(cifar10, "load_data", lambda: parts)
    monkeypatch.setattr(cifar10, "SAMPLES", Path("/nowhere"))
    monkeypatch.setattr(make_samples, "CIFAR10_PER_CLASS", {"train": 3, "test": 1})
    return parts


def test_made_cifar10_files_can_be_read(make_samples, tiny_cifar10, tmp_path, monkeypatch):
    make_samples.make_cifar10(tmp_path)
    monkeypatch.setattr(cifar10, "SAMPLES", tmp_path)
    for (x_few, y_few), (x, y), count in zip(cifar10.load_sample(), tiny_cifar10, (3, 1)):
        chosen = make_samples.first_of_each_class(y[:, 0], count)
        assert np.bincount(y_few[:, 0]).tolist() == [count] * 10
        np.testing.assert_array_equal(x_few, x[chosen])
        np.testing.assert_array_equal(y_few, y[chosen])


def test_a_sample_that_is_too_large_is_not_written(make_samples, tiny_cifar10, tmp_path, monkeypatch):
    monkeypatch.setattr(make_samples, "CIFAR10_MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="at most 1000 are wanted: lower CIFAR10_PER_CLASS"):
        make_samples.make_cifar10(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_first_of_each_class(make_samples):
    labels = np.array([2, 0, 0, 1, 2, 0, 1, 1])
    assert make_samples.first_of_each_class(labels, 2).tolist() == [0, 1, 2, 3, 4, 6]


def test_importing_the_data_sets_leaves_the_network_modules_alone():
    heavy = ("urllib.request", "http.client", "lzma", "tarfile", "pooch", "requests", "tqdm")
    code = f"import sys, scratchnet.datasets; print(sorted({{*{heavy}}} & {{*sys.modules}}))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    baseline = subprocess.run(
        [sys.executable, "-c", code.replace("scratchnet.datasets", "numpy, gzip, hashlib")],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    assert shown == baseline
