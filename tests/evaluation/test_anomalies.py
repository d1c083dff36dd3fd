"""Images made strange, images made noisy, and what denoising gains."""

import numpy as np
import pytest

from scratchnet.evaluation import (
    add_gaussian_noise,
    add_noise,
    denoising_table,
    digits_as_photographs,
    hold_out_class,
    image_quality,
    occlude_block,
    shuffle_rows,
)


def images(*shape, seed=0):
    return np.random.default_rng(seed).random(shape or (6, 8, 8, 3)).astype(np.float32)


STRANGE = [shuffle_rows, occlude_block, add_noise]


def make(function, x, seed=0):
    return occlude_block(x, size=3, seed=seed) if function is occlude_block else function(x, seed=seed)


@pytest.mark.parametrize("function", STRANGE)
def test_same_seed_same_images_and_nothing_given_is_changed(function):
    x = images()
    kept = x.copy()
    y = make(function, x, seed=3)
    np.testing.assert_array_equal(x, kept)
    assert (y.dtype, y.shape) == (x.dtype, x.shape) and 0 <= y.min() and y.max() <= 1
    np.testing.assert_array_equal(y, make(function, x, seed=3))
    np.testing.assert_array_equal(y, make(function, x, seed=np.random.default_rng(3)))
    assert not np.array_equal(y, make(function, x, seed=4))
    assert not np.array_equal(y, x)


def test_a_generator_goes_on():
    rng = np.random.default_rng(0)
    assert not np.array_equal(add_noise(images(), 0.1, rng), add_noise(images(), 0.1, rng))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("function", STRANGE)
def test_dtype_stays(function, dtype):
    assert make(function, images(2, 8, 8).astype(dtype)).dtype == dtype


@pytest.mark.parametrize("shape", [(6, 8, 8), (6, 8, 8, 3)])
def test_shuffled_rows_are_the_same_rows_in_orders_of_their_own(shape):
    x = np.arange(np.prod(shape), dtype=np.float64).reshape(shape) / np.prod(shape)
    y = shuffle_rows(x)
    np.testing.assert_array_equal(np.sort(y, axis=1), x)
    orders = np.argsort(y.reshape(6, 8, -1)[:, :, 0], axis=1)
    assert len(np.unique(orders, axis=0)) > 1


def test_block_is_a_square_of_its_size():
    y = occlude_block(np.zeros((50, 8, 9, 3)), size=4, value=0.25)
    for image in y:
        rows, columns = np.nonzero((image == 0.25).all(axis=2))
        assert len(rows) == 16 and np.ptp(rows) == np.ptp(columns) == 3
    covered = (y == 0.25).any(axis=(0, 3))
    assert covered[0].any() and covered[-1].any() and covered[:, -1].any()  # up to every edge


def test_noise_has_its_standard_deviation_and_is_cut():
    y = add_noise(np.full((100, 20, 20), 0.5, np.float32), 0.05, seed=1)
    assert y.mean() == pytest.approx(0.5, abs=0.002) and y.std() == pytest.approx(0.05, rel=0.02)
    y = add_noise(np.ones((100, 20, 20)), 0.2)
    assert y.max() == 1 and np.mean(y == 1) == pytest.approx(0.5, abs=0.02)
    x = images()
    np.testing.assert_array_equal(add_noise(x, 0), x)
    np.testing.assert_array_equal(add_gaussian_noise(x, 0.2, 5), add_noise(x, 0.2, 5))


@pytest.mark.parametrize("shape", [(2, 28, 28), (2, 28, 28, 1)])
def test_digits_stand_in_the_middle_of_colour_images(shape):
    digits = images(*shape)
    y = digits_as_photographs(digits)
    assert (y.shape, y.dtype) == ((2, 32, 32, 3), np.float32)
    for channel in range(3):
        np.testing.assert_array_equal(y[:, 2:-2, 2:-2, channel], digits.reshape(2, 28, 28))
    assert y.sum() == pytest.approx(3 * digits.sum(), rel=1e-5)


def test_a_class_held_out():
    x, y = np.arange(6), np.array([[0], [1], [2], [1], [0], [2]])
    (x_normal, y_normal), (x_held_out, y_held_out) = hold_out_class(x, y, 1)
    np.testing.assert_array_equal(x_normal, [0, 2, 4, 5])
    np.testing.assert_array_equal(y_normal, [[0], [2], [0], [2]])
    np.testing.assert_array_equal(x_held_out, [1, 3])
    np.testing.assert_array_equal(y_held_out, [[1], [1]])
    (x_normal, _), _ = hold_out_class(x, y.ravel(), [0, 2])
    np.testing.assert_array_equal(x_normal, [1, 3])


def test_a_class_that_is_not_there_cannot_be_held_out():
    with pytest.raises(ValueError, match="no sample has the label 7"):
        hold_out_class(np.arange(3), [0, 1, 2], 7)
    with pytest.raises(ValueError, match="3 samples, labels of shape"):
        hold_out_class(np.arange(3), [0, 1], 1)


@pytest.mark.parametrize("function", [*STRANGE, digits_as_photographs])
def test_what_is_no_image_is_refused(function):
    with pytest.raises(TypeError, match="divide bytes by 255"):
        function(np.zeros((2, 8, 8), np.uint8))
    with pytest.raises(ValueError, match="expected images"):
        function(np.zeros((2, 8)))
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        function(np.full((2, 8, 8), 255.0))
    with pytest.raises(ValueError, match=r"in \[0, 1\], got nan"):
        function(np.full((2, 8, 8), np.nan))


def test_sizes_and_strengths_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="size must be from 1 to 8, got 9"):
        occlude_block(images(), size=9)
    with pytest.raises(ValueError, match="value must be from 0 to 1"):
        occlude_block(images(), size=2, value=2)
    with pytest.raises(ValueError, match="stddev must be at least 0"):
        add_noise(images(), -1)
    with pytest.raises(ValueError, match="28 x 28 do not fit into 20 x 20"):
        digits_as_photographs(images(1, 28, 28), size=20)
    with pytest.raises(ValueError, match="expected grey images"):
        digits_as_photographs(images(1, 28, 28, 3))


def test_quality_by_hand():
    pytest.importorskip("skimage")
    clean = np.zeros((2, 8, 8))
    quality = image_quality(clean, np.stack([clean[0] + 0.1, clean[0] + 0.01]))
    assert quality["mse"] == pytest.approx((0.01 + 0.0001) / 2)
    assert quality["psnr"] == pytest.approx((20 + 40) / 2)  # the mean of dB, not the dB of the mean


@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 16, 16, 1), (3, 16, 16, 3)])
def test_quality_is_that_of_scikit_image(shape):
    metrics = pytest.importorskip("skimage.metrics")
    clean = images(*shape).astype(np.float64)
    noisy = add_noise(clean, 0.2)
    quality = image_quality(clean, noisy, samples=None)
    psnr = [metrics.peak_signal_noise_ratio(a, b, data_range=1) for a, b in zip(clean, noisy)]
    axis = -1 if len(shape) == 4 else None
    ssim = [metrics.structural_similarity(a, b, data_range=1, channel_axis=axis) for a, b in zip(clean, noisy)]
    np.testing.assert_allclose([quality["psnr"], quality["ssim"]], [np.mean(psnr), np.mean(ssim)])
    assert image_quality(clean, noisy, samples=1)["ssim"] == pytest.approx(ssim[0])


def test_quality_of_the_clean_images_themselves():
    pytest.importorskip("skimage")
    assert image_quality(images(), images()) == {"mse": 0, "psnr": np.inf, "ssim": 1}


def test_denoising_table():
    pytest.importorskip("skimage")
    clean = np.full((2, 8, 8, 3), 0.5, np.float32)
    headings, rows = denoising_table(clean, {"noisy": clean + np.float32(0.1), "denoised": clean})
    assert headings == ("images", "MSE", "PSNR (dB)", "SSIM")
    assert rows[0][:3] == ["noisy", "0.01000", "20.00"]
    assert rows[1] == ["denoised", "0.00000", "inf", "1.0000"]


def test_images_of_different_shapes_are_refused():
    pytest.importorskip("skimage")
    with pytest.raises(ValueError, match="images of shape"):
        image_quality(images(), images(6, 8, 8, 1))
    with pytest.raises(ValueError, match="NaN"):
        image_quality(images(), np.full((6, 8, 8, 3), np.nan))
