"""Sounds in folders as batches."""

import wave

import numpy as np

from scratchnet.checks import check_count
from scratchnet.utils.directories import dataset_of_files

_OWNER = "audio_dataset_from_directory"


def audio_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    sampling_rate=None,
    output_sequence_length=None,
    ragged=False,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    verbose=True,
):
    """A `Dataset` of batches of sounds (N, T, channels), float32 in [-1, 1), and their labels.

    Args:
        sampling_rate: samples per second, which every file must have: nothing is resampled.
        output_sequence_length: how many samples of each sound are taken; shorter ones end in zeros. By default all, and
            those of one batch are as long as the longest.
        ragged: False: batches are arrays.

    Files end in .wav and hold whole numbers of 8, 16, 24 or 32 bits (PCM). The other arguments are those of
    `image_dataset_from_directory`.
    """
    if ragged:
        raise ValueError(f"{_OWNER}: ragged=True is not there: batches are arrays; output_sequence_length cuts sounds")
    length = check_count(_OWNER, "output_sequence_length", output_sequence_length, at_least=1)
    check_count(_OWNER, "sampling_rate", sampling_rate, at_least=1)
    return dataset_of_files(
        _OWNER,
        lambda path: _sound(path, sampling_rate, length),
        (".wav",),
        directory,
        labels,
        label_mode,
        class_names,
        batch_size,
        shuffle,
        seed,
        validation_split,
        subset,
        follow_links,
        verbose,
        stack=_padded,
    )


def _sound(path, sampling_rate, length):
    """The samples of a file (T, channels)."""
    try:
        with wave.open(path) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            samples = file.readframes(file.getnframes() if length is None else length)
    except (wave.Error, EOFError) as problem:
        raise ValueError(f"{_OWNER}: {path} is no WAV file of whole numbers: {problem}") from None
    if sampling_rate not in (None, rate):
        raise ValueError(f"{_OWNER}: {path} has {rate} samples per second, not {sampling_rate}; resample it first")
    x = _numbers(samples, width).reshape(-1, channels)
    return x if length is None else _padded([x], length)[0]


def _numbers(samples, width):
    """Little-endian whole numbers of so many bytes as float32 in [-1, 1); single bytes have no sign, 128 is zero."""
    if width == 1:
        return np.frombuffer(samples, np.uint8).astype(np.float32) / 128 - 1
    wide = np.zeros((len(samples) // width, 4), np.uint8)  # the bytes at the upper end of 32 bits
    wide[:, 4 - width :] = np.frombuffer(samples, np.uint8).reshape(-1, width)
    return (wide.view("<i4")[:, 0] / 2.0**31).astype(np.float32)


def _padded(sounds, length=None):
    """Sounds of different lengths as one array, zeros behind the shorter ones."""
    length = max(map(len, sounds)) if length is None else length
    x = np.zeros((len(sounds), length, sounds[0].shape[1]), np.float32)
    for row, sound in zip(x, sounds):
        row[: len(sound)] = sound
    return x
