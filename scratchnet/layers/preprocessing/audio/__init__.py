"""Layers that turn sound into pictures of its frequencies."""

from scratchnet.layers.preprocessing.audio.mel_spectrogram import MelSpectrogram

__all__ = ["MelSpectrogram"]
