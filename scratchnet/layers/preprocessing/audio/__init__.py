"""Layers that turn sound into pictures of its frequencies."""

from scratchnet.layers.preprocessing.audio.mel_spectrogram import MelSpectrogram
from scratchnet.layers.preprocessing.audio.stft_spectrogram import STFTSpectrogram

__all__ = ["MelSpectrogram", "STFTSpectrogram"]
