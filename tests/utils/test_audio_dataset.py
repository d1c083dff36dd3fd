"""Sounds in folders as batches."""

import wave

import numpy as np
import pytest

from scratchnet.utils import audio_dataset_from_directory


def write(path, samples, width=2, channels=1, rate=8000):
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setsampwidth(width)
        file.setnchannels(channels)
        file.setframerate(rate)
        file.writeframes(samples)


@pytest.fixture
def folders(tmp_path):
    write(tmp_path / "hum" / "a.wav", np.array([0, 16384, -32768], "<i2").tobytes())
    write(tmp_path / "tick" / "b.wav", np.array([32767, 1], "<i2").tobytes())
    return tmp_path


def only(folder, **options):
    (x,) = audio_dataset_from_directory(folder, labels=None, shuffle=False, verbose=False, **options)
    return x


def test_sounds_of_a_batch_are_as_long_as_the_longest(folders, capsys):
    data = audio_dataset_from_directory(folders, shuffle=False)
    assert capsys.readouterr().out == "Found 2 files belonging to 2 classes.\n"
    ((x, y),) = data
    assert x.dtype == np.float32 and x.shape == (2, 3, 1) and y.tolist() == [0, 1]
    np.testing.assert_array_equal(x[..., 0], np.float32([[0, 0.5, -1], [32767 / 32768, 1 / 32768, 0]]))
    assert data.class_names == ["hum", "tick"]


def test_sounds_one_by_one_have_their_own_lengths(folders):
    data = audio_dataset_from_directory(folders, batch_size=None, shuffle=False, verbose=False, label_mode=None)
    assert [x.shape for x in data] == [(3, 1), (2, 1)]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_sounds_of_a_given_length(folders, length):
    x = only(folders, output_sequence_length=length, sampling_rate=8000)
    whole = np.zeros((2, 5), np.float32)
    whole[0, :3], whole[1, :2] = [0, 0.5, -1], [32767 / 32768, 1 / 32768]
    np.testing.assert_array_equal(x[..., 0], whole[:, :length])


@pytest.mark.parametrize(
    "width, samples",
    [
        (1, np.array([128, 192, 0, 64], np.uint8).tobytes()),
        (2, np.array([0, 2**14, -(2**15), -(2**14)], "<i2").tobytes()),
        (3, b"\x00\x00\x00" + b"\x00\x00\x40" + b"\x00\x00\x80" + b"\x00\x00\xc0"),
        (4, np.array([0, 2**30, -(2**31), -(2**30)], "<i4").tobytes()),
    ],
)
def test_numbers_of_every_width_and_two_channels(tmp_path, width, samples):
    write(tmp_path / "a.wav", samples, width, channels=2)
    np.testing.assert_array_equal(only(tmp_path), [[[0, 0.5], [-1, -0.5]]])


def test_what_is_refused(folders):
    with pytest.raises(ValueError, match="ragged=True"):
        only(folders, ragged=True)
    with pytest.raises(ValueError, match="8000 samples per second, not 16000; resample"):
        only(folders, sampling_rate=16000)
    with pytest.raises(ValueError, match="output_sequence_length"):
        only(folders, output_sequence_length=0)
    (folders / "hum" / "z.wav").write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"z\.wav is no WAV file"):
        only(folders)
